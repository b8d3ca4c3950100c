package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// The kinds of snapshots, as the report names them.
const (
	kindWorktree = "worktree"
	kindIndex    = "index"
	kindCommit   = "commit"
)

// Open returns the snapshot that sel names of the repository that path, a
// directory, lies in. Where no repository does, the snapshot is the directory
// itself, everything but .git in it.
//
// A work tree is the tracked files and the untracked ones that are not ignored,
// as they are on disk; files outside a sparse checkout are as in the index. A
// revision that cannot be resolved gives an error that wraps [ErrRevision] and
// names it; in a shallow clone it says how to deepen the clone. Outside Git that is
// [ErrNoGit]. The snapshot holds no lock: a work tree that changes while it is read
// gives what was read. ctx bounds the reading of blobs as well.
func Open(ctx context.Context, path string, sel Selector) (*Snapshot, error) {
	if sel.Staged && sel.Rev != "" {
		return nil, errors.New("the index and a revision exclude each other")
	}
	dir, below, err := resolve(path, sel)
	if err != nil {
		return nil, err
	}
	root, bare := locate(dir)
	if root == "" {
		return openPlain(path, dir, below, sel)
	}
	git, err := newGit(ctx, root, bare, sel.Env)
	if err != nil {
		return nil, err
	}
	s, err := openGit(git, bare, sel)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", root, err)
	}
	if err := s.enter(path, filepath.Join(dir, below)); err != nil {
		return nil, err
	}
	return s, nil
}

func openGit(git *git, bare bool, sel Selector) (*Snapshot, error) {
	if bare && sel.Rev == "" {
		return nil, errors.New("it is bare, without a work tree or an index: name a commit with --rev")
	}
	switch {
	case sel.Rev != "":
		return openCommit(git, sel.Rev)
	case sel.Staged:
		return openIndex(git)
	}
	return openWorktree(git)
}

// enter sets the scope, which abs is in. A work tree may have a directory
// without any file; the index and a commit cannot.
func (s *Snapshot) enter(path, abs string) error {
	rel, err := filepath.Rel(s.root, abs)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	rel = filepath.ToSlash(rel)
	if rel == "." {
		return nil
	}
	if rel == ".git" || strings.HasPrefix(rel, ".git/") {
		return fmt.Errorf("open %s: it is inside the .git directory of %s", path, s.root)
	}
	if s.kind != kindWorktree && !s.IsDir(rel) {
		cause := fs.ErrNotExist
		if _, ok := s.Lookup(rel); ok {
			cause = syscall.ENOTDIR
		}
		return fmt.Errorf("open %s: directory %s of the %s: %w", path, rel, s.kind, cause)
	}
	s.scope = rel
	return nil
}

func openPlain(path, dir, below string, sel Selector) (*Snapshot, error) {
	switch {
	case below != "":
		return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
	case sel.Rev != "":
		return nil, fmt.Errorf("%s is %w, so that it has no revision %q", dir, ErrNoGit, sel.Rev)
	case sel.Staged:
		return nil, fmt.Errorf("%s is %w, so that it has no index", dir, ErrNoGit)
	}
	items, err := listDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return newSnapshot(Snapshot{root: dir, kind: kindWorktree}, items)
}

// resolve returns the directory that path names, free of symbolic links. The
// index or a commit may hold a directory that is not on disk: then it is the
// nearest one that is, and below is the rest of the path.
func resolve(path string, sel Selector) (dir, below string, err error) {
	dir, err = filepath.Abs(path)
	if err != nil {
		return "", "", fmt.Errorf("open %s: %w", path, err)
	}
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() {
			break
		}
		if err == nil {
			err = syscall.ENOTDIR
		}
		absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
		if !absent || !sel.Staged && sel.Rev == "" || dir == filepath.Dir(dir) {
			return "", "", fmt.Errorf("open %s: %w", path, cause(err))
		}
		dir, below = filepath.Dir(dir), filepath.Join(filepath.Base(dir), below)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", "", fmt.Errorf("open %s: %w", path, cause(err))
	}
	return dir, below, nil
}

// locate walks up from dir to the root of the repository; root is empty outside
// of one. A bare repository counts only where no work tree encloses it, so that
// one which was committed as plain files (CVE-2022-24765's sibling, see
// safe.bareRepository) is never taken for the repository.
func locate(dir string) (root string, bare bool) {
	for d := dir; ; d = filepath.Dir(d) {
		if isGitDir(filepath.Join(d, ".git")) {
			return d, false
		}
		if root == "" && isBare(d) {
			root = d
		}
		if d == filepath.Dir(d) {
			return root, root != ""
		}
	}
}

// isGitDir reports whether .git is a repository, or the file that stands for
// one in a linked work tree or a submodule. As in Git an empty directory of
// that name is none.
func isGitDir(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	return info.Mode().IsRegular() || info.IsDir() && exists(filepath.Join(path, "HEAD"))
}

func isBare(dir string) bool {
	return exists(filepath.Join(dir, "HEAD")) && exists(filepath.Join(dir, "objects")) && exists(filepath.Join(dir, "refs"))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// cause strips the operation and the path from err, since the caller names the
// path in its own words.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
