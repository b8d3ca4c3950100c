package secrets

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/repo"
)

// memTree is a tree in memory.
type memTree map[string]string

func (m memTree) Files() []repo.Entry {
	var out []repo.Entry
	for path, data := range m {
		out = append(out, repo.Entry{Path: path, Size: int64(len(data))})
	}
	slices.SortFunc(out, func(a, b repo.Entry) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func (m memTree) Lookup(path string) (repo.Entry, bool) {
	data, ok := m[path]
	return repo.Entry{Path: path, Size: int64(len(data))}, ok
}

func (m memTree) IsDir(path string) bool {
	for name := range m {
		if path == "." || strings.HasPrefix(name, path+"/") {
			return true
		}
	}
	return false
}

func (m memTree) ReadFile(path string) ([]byte, error) {
	data, ok := m[path]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(data), nil
}
