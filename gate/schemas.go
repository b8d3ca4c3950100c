package gate

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// borrowed are the configured schema locations that lie in a repository whose
// judging revision is not the work tree. kubeconform reads directories only, so
// that revision's files are laid out in one; else a change could weaken the
// schemas that judge it.
func (g *gate) borrowed() []string {
	if g.own != nil || g.trusted.Kind() == "worktree" || g.trusted.Root() == "" {
		return nil
	}
	var dirs []string
	for _, at := range g.config.Schemas {
		if onDisk(at) && !filepath.IsAbs(at) {
			dirs = append(dirs, path.Join(g.config.dir, fixed(filepath.ToSlash(at))))
		}
	}
	return dirs
}

// fixed is the part of a location before what its template fills in.
func fixed(location string) string {
	before, _, isTemplate := strings.Cut(location, "{{")
	if isTemplate {
		return path.Dir(before + "x")
	}
	return location
}

// borrow lays the schemas of the judging revision out in a directory, and returns
// what takes it away again. They are public shapes: nothing in them is sealed.
func (g *gate) borrow() (giveBack func(), err error) {
	dirs := g.borrowed()
	if len(dirs) == 0 {
		return func() {}, nil
	}
	root, err := os.MkdirTemp("", "sallyport-schemas-")
	if err != nil {
		return nil, fmt.Errorf("schemas: %w", err)
	}
	giveBack = func() { _ = os.RemoveAll(root) }
	for _, e := range g.trusted.Files() {
		if !inside(e.Path, dirs) {
			continue
		}
		data, err := g.trusted.ReadFile(e.Path)
		if err != nil {
			giveBack()
			return nil, fmt.Errorf("schemas: %w", err)
		}
		to := filepath.Join(root, filepath.FromSlash(e.Path))
		if err = os.MkdirAll(filepath.Dir(to), 0o700); err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			giveBack()
			return nil, fmt.Errorf("schemas: %w", err)
		}
	}
	g.schemaRoot = root
	return giveBack, nil
}

// inside reports whether a file is one of the paths, or lies below one; "." is
// the root.
func inside(file string, dirs []string) bool {
	for _, dir := range dirs {
		if dir == "." || file == dir || strings.HasPrefix(file, dir+"/") {
			return true
		}
	}
	return false
}

// schemas are the configured schema locations; relative ones lie beside the
// configuration, on disk or as they were borrowed.
func (g *gate) schemas() []string {
	root := g.snap.Root()
	switch {
	case g.config.disk != "":
		root = g.config.disk
	case g.schemaRoot != "":
		root = g.schemaRoot
	}
	out := make([]string, len(g.config.Schemas))
	for i, at := range g.config.Schemas {
		out[i] = at
		if onDisk(at) && !filepath.IsAbs(at) {
			out[i] = filepath.Join(root, filepath.FromSlash(g.config.dir), filepath.FromSlash(at))
		}
	}
	return out
}
