package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func made(t *testing.T) (dir string, index v1.ImageIndex, digest v1.Hash) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program")
	}
	dir = t.TempDir()
	digest, err := build(context.Background(), options{
		source: "../..", out: dir, reference: "sallyport:test",
		platforms: []string{"linux/" + runtime.GOARCH}, modified: time.Unix(1700000000, 0).UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	index, err = layout.ImageIndexFromPath(filepath.Join(dir, layoutName))
	if err != nil {
		t.Fatal(err)
	}
	return dir, index, digest
}

// TestReproducible: the same commit gives the same bytes, layout and archive.
func TestReproducible(t *testing.T) {
	one, _, first := made(t)
	two, _, second := made(t)
	if first != second {
		t.Errorf("digests %s and %s", first, second)
	}
	a, err := os.ReadFile(filepath.Join(one, archiveName))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(two, archiveName))
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the archives differ: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(one, ".image-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestImage(t *testing.T) {
	_, index, _ := made(t)
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	image := only(t, index)
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.Architecture != runtime.GOARCH || strings.Join(config.Config.Entrypoint, " ") != "/sallyport" {
		t.Errorf("%+v", config.Config)
	}

	root := t.TempDir()
	names := unpack(t, image, root)
	if got := strings.Join(names, " "); got != "etc/ etc/group etc/passwd etc/ssl/ etc/ssl/certs/ etc/ssl/certs/ca-certificates.crt sallyport tmp/ usr/ usr/share/ usr/share/sbom/ usr/share/sbom/sallyport.spdx.json" {
		t.Errorf("files: %s", got)
	}
	data, err := os.ReadFile(filepath.Join(root, "usr/share/sbom/sallyport.spdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sbom document
	if err := json.Unmarshal(data, &sbom); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range sbom.Packages {
		known[p.Name] = true
	}
	for _, name := range []string{"github.com/sallyport/sallyport", "std", "filippo.io/age", "sigs.k8s.io/kustomize/api"} {
		if !known[name] {
			t.Errorf("the list of parts lacks %s", name)
		}
	}
	t.Run("runs", func(t *testing.T) { runs(t, root) })
}

// runs starts the program as a cluster does: in this file system alone, as
// nobody.
func runs(t *testing.T, root string) {
	if os.Geteuid() != 0 {
		t.Skip("chroot needs root")
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/sallyport", "version")
	cmd.Env, cmd.Dir = []string{"HOME=/tmp"}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "sallyport") {
		t.Errorf("%v: %s", err, out)
	}
}

func only(t *testing.T, index v1.ImageIndex) v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%v: %+v", err, manifest)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// unpack writes the only layer below root and lists it.
func unpack(t *testing.T, image v1.Image, root string) (names []string) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%v: %d layers", err, len(layers))
	}
	stream, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		} else if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		to := filepath.Join(root, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(to, 0o755)
		} else {
			data, readErr := io.ReadAll(r)
			if readErr != nil {
				t.Fatal(readErr)
			}
			err = os.WriteFile(to, data, h.FileInfo().Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
