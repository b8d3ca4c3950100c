package gate

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// ownCache refuses a cache that the repository itself brings: whoever pushes would
// decide what the gate says. What Git ignores is not of the repository.
func (g *gate) ownCache() error {
	root, err := filepath.EvalSymlinks(g.snap.Root())
	if g.opts.Cache == "" || g.snap.Root() == "" || err != nil {
		return nil
	}
	for _, dir := range []string{g.opts.Cache, resolved(g.opts.Cache)} {
		for _, top := range []string{g.snap.Root(), root} {
			if name, inside := below(top, dir); inside && g.brings(name) {
				return &UsageError{Err: fmt.Errorf("the cache directory %s is in the repository: whoever pushes there would decide what the check says; "+
					"have Git ignore it, or take another", name)}
			}
		}
	}
	return nil
}

// brings reports whether the snapshot has an entry at, above or below a path.
func (g *gate) brings(name string) bool {
	if name == "." || g.snap.IsDir(name) {
		return true
	}
	for ; name != "."; name = path.Dir(name) {
		if _, ok := g.snap.Lookup(name); ok {
			return true
		}
	}
	return false
}

// below returns the path of a directory in top, with forward slashes: "." for top.
func below(top, dir string) (name string, inside bool) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	name, err = filepath.Rel(top, abs)
	name = filepath.ToSlash(name)
	return name, err == nil && name != ".." && !strings.HasPrefix(name, "../")
}

// resolved follows the symbolic links of a path, of which the end may not be there.
func resolved(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for rest := ""; ; abs, rest = filepath.Dir(abs), filepath.Join(filepath.Base(abs), rest) {
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			return filepath.Join(real, rest)
		}
		if filepath.Dir(abs) == abs {
			return dir
		}
	}
}
