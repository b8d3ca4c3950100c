package repo

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
)

// rawChange is one path that a commit changed. A merge changed only what is in
// none of its parents: the rest was added by commits before it.
type rawChange struct {
	commit, path string
	mode, object string   // all zeros where it was deleted
	modes        []string // of the path in each parent; one at least
	objects      []string
}

func (c rawChange) deleted() bool { return strings.Trim(c.mode, "0") == "" }

// files returns the blobs of files that the parents have at the path, each once.
func (c rawChange) files() []string {
	var objects []string
	for i, mode := range c.modes {
		if m, ok := parseMode(mode); ok && m <= Executable && !slices.Contains(objects, c.objects[i]) {
			objects = append(objects, c.objects[i])
		}
	}
	return objects
}

// diffTree calls fn with every change of the commits, in their order and then
// sorted by path. Arguments after the options limit the paths.
func (g *git) diffTree(commits []Commit, limit []string, fn func(rawChange) error) error {
	if len(commits) == 0 {
		return nil
	}
	ids := make([]string, len(commits))
	for i, c := range commits {
		ids[i] = c.ID
	}
	args := []string{"diff-tree", "--stdin", "-r", "-c", "-z", "--root", "--no-renames", "--no-abbrev", "--ignore-submodules=none"}
	return g.stream(lines(ids), func(r *bufio.Reader) error { return readChanges(r, fn) }, append(args, limit...)...)
}

// readChanges reads NUL-terminated records: the id of a commit, and for each of
// its changes ":<mode> <mode> <object> <object> <status>" and the path. A merge
// has as many colons, modes and objects before the result's as it has parents.
func readChanges(r *bufio.Reader, fn func(rawChange) error) error {
	commit := ""
	for {
		record, err := r.ReadString(0)
		if err != nil {
			return nil // a command that failed says so itself
		}
		record = record[:len(record)-1]
		if !strings.HasPrefix(record, ":") {
			commit = record
			continue
		}
		c, err := parseChange(record)
		if err != nil {
			return err
		}
		name, err := r.ReadString(0)
		if err != nil {
			return errCut
		}
		c.commit, c.path = commit, name[:len(name)-1]
		if err := fn(c); err != nil {
			return err
		}
	}
}

func parseChange(record string) (rawChange, error) {
	rest := strings.TrimLeft(record, ":")
	parents := len(record) - len(rest)
	fields := strings.Fields(rest)
	if len(fields) != 2*parents+3 {
		return rawChange{}, fmt.Errorf("git diff-tree: unexpected record %q", record)
	}
	return rawChange{
		modes: fields[:parents], mode: fields[parents],
		objects: fields[parents+1 : 2*parents+1], object: fields[2*parents+1],
	}, nil
}
