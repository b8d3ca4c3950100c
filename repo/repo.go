// Package repo reads a Git repository as files, without checking anything out.
//
// A [Snapshot] is the work tree, the index or one commit. All three give raw
// blobs: no filters, no replace refs, and no symbolic link is followed. Nothing
// here writes. A directory outside Git is a snapshot too.
//
// From a snapshot its history can be reached: the merge base that a change is
// compared with, what differs from it, and what each commit on the way added.
package repo

import (
	"errors"
	"fmt"
)

// MaxFileSize is the largest file that is read. Kubernetes refuses objects over
// 1.5 MiB (etcd's request limit); 16 MiB leaves room for bundles of CRDs while a
// planted giant cannot exhaust memory.
const MaxFileSize = 16 << 20

// ErrRevision is wrapped by errors about a revision that cannot be resolved.
var ErrRevision = errors.New("unknown revision")

// ErrShallow is wrapped beside [ErrRevision] where a shallow clone lacks what is
// asked for; the error says how to get it.
var ErrShallow = errors.New("this clone is shallow")

// ErrNoGit is wrapped where a directory outside any repository is asked for its
// index, a revision or its history.
var ErrNoGit = errors.New("not a Git repository")

// ErrUnborn is wrapped beside [ErrRevision] where there is no commit at all.
var ErrUnborn = errors.New("HEAD has no commit yet")

// Mode is the kind of an entry.
type Mode uint8

// The modes that Git knows.
const (
	File Mode = iota
	Executable
	Symlink
	Submodule
)

// Entry is one file of a tree. Path is relative to the repository root, with
// forward slashes; it holds the bytes that Git holds, which need not be UTF-8.
// Size is in bytes, -1 for a submodule and for a blob that a partial clone
// lacks.
type Entry struct {
	Path string
	Mode Mode
	Size int64
}

// Tree is a read-only file tree. Snapshot is one; package secrets seals one
// into another; package render records what is read from one. All methods are
// safe for concurrent use.
type Tree interface {
	// Files lists every entry, sorted by path. The caller must not change it.
	Files() []Entry
	// Lookup returns the entry at a clean path.
	Lookup(path string) (Entry, bool)
	// IsDir reports whether any entry lies below path ("." is the root).
	IsDir(path string) bool
	// ReadFile returns a file's bytes, which the caller must not change. The
	// error wraps fs.ErrNotExist, is a *RefusedError, or is the context's.
	ReadFile(path string) ([]byte, error)
}

// RefusedError says why a file that exists is not read: it is a symbolic link
// or lies behind one, is in a submodule, is too large, cannot be opened, or its
// YAML is unsafe. Rule is the rule that a finding about it belongs to
// (path-escape, yaml-unsafe, render-error).
type RefusedError struct {
	Path   string
	Rule   string
	Reason string
	Line   int // 1 or more where known
	Column int
}

func (e *RefusedError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Reason)
	}
	return fmt.Sprintf("%s: %s", e.Path, e.Reason)
}

// The rules of a [RefusedError] that this package gives.
const (
	rulePathEscape  = "path-escape"
	ruleYAMLUnsafe  = "yaml-unsafe"
	ruleRenderError = "render-error"
)

// Selector says which state of the repository to read: the work tree (zero
// value), the index, or the commit that Rev names.
//
// Env is the environment in which Git is run, as "key=value"; nil is that of
// the process. Of Git's own variables only those count that a hook is given and
// needs: GIT_INDEX_FILE, which holds what `git commit -a` or `git commit FILE`
// is about to commit, and the object directories of a push in quarantine, where
// GIT_DIR is the repository that is read. GIT_CONFIG_* count only for the
// question whether the user trusts the repository's owner (safe.directory).
type Selector struct {
	Staged bool
	Rev    string
	Env    []string
}
