package peer

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"testing"
)

// Corpus returns the directory of a real repository: the one at the top of
// ../shared/corpora/<name>.tar.gz beside the repository root. It is extracted
// once for each content of the archive; tests must not write to it. Where the
// archive is absent the test is skipped.
func Corpus(t testing.TB, name string) string {
	t.Helper()
	archive := findArchive(t, name)
	if archive == "" {
		t.Skipf("corpus %s is not here: it belongs at ../shared/corpora/%s.tar.gz beside the repository", name, name)
	}
	sum, err := digest(archive)
	if err != nil {
		t.Fatalf("corpus %s: %v", name, err)
	}
	dir := filepath.Join(cacheDir(t, "corpora"), name+"-"+sum[:16])
	if !exists(dir) {
		if err := once(dir, func(tmp string) error { return extract(archive, tmp) }); err != nil {
			t.Fatalf("corpus %s: %v", name, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("corpus %s: %v", name, err)
	}
	if len(entries) != 1 || !entries[0].IsDir() {
		t.Fatalf("corpus %s: want one directory at the top of the archive, got %d entries", name, len(entries))
	}
	return filepath.Join(dir, entries[0].Name())
}

// findArchive walks up from the package under test to a directory that has the
// archive below it.
func findArchive(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("corpus %s: %v", name, err)
	}
	for {
		archive := filepath.Join(dir, "shared", "corpora", name+".tar.gz")
		if exists(archive) {
			return archive
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func digest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// extract unpacks an archive into dir, out of which nothing can lead.
func extract(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(unzipped); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := extractEntry(root, h, r); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

func extractEntry(root *os.Root, h *tar.Header, content io.Reader) error {
	name := path.Clean(h.Name)
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader: // git archive's comment
		return nil
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644|os.FileMode(h.Mode)&0o111)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Close())
	}
	return fmt.Errorf("unexpected type %q of a tar entry", h.Typeflag)
}
