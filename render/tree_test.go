package render

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// memory is a repository in memory: contents by path. A content that begins
// with "-> " is a symbolic link, "submodule" is one.
type memory map[string]string

func (m memory) Files() []repo.Entry {
	var out []repo.Entry
	for name := range m {
		entry, _ := m.Lookup(name)
		out = append(out, entry)
	}
	slices.SortFunc(out, func(a, b repo.Entry) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func (m memory) Lookup(name string) (repo.Entry, bool) {
	text, ok := m[name]
	entry := repo.Entry{Path: name, Size: int64(len(text))}
	switch {
	case strings.HasPrefix(text, "-> "):
		entry.Mode = repo.Symlink
	case text == "submodule":
		entry.Mode, entry.Size = repo.Submodule, -1
	}
	return entry, ok
}

func (m memory) IsDir(name string) bool {
	for file := range m {
		if name == "." || strings.HasPrefix(file, name+"/") {
			return true
		}
	}
	return false
}

func (m memory) ReadFile(name string) ([]byte, error) {
	entry, ok := m.Lookup(name)
	switch {
	case !ok:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case entry.Mode == repo.Symlink || entry.Mode == repo.Submodule:
		return nil, &repo.RefusedError{Path: name, Rule: "path-escape", Reason: "is not a regular file"}
	case entry.Size > repo.MaxFileSize:
		return nil, &repo.RefusedError{Path: name, Rule: "yaml-unsafe", Reason: "is larger than 16 MiB"}
	}
	return []byte(m[name]), nil
}

// discovered runs Discover over a repository.
func discovered(t testing.TB, tree repo.Tree, opts DiscoverOptions) *Discovery {
	t.Helper()
	d, err := Discover(t.Context(), tree, opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// built builds one kustomization.
func built(t testing.TB, tree repo.Tree, dir string) *Rendered {
	t.Helper()
	r, err := NewBuilder(tree, Options{}).Build(t.Context(), Target{Path: dir, Kind: Kustomize})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everything is what discovering and building a whole repository finds.
func everything(t testing.TB, tree repo.Tree) []finding.Finding {
	t.Helper()
	d := discovered(t, tree, DiscoverOptions{})
	out := d.Findings
	b := NewBuilder(tree, Options{})
	for _, target := range d.Targets {
		r, err := b.Build(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Findings...)
	}
	return finding.Merge(out)
}

// lines writes findings as "rule place message".
func lines(findings []finding.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Rule+" "+f.Location.String()+" "+f.Message)
	}
	return out
}
