package validate

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

// memory is a repository in memory: file contents by path.
type memory map[string]string

func (m memory) Files() []repo.Entry {
	var out []repo.Entry
	for _, path := range slices.Sorted(maps.Keys(m)) {
		out = append(out, repo.Entry{Path: path, Mode: repo.File, Size: int64(len(m[path]))})
	}
	return out
}

func (m memory) Lookup(path string) (repo.Entry, bool) {
	text, ok := m[path]
	return repo.Entry{Path: path, Mode: repo.File, Size: int64(len(text))}, ok
}

func (m memory) IsDir(path string) bool {
	for name := range m {
		if path == "." || strings.HasPrefix(name, path+"/") {
			return true
		}
	}
	return false
}

func (m memory) ReadFile(path string) ([]byte, error) {
	text, ok := m[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

// load reads a directory into memory.
func load(t testing.TB, dir string) memory {
	t.Helper()
	m := memory{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		m[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// frozen is a memory whose list of files is made once; for large trees.
type frozen struct {
	memory
	files []repo.Entry
	dirs  map[string]bool
}

func freeze(m memory) frozen {
	f := frozen{m, m.Files(), map[string]bool{".": true}}
	for name := range m {
		for i, r := range name {
			if r == '/' {
				f.dirs[name[:i]] = true
			}
		}
	}
	return f
}

func (f frozen) Files() []repo.Entry    { return f.files }
func (f frozen) IsDir(path string) bool { return f.dirs[path] }
