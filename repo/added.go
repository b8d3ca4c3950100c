package repo

import (
	"bufio"
	"context"
	"fmt"
	"slices"
)

// Addition is content that a commit puts at a path.
//
// Data is the content, nil for a symbolic link, a submodule and a file larger
// than MaxFileSize; Size is its length, -1 where it is no file. Before is what the
// parents of the commit have at the path, as far as that are such files too: it
// is empty where the path is new, and holds more than one for a merge. What is
// in Data and in none of Before, the commit has added.
type Addition struct {
	Commit string
	Path   string
	Mode   Mode
	Size   int64
	Data   []byte
	Before [][]byte
}

// Added calls fn with all content that the commits of from..to add or change,
// also what a later one of them removes, parents before children: each content
// of a path once, with the first commit that has it. A merge adds what none of
// its parents has. Renames are not looked for. An error of fn ends it and is
// returned; other errors are as with [Snapshot.Commits], and a blob that the
// clone lacks is one.
//
// No more than one addition is in memory at a time, beside the list of names.
func (s *Snapshot) Added(ctx context.Context, from, to string, fn func(Addition) error) error {
	g, err := s.history(ctx)
	if err != nil {
		return err
	}
	a := additions{git: g, sizes: map[string]int64{}}
	if err := a.list(from, to); err != nil {
		return fmt.Errorf("repository %s: %w", s.root, err)
	}
	if err := a.measure(); err != nil {
		return fmt.Errorf("repository %s: %w", s.root, err)
	}
	return a.read(fn)
}

// additions collects what a range of commits adds.
type additions struct {
	git   *git
	all   []addition
	sizes map[string]int64 // of each blob of a file
}

// addition is an Addition whose content is still to be read.
type addition struct {
	Addition
	object string
	before []string
}

// list finds the names.
func (a *additions) list(from, to string) error {
	commits, err := a.git.commits(from, to)
	if err != nil {
		return err
	}
	type content struct {
		path, object string
		kind         Mode
	}
	seen := map[content]bool{}
	return a.git.diffTree(commits, nil, func(c rawChange) error {
		if c.deleted() {
			return nil
		}
		mode, ok := parseMode(c.mode)
		if !ok {
			return fmt.Errorf("commit %s: path %q has the unknown mode %s", c.commit, c.path, c.mode)
		}
		key, before := content{c.path, c.object, kindOf(mode)}, c.files()
		if seen[key] || mode <= Executable && slices.Contains(before, c.object) {
			return nil
		}
		seen[key] = true
		a.all = append(a.all, addition{
			Addition: Addition{Commit: c.commit, Path: c.path, Mode: mode, Size: -1},
			object:   c.object, before: before,
		})
		return nil
	})
}

// measure sets the sizes of files, so that none which is too large is read.
func (a *additions) measure() error {
	var objects []string
	want := func(object string) {
		if _, known := a.sizes[object]; !known {
			a.sizes[object] = -1
			objects = append(objects, object)
		}
	}
	for _, add := range a.all {
		if add.Mode <= Executable {
			want(add.object)
			for _, object := range add.before {
				want(object)
			}
		}
	}
	sizes, err := a.git.blobSizes(objects)
	if err != nil {
		return err
	}
	for i, object := range objects {
		a.sizes[object] = sizes[i]
	}
	for i, add := range a.all {
		if add.Mode > Executable {
			continue
		}
		a.all[i].Size = a.sizes[add.object]
		if a.all[i].Size < 0 {
			return fmt.Errorf("commit %s: path %q: its blob %s is missing or damaged", add.Commit, add.Path, add.object)
		}
	}
	return nil
}

// read calls fn with each addition and its contents.
func (a *additions) read(fn func(Addition) error) error {
	var objects []string
	for _, add := range a.all {
		objects = append(objects, a.readable(add)...)
	}
	each := func(r *bufio.Reader) error {
		for _, add := range a.all {
			if err := a.fill(&add, r); err != nil {
				return err
			}
			if err := fn(add.Addition); err != nil {
				return err
			}
		}
		return nil
	}
	if len(objects) == 0 {
		return each(nil)
	}
	return a.git.stream(lines(objects), each, "cat-file", "--batch", "--buffer")
}

// readable returns the blobs that an addition needs, its own first.
func (a *additions) readable(add addition) []string {
	if add.Mode > Executable || add.Size > MaxFileSize {
		return nil
	}
	objects := []string{add.object}
	for _, object := range add.before {
		if size := a.sizes[object]; size >= 0 && size <= MaxFileSize {
			objects = append(objects, object)
		}
	}
	return objects
}

// fill reads what readable asked for.
func (a *additions) fill(add *addition, r *bufio.Reader) error {
	for i, object := range a.readable(*add) {
		content, err := readObject(r, "blob")
		switch {
		case err != nil:
			return err
		case content == nil:
			return fmt.Errorf("commit %s: path %q: its blob %s is missing or damaged", add.Commit, add.Path, object)
		case i == 0:
			add.Data = content
		default:
			add.Before = append(add.Before, content)
		}
	}
	return nil
}
