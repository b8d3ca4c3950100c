package render

import (
	"maps"
	"path"
	"slices"

	"github.com/sallyport/sallyport/repo"
)

// recorder is the tree as one build sees it: it remembers every file that was
// read, every directory that was found, and every path that was looked for in
// vain. It belongs to one goroutine.
type recorder struct {
	tree    repo.Tree
	files   map[string]bool
	dirs    map[string]bool
	missing map[string]bool
}

func record(tree repo.Tree) *recorder {
	return &recorder{tree: tree, files: map[string]bool{}, dirs: map[string]bool{}, missing: map[string]bool{}}
}

// kind is what lies at a path.
type entryKind uint8

const (
	nothing entryKind = iota
	aFile
	aDirectory
	aLink // a symbolic link, a submodule, or something behind one
)

// at tells what lies at a clean path relative to the root.
func (r *recorder) at(name string) entryKind {
	if entry, ok := r.tree.Lookup(name); ok {
		r.files[name] = true
		if entry.Mode == repo.Symlink || entry.Mode == repo.Submodule {
			return aLink
		}
		return aFile
	}
	if r.tree.IsDir(name) {
		r.dirs[name] = true
		return aDirectory
	}
	r.missing[name] = true
	if _, ok := behindLink(r.tree, name); ok {
		return aLink
	}
	return nothing
}

// ReadFile reads a file and remembers that it did.
func (r *recorder) ReadFile(name string) ([]byte, error) {
	if _, ok := r.tree.Lookup(name); ok {
		r.files[name] = true
	} else {
		r.missing[name] = true
	}
	return r.tree.ReadFile(name)
}

// add takes over what another build asked.
func (r *recorder) add(asked Reads) {
	for _, list := range []struct {
		names []string
		into  map[string]bool
	}{{asked.Files, r.files}, {asked.Dirs, r.dirs}, {asked.Missing, r.missing}} {
		for _, name := range list.names {
			list.into[name] = true
		}
	}
}

func (r *recorder) reads() Reads {
	return Reads{Files: slices.Sorted(maps.Keys(r.files)), Dirs: slices.Sorted(maps.Keys(r.dirs)), Missing: slices.Sorted(maps.Keys(r.missing))}
}

// behindLink finds the symbolic link or submodule at a path or above it.
func behindLink(tree repo.Tree, name string) (repo.Entry, bool) {
	for ; name != "." && name != "/" && name != ""; name = path.Dir(name) {
		if entry, ok := tree.Lookup(name); ok && (entry.Mode == repo.Symlink || entry.Mode == repo.Submodule) {
			return entry, true
		}
	}
	return repo.Entry{}, false
}
