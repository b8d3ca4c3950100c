package repo

import (
	"context"
	"fmt"
)

// MaxVersions is how many contents of one path [Snapshot.Versions] gives. A file
// that is changed every week has as many in four years; whoever buries an older
// one below so many commits shows them all to the reviewers.
const MaxVersions = 200

// Version is one content that a path had. Commit is a commit that put it there.
type Version struct {
	Commit string
	Path   string
	Data   []byte
}

// Versions calls fn with the contents that the paths had in the commit of the
// snapshot and in all that are reachable from it, newest first, each content of
// a path once and no more than [MaxVersions] of a path. Symbolic links,
// submodules and files larger than [MaxFileSize] are left out, and renames are not looked for.
// Of a shallow clone only what it holds is given; without a commit, and outside
// Git, that is nothing. An error of fn ends it and is returned.
func (s *Snapshot) Versions(ctx context.Context, paths []string, fn func(Version) error) error {
	if s.git == nil || s.revision == "" || len(paths) == 0 {
		return nil
	}
	g := s.git.with(ctx)
	versions, err := g.versions(s.revision, paths)
	if err != nil {
		return fmt.Errorf("repository %s: versions: %w", s.root, err)
	}
	objects := make([]string, len(versions))
	for i, v := range versions {
		objects[i] = v.object
	}
	var refused error // by fn, whose errors are its own
	err = g.contents(objects, func(i int, content []byte) error {
		v := versions[i]
		if content == nil {
			return fmt.Errorf("commit %s: path %q: its blob %s is missing or damaged", v.Commit, v.Path, v.object)
		}
		v.Data = content
		refused = fn(v.Version)
		return refused
	})
	if err != nil && refused == nil {
		return fmt.Errorf("repository %s: versions: %w", s.root, err)
	}
	return err
}

// version is a Version whose content is still to be read.
type version struct {
	Version
	object string
}

// versions lists what is small enough to be read.
func (g *git) versions(head string, paths []string) ([]version, error) {
	listed, err := g.listVersions(head, paths)
	if err != nil {
		return nil, err
	}
	objects := make([]string, len(listed))
	for i, v := range listed {
		objects[i] = v.object
	}
	sizes, err := g.blobSizes(objects)
	if err != nil {
		return nil, err
	}
	var out []version
	for i, v := range listed {
		if sizes[i] <= MaxFileSize { // one that is missing is an error of the reader
			out = append(out, v)
		}
	}
	return out, nil
}

// listVersions finds the names. All lines of history count, those too whose
// changes a merge dropped.
func (g *git) listVersions(head string, paths []string) ([]version, error) {
	limit := pathspec(paths)
	commits, err := g.revList(append([]string{"--full-history", head}, limit...)...)
	if err != nil {
		return nil, err
	}
	count := make(map[string]int, len(paths))
	for _, p := range paths {
		count[p] = 0
	}
	type content struct{ path, object string }
	seen := map[content]bool{}
	var out []version
	err = g.diffTree(commits, limit, func(c rawChange) error {
		n, wanted := count[c.path]
		mode, ok := parseMode(c.mode)
		key := content{c.path, c.object}
		if wanted && n < MaxVersions && !c.deleted() && ok && mode <= Executable && !seen[key] {
			seen[key] = true
			count[c.path]++
			out = append(out, version{Version{Commit: c.commit, Path: c.path}, c.object})
		}
		return nil
	})
	return out, err
}
