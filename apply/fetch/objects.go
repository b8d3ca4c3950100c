package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/sallyport/sallyport/repo"
)

// objects reads from a repository's store what its hash proves. It is safe for
// concurrent use.
type objects struct {
	mu    sync.Mutex // go-git's store is for one reader at a time
	store *filesystem.Storage
}

func newObjects(store *filesystem.Storage) *objects { return &objects{store: store} }

func (o *objects) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.store == nil {
		return nil
	}
	err := o.store.Close()
	o.store = nil
	return err
}

// errClosed says that a snapshot was read after its source was closed.
var errClosed = errors.New("the source of this snapshot is closed")

// get returns the content of an object. An object that is missing, is of another
// kind or has another hash is damaged.
func (o *objects) get(kind plumbing.ObjectType, hash plumbing.Hash) (data []byte, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer recovered(&err)
	if o.store == nil {
		return nil, errClosed
	}
	size, err := o.store.EncodedObjectSize(hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", errDamaged, kind, hash, err)
	}
	if size > maxObject {
		return nil, objectTooLarge()
	}
	encoded, err := o.store.EncodedObject(kind, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", errDamaged, kind, hash, err)
	}
	r, err := encoded.Reader()
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", errDamaged, kind, hash, err)
	}
	defer r.Close()
	data, err = io.ReadAll(io.LimitReader(r, maxObject+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", errDamaged, kind, hash, err)
	}
	if plumbing.ComputeHash(kind, data) != hash {
		return nil, fmt.Errorf("%w: %s %s has another content than its name says", errDamaged, kind, hash)
	}
	return data, nil
}

// size returns how large an object is, without reading all of it.
func (o *objects) size(hash plumbing.Hash) (size int64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer recovered(&err)
	if size, err = o.store.EncodedObjectSize(hash); err != nil {
		return 0, fmt.Errorf("%w: object %s: %w", errDamaged, hash, err)
	}
	return size, nil
}

// blob is what a snapshot reads.
func (o *objects) blob(id string) ([]byte, error) {
	return o.get(plumbing.BlobObject, plumbing.NewHash(id))
}

// The limits of a commit's files. The largest public repository of manifests has
// 20,000 files; a tree that holds itself ten times, ten levels deep, has ten
// billion, from a pack of a kilobyte.
const (
	maxFiles = 200_000
	maxPath  = 4096 // bytes: PATH_MAX of Linux
)

// list returns the files of a tree.
func (o *objects) list(ctx context.Context, tree plumbing.Hash) ([]repo.Object, error) {
	l := lister{objects: o, sizes: map[plumbing.Hash]int64{}}
	err := l.add(ctx, "", tree)
	return l.files, err
}

type lister struct {
	objects *objects
	files   []repo.Object
	sizes   map[plumbing.Hash]int64
	trees   int
}

func (l *lister) add(ctx context.Context, prefix string, tree plumbing.Hash) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.trees++; l.trees > maxFiles || len(prefix) > maxPath {
		return fmt.Errorf("%w: more than %d directories, or a path of more than %d bytes", ErrTooLarge, maxFiles, maxPath)
	}
	data, err := l.objects.get(plumbing.TreeObject, tree)
	if err != nil {
		return err
	}
	return eachEntry(data, func(mode, name string, hash plumbing.Hash) error {
		path := prefix + name
		if isForbidden(name) {
			return fmt.Errorf("it holds the path %q, which no Git would check out", path)
		}
		if mode == "40000" {
			return l.add(ctx, path+"/", hash)
		}
		m, ok := repo.ParseMode(mode)
		if !ok {
			return fmt.Errorf("path %q has the unknown mode %s", path, mode)
		}
		if len(l.files) >= maxFiles {
			return fmt.Errorf("%w: more than %d files", ErrTooLarge, maxFiles)
		}
		size, err := l.size(m, hash)
		l.files = append(l.files, repo.Object{Entry: repo.Entry{Path: path, Mode: m, Size: size}, ID: hash.String()})
		return err
	})
}

// size is -1 for a submodule, whose commit is in another repository.
func (l *lister) size(mode repo.Mode, hash plumbing.Hash) (int64, error) {
	if mode == repo.Submodule {
		return -1, nil
	}
	if size, known := l.sizes[hash]; known {
		return size, nil
	}
	size, err := l.objects.size(hash)
	l.sizes[hash] = size
	return size, err
}

// isForbidden reports names that Git refuses in a tree (verify_path): they mean
// another directory, or the repository itself.
func isForbidden(name string) bool {
	return name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.Contains(name, "/")
}

// eachEntry takes a tree apart: "<mode> <name>\x00<hash>", again and again.
func eachEntry(tree []byte, fn func(mode, name string, hash plumbing.Hash) error) error {
	for rest := string(tree); rest != ""; {
		mode, after, ok := strings.Cut(rest, " ")
		name, after, terminated := strings.Cut(after, "\x00")
		var hash plumbing.Hash
		if !ok || !terminated || len(after) < len(hash) {
			return fmt.Errorf("%w: a tree cannot be parsed", errDamaged)
		}
		copy(hash[:], after)
		rest = after[len(hash):]
		if err := fn(mode, name, hash); err != nil {
			return err
		}
	}
	return nil
}

// openDirectory opens a repository on disk, bare or with a work tree, and lists
// its references.
func openDirectory(dir string) (*filesystem.Storage, references, error) {
	if info, err := os.Stat(filepath.Join(dir, ".git")); err == nil && info.IsDir() {
		dir = filepath.Join(dir, ".git")
	}
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, references{}, errors.New("there is no Git repository")
			}
			return nil, references{}, cause(err)
		}
	}
	store := openStorage(dir)
	refs, err := localReferences(store)
	if err != nil {
		return nil, references{}, errors.Join(err, store.Close())
	}
	return store, refs, nil
}

func localReferences(store *filesystem.Storage) (references, error) {
	refs := references{hashes: map[string]plumbing.Hash{}}
	if head, err := store.Reference(plumbing.HEAD); err == nil {
		refs.head, refs.tip = head.Target().String(), head.Hash()
	}
	iter, err := store.IterReferences()
	if err != nil {
		return references{}, fmt.Errorf("its references cannot be read: %w", err)
	}
	err = iter.ForEach(func(r *plumbing.Reference) error {
		target, err := storer.ResolveReference(store, r.Name())
		if err == nil {
			refs.hashes[r.Name().String()] = target.Hash()
		}
		return nil // a dangling one is as good as none
	})
	return refs, err
}
