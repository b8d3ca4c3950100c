package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

func openWorktree(g *git) (*Snapshot, error) {
	head, err := g.head()
	if err != nil {
		return nil, err
	}
	out, err := g.run("ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	listed, err := parseFiles(out)
	if err != nil {
		return nil, err
	}
	items := scanAll(g.root, listed)
	// A partial clone may lack files outside its sparse checkout: they are
	// refused when they are read, if they ever are.
	if err := g.sizes(items); err != nil && !errors.Is(err, errPartial) {
		return nil, err
	}
	return newSnapshot(Snapshot{root: g.root, kind: kindWorktree, revision: head, git: g, blobs: newBlobs(g, items)}, items)
}

// listed is one record of ls-files. Sparse says that the file is not checked
// out (skip-worktree), so that the index speaks for it.
type listed struct {
	item
	sparse bool
}

// parseFiles reads "<tag> <mode> <object> <stage>\t<path>" records for tracked
// files and "? <path>" for others. An unmerged path, which has up to three
// stages, is given once.
func parseFiles(out []byte) ([]listed, error) {
	var all []listed
	for record := range records(out) {
		tag, rest, ok := strings.Cut(record, " ")
		if ok && tag == "?" {
			all = append(all, untracked(rest))
			continue
		}
		meta, name, ok := strings.Cut(rest, "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 3 {
			return nil, fmt.Errorf("git ls-files: unexpected record %q", record)
		}
		if n := len(all); n > 0 && all[n-1].Path == name {
			continue
		}
		it, err := newItem(name, fields[0], fields[1])
		if err != nil {
			return nil, err
		}
		all = append(all, listed{item: it, sparse: tag == "S"})
	}
	return all, nil
}

// untracked returns the entry of an untracked file. A directory among them is a
// repository of its own, and would become a submodule if it were added.
func untracked(name string) listed {
	if dir, ok := strings.CutSuffix(name, "/"); ok {
		return listed{item: item{Entry: Entry{Path: dir, Mode: Submodule, Size: -1}}}
	}
	return listed{item: item{Entry: Entry{Path: name}}}
}

// scan looks up listed files on disk.
type scan struct {
	root  string
	dirs  map[string]bool // whether a directory is one, on disk
	items []item
	seen  map[string]bool
}

func scanAll(root string, files []listed) []item {
	s := scan{root: root, dirs: map[string]bool{".": true}, seen: map[string]bool{}}
	for _, f := range files {
		s.add(f)
	}
	return s.items
}

// add appends the file unless it is deleted. As in Git, a tracked file behind a
// directory that became a symbolic link is deleted; the link itself is listed.
func (s *scan) add(f listed) {
	if !s.isDir(path.Dir(f.Path)) {
		if f.sparse {
			s.put(f.item)
		}
		return
	}
	info, err := os.Lstat(filepath.Join(s.root, filepath.FromSlash(f.Path)))
	switch {
	case isAbsent(err) && f.sparse:
		s.put(f.item)
	case isAbsent(err):
	case err != nil:
		s.put(item{Entry: Entry{Path: f.Path, Mode: f.Mode}}) // reading it says why it cannot be
	case info.IsDir() && f.Mode == Submodule:
		s.put(f.item)
	case info.IsDir():
	default:
		s.put(onDisk(f.Path, info))
	}
}

func (s *scan) put(it item) {
	if !s.seen[it.Path] {
		s.seen[it.Path] = true
		s.items = append(s.items, it)
	}
}

// isDir reports whether a directory and all above it are directories rather
// than symbolic links. A link is listed on the way, even an ignored one, so
// that reading what was behind it is refused rather than missed.
func (s *scan) isDir(dir string) bool {
	if known, ok := s.dirs[dir]; ok {
		return known
	}
	is := false
	if s.isDir(path.Dir(dir)) {
		info, err := os.Lstat(filepath.Join(s.root, filepath.FromSlash(dir)))
		switch {
		case isAbsent(err):
		case err != nil:
			is = true // its files are listed, and reading them says why they cannot be
		case info.Mode()&fs.ModeSymlink != 0:
			s.put(onDisk(dir, info))
		default:
			is = info.IsDir()
		}
	}
	s.dirs[dir] = is
	return is
}

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// onDisk returns the entry of what lies at a path.
func onDisk(name string, info fs.FileInfo) item {
	it := item{Entry: Entry{Path: name, Size: info.Size()}, stat: statOf(info)}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		it.Mode = Symlink
	case info.Mode().IsRegular() && info.Mode()&0o100 != 0:
		it.Mode = Executable
	}
	return it
}

// listDirectory lists a directory outside Git. What cannot be listed is an
// error: a gate must not pass over files that it did not see.
func listDirectory(root string) ([]item, error) {
	var items []item
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".git" && name != root && d.IsDir():
			return filepath.SkipDir
		case d.Name() == ".git" && name != root, d.IsDir():
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		items = append(items, onDisk(filepath.ToSlash(rel), info))
		return nil
	})
	return items, err
}
