package fetch

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the checksum that Git puts at the end of a pack
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// cacheBytes bounds what is kept of objects that others are deltas of.
const cacheBytes = 16 << 20

// errDamaged says that what was fetched, now or earlier, is not whole.
var errDamaged = errors.New("what was fetched is damaged")

// mirror is a directory with one bare repository in it, named by the object that
// was asked for. A new commit is fetched beside it, whole, and takes its place: so
// a mirror never grows, and never depends on an earlier fetch.
type mirror struct {
	dir  string
	lock *os.File
}

// ours fits the names in the directory that may be deleted.
var ours = regexp.MustCompile(`^(?:[0-9a-f]{40}-(?:all|[0-9]+)|incoming-[0-9]+)\.git$`)

// generation names what was fetched.
func generation(want plumbing.Hash, depth int) string {
	if depth < 0 {
		return want.String() + "-all.git"
	}
	return fmt.Sprintf("%s-%d.git", want, max(1, depth))
}

// openMirror creates the directory and locks it, for one run at a time.
func openMirror(dir string) (*mirror, error) {
	if dir == "" {
		return nil, errors.New("a directory for the mirror is needed")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("mirror %s: %w", dir, cause(err))
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("mirror %s: %w", dir, cause(err))
	}
	return &mirror{dir: dir, lock: lock}, nil
}

func (m *mirror) close() { m.lock.Close() }

// clear deletes everything that was fetched.
func (m *mirror) clear() error { return m.clearBut("") }

func (m *mirror) clearBut(name string) error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("mirror %s: %w", m.dir, cause(err))
	}
	for _, e := range entries {
		if e.Name() != name && ours.MatchString(e.Name()) {
			if err := os.RemoveAll(filepath.Join(m.dir, e.Name())); err != nil {
				return fmt.Errorf("mirror %s: %w", m.dir, cause(err))
			}
		}
	}
	return nil
}

// find opens what was fetched earlier. A damaged one is not found.
func (m *mirror) find(name string) (*filesystem.Storage, bool, error) {
	dir := filepath.Join(m.dir, name)
	if !intact(dir) {
		if err := os.RemoveAll(dir); err != nil {
			return nil, false, fmt.Errorf("mirror %s: %w", m.dir, cause(err))
		}
		return nil, false, nil
	}
	return openStorage(dir), true, nil
}

func openStorage(dir string) *filesystem.Storage {
	return filesystem.NewStorageWithOptions(osfs.New(dir, osfs.WithBoundOS()), cache.NewObjectLRU(cacheBytes),
		filesystem.Options{KeepDescriptors: true})
}

// receive writes a pack into a repository of its own, which takes its name only
// when it is whole.
func (m *mirror) receive(ctx context.Context, name string, want plumbing.Hash, pack io.Reader, shallow []plumbing.Hash, limit int64) (*filesystem.Storage, error) {
	dir, err := os.MkdirTemp(m.dir, "incoming-*.git")
	if err != nil {
		return nil, fmt.Errorf("mirror %s: %w", m.dir, cause(err))
	}
	if err := store(ctx, dir, pack, limit); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := describe(dir, want, shallow); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := os.Rename(dir, filepath.Join(m.dir, name)); err != nil {
		return nil, fmt.Errorf("mirror %s: %w", m.dir, cause(err))
	}
	return openStorage(filepath.Join(m.dir, name)), m.clearBut(name)
}

// store receives a pack, measures it, and only then has it indexed.
func store(ctx context.Context, dir string, pack io.Reader, limit int64) error {
	f, err := os.Create(filepath.Join(dir, "received"))
	if err != nil {
		return cause(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	n, err := io.Copy(f, io.LimitReader(pack, limit+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case n > limit:
		return tooLarge(limit)
	case err != nil:
		return fmt.Errorf("the pack cannot be received: %w", err)
	case !endsInChecksum(f.Name()):
		return fmt.Errorf("%w: the pack is cut short, or its checksum is wrong", errDamaged)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return cause(err)
	}
	if err := measure(ctx, f); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return cause(err)
	}
	return index(dir, f)
}

// index writes the pack and its index where Git has them.
func index(dir string, pack io.Reader) (err error) {
	defer recovered(&err)
	storage := openStorage(dir)
	if err := storage.Init(); err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	if err := packfile.UpdateObjectStorage(storage, pack); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", errDamaged, err), storage.Close())
	}
	return storage.Close()
}

// describe makes the directory a repository that Git reads as well.
func describe(dir string, want plumbing.Hash, shallow []plumbing.Hash) error {
	files := map[string]string{"HEAD": want.String() + "\n"}
	if len(shallow) > 0 {
		var b strings.Builder
		for _, hash := range shallow {
			b.WriteString(hash.String() + "\n")
		}
		files["shallow"] = b.String()
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return cause(err)
		}
	}
	return nil
}

// intact reports whether a repository of the mirror has one pack and its index,
// both with the checksum that they end in. What is in them is judged when it is
// read.
func intact(dir string) bool {
	packs, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "pack-*"))
	if err != nil || len(packs) != 2 || filepath.Ext(packs[0]) != ".idx" || filepath.Ext(packs[1]) != ".pack" {
		return false
	}
	return endsInChecksum(packs[0]) && endsInChecksum(packs[1])
}

// endsInChecksum reports whether the last bytes of a file are the SHA-1 of all
// others (gitformat-pack(5)).
func endsInChecksum(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < sha1.Size {
		return false
	}
	h := sha1.New() //nolint:gosec // see the import
	if _, err := io.CopyN(h, f, info.Size()-sha1.Size); err != nil {
		return false
	}
	sum, err := io.ReadAll(io.LimitReader(f, sha1.Size+1))
	return err == nil && bytes.Equal(sum, h.Sum(nil))
}

// recovered turns a panic of the library over damaged data into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: it cannot be decoded", errDamaged)
	}
}
