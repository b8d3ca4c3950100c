package repo

import (
	"bytes"
	"fmt"
	"strings"
)

// maxNamed is how many paths an error names before it only counts the rest.
const maxNamed = 5

func openCommit(g *git, rev string) (*Snapshot, error) {
	sha, err := g.commit(rev)
	if err != nil {
		return nil, err
	}
	return listCommit(g, sha)
}

func listCommit(g *git, sha string) (*Snapshot, error) {
	out, err := g.run("ls-tree", "-r", "-l", "-z", "--full-tree", sha)
	if err != nil {
		return nil, err
	}
	items, err := parseTree(out)
	if err != nil {
		return nil, err
	}
	return newSnapshot(Snapshot{root: g.root, kind: kindCommit, revision: sha, git: g, blobs: newBlobs(g, items)}, items)
}

// parseTree reads "<mode> <type> <object> <size>\t<path>" records.
func parseTree(out []byte) ([]item, error) {
	var items []item
	for record := range records(out) {
		meta, path, ok := strings.Cut(record, "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 4 {
			return nil, fmt.Errorf("git ls-tree: unexpected record %q", record)
		}
		it, err := newItem(path, fields[0], fields[2])
		if err != nil {
			return nil, err
		}
		it.Size = parseSize(fields[3])
		items = append(items, it)
	}
	return items, nil
}

// openIndex lists the index as its difference from the empty tree. Unlike
// ls-files that leaves out what `git add --intent-to-add` announced, and what
// the next commit therefore does not hold.
func openIndex(g *git) (*Snapshot, error) {
	head, err := g.head()
	if err != nil {
		return nil, err
	}
	empty, err := g.run("hash-object", "-t", "tree", "--stdin")
	if err != nil {
		return nil, err
	}
	out, err := g.run("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev",
		"--ita-invisible-in-index", "--ignore-submodules=none", strings.TrimSpace(string(empty)))
	if err != nil {
		return nil, err
	}
	items, err := parseIndex(out)
	if err != nil {
		return nil, err
	}
	if err := g.sizes(items); err != nil {
		return nil, err
	}
	return newSnapshot(Snapshot{root: g.root, kind: kindIndex, revision: head, git: g, blobs: newBlobs(g, items)}, items)
}

// parseIndex reads pairs of records: ":000000 <mode> <zeros> <object> <status>"
// and the path.
func parseIndex(out []byte) ([]item, error) {
	var items []item
	var unmerged []string
	var fields []string
	for record := range records(out) {
		if fields == nil {
			if fields = strings.Fields(record); len(fields) != 5 {
				return nil, fmt.Errorf("git diff-index: unexpected record %q", record)
			}
			continue
		}
		if fields[4] == "U" {
			unmerged = append(unmerged, record)
		} else {
			it, err := newItem(record, fields[1], fields[3])
			if err != nil {
				return nil, err
			}
			items = append(items, it)
		}
		fields = nil
	}
	if len(unmerged) > 0 {
		return nil, fmt.Errorf("the index has unmerged paths: %s; resolve the conflict and git add them", enumerate(unmerged))
	}
	return items, nil
}

// newItem returns the entry of a Git mode.
func newItem(path, mode, object string) (item, error) {
	m, ok := parseMode(mode)
	if !ok {
		return item{}, fmt.Errorf("path %q has the unknown mode %s", path, mode)
	}
	it := item{Entry: Entry{Path: path, Mode: m}, object: object}
	if m == Submodule {
		it.Size = -1
	}
	return it, nil
}

func parseMode(mode string) (Mode, bool) {
	switch mode {
	case "100644", "100664": // 664 is in the trees of very old commits
		return File, true
	case "100755":
		return Executable, true
	case "120000":
		return Symlink, true
	case "160000":
		return Submodule, true
	}
	return 0, false
}

// records iterates over the parts of NUL-terminated output.
func records(out []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for len(out) > 0 {
			record, rest, _ := bytes.Cut(out, []byte{0})
			if !yield(string(record)) {
				return
			}
			out = rest
		}
	}
}

func enumerate(paths []string) string {
	if len(paths) <= maxNamed {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:maxNamed], ", "), len(paths)-maxNamed)
}
