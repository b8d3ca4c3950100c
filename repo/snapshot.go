package repo

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// Snapshot is one state of a repository, as files. It is safe for concurrent
// use; what was read once is kept, so that all readers see the same bytes.
type Snapshot struct {
	root, scope, kind, revision string

	entries []Entry
	objects []string            // by entry: the blob's id or the submodule's commit, empty where the file is read from disk
	stats   []seen              // by entry: zero where it is not read from disk
	content []content           // by entry
	at      map[string]int      // path to entry
	dirs    map[string]struct{} // every directory that holds an entry, with "."

	disk  *disk           // nil for the index and a commit
	git   *git            // nil outside Git
	blobs *blobs          // nil outside Git
	load  objectReader    // of a snapshot made by FromObjects, which has no git; else nil
	clean func() []string // proveClean, once
}

// objectReader gives the content of a blob.
type objectReader func(id string) ([]byte, error)

// content is what is known of one entry. What was learnt first stays true: the
// bytes belong to the id, whichever of them was asked for first.
type content struct {
	mu   sync.Mutex
	read bool
	data []byte
	err  error

	identified bool
	id         string // empty where it cannot be known
}

// item is a listed entry and the object that it is read from, or what was seen
// of it on disk.
type item struct {
	Entry
	object string
	stat   seen
}

// Root returns the absolute path of the repository root. It is empty for a
// snapshot made by [FromObjects].
func (s *Snapshot) Root() string { return s.root }

// Scope returns the path of Open's argument relative to the root, with forward
// slashes; it is empty at the root.
func (s *Snapshot) Scope() string { return s.scope }

// Kind returns worktree, index or commit. A directory outside Git is a
// worktree.
func (s *Snapshot) Kind() string { return s.kind }

// Revision returns the SHA of the commit, or of HEAD for a work tree and the
// index. It is empty outside Git and before the first commit.
func (s *Snapshot) Revision() string { return s.revision }

// Files lists every entry, sorted by path.
func (s *Snapshot) Files() []Entry { return s.entries }

// Lookup returns the entry at a clean path, which is compared byte by byte.
func (s *Snapshot) Lookup(name string) (Entry, bool) {
	i, ok := s.at[name]
	if !ok {
		return Entry{}, false
	}
	return s.entries[i], true
}

// IsDir reports whether any entry lies below a clean path.
func (s *Snapshot) IsDir(name string) bool {
	_, ok := s.dirs[name]
	return ok
}

// ReadFile returns the file at a clean path.
func (s *Snapshot) ReadFile(name string) ([]byte, error) {
	i, ok := s.at[name]
	if !ok {
		return nil, s.absent(name)
	}
	c := &s.content[i]
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read {
		return c.data, c.err
	}
	c.read = true
	c.data, c.err = s.read(i)
	if c.err == nil && c.id != "" && c.id != s.hash(c.data) {
		c.data, c.err = nil, refuse(name, ruleRenderError, "changed while the repository was read")
	}
	return c.data, c.err
}

func (s *Snapshot) read(i int) ([]byte, error) {
	e := s.entries[i]
	switch {
	case e.Mode == Symlink:
		return nil, refuse(e.Path, rulePathEscape, "is a symbolic link, which is not followed")
	case e.Mode == Submodule:
		return nil, refuse(e.Path, rulePathEscape, "is a submodule, which is another repository")
	case e.Size > MaxFileSize:
		return nil, tooLarge(e.Path)
	case s.load != nil:
		return s.load(s.objects[i])
	case s.objects[i] != "":
		return s.blobs.read(e.Path, s.objects[i])
	}
	return s.disk.read(e.Path)
}

// absent says why there is no entry at name.
func (s *Snapshot) absent(name string) error {
	if strings.HasPrefix(name, "/") || name == ".." || strings.HasPrefix(path.Clean(name), "../") {
		return refuse(name, rulePathEscape, "lies outside the repository")
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		e, _ := s.Lookup(dir)
		switch e.Mode {
		case Symlink:
			return refuse(name, rulePathEscape, "lies behind the symbolic link "+dir)
		case Submodule:
			return refuse(name, rulePathEscape, "lies in the submodule "+dir)
		}
	}
	return &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
}

func refuse(name, rule, reason string) *RefusedError {
	return &RefusedError{Path: name, Rule: rule, Reason: reason}
}

func tooLarge(name string) *RefusedError {
	return refuse(name, ruleYAMLUnsafe, fmt.Sprintf("is larger than %d MiB", MaxFileSize>>20))
}

// newSnapshot completes s with what was listed. A tree that no Git would write
// is an error: two readers could see different files in it.
func newSnapshot(s Snapshot, items []item) (*Snapshot, error) {
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.Path, b.Path) })
	s.entries = make([]Entry, len(items))
	s.objects = make([]string, len(items))
	s.stats = make([]seen, len(items))
	s.content = make([]content, len(items))
	s.at = make(map[string]int, len(items))
	s.dirs = map[string]struct{}{".": {}}
	for i, it := range items {
		if !isClean(it.Path) {
			return nil, fmt.Errorf("it holds the path %q, which no Git would check out", it.Path)
		}
		if _, twice := s.at[it.Path]; twice {
			return nil, fmt.Errorf("it holds the path %q twice", it.Path)
		}
		s.entries[i], s.objects[i], s.stats[i], s.at[it.Path] = it.Entry, it.object, it.stat, i
		s.addDirs(it.Path)
	}
	for i := range s.entries {
		if s.IsDir(s.entries[i].Path) {
			return nil, fmt.Errorf("its path %q is a file and a directory", s.entries[i].Path)
		}
	}
	s.clean = sync.OnceValue(s.proveClean)
	if s.kind != kindWorktree {
		return &s, nil
	}
	disk, err := newDisk(s.root)
	if err != nil {
		return nil, err
	}
	s.disk = disk
	return &s, nil
}

func (s *Snapshot) addDirs(name string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, known := s.dirs[dir]; known {
			return
		}
		s.dirs[dir] = struct{}{}
	}
}

// isClean is fs.ValidPath for names that need not be UTF-8.
func isClean(name string) bool {
	return name != "" && name != "." && name != ".." && name[0] != '/' &&
		!strings.HasPrefix(name, "../") && path.Clean(name) == name
}
