package repo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// latest is the latest time that a commit may claim; later ones cannot be
// written as RFC 3339.
var latest = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// maxPathspec bounds the bytes of paths that are given to one command. The
// least that a supported system takes is 1 MiB with the environment (macOS).
const maxPathspec = 256 << 10

// Commit is one commit of a range. Time is when it was committed, as it claims,
// in UTC.
type Commit struct {
	ID      string
	Parents []string
	Time    time.Time
}

// Commits returns the commits that to has and from lacks, parents before
// children. An empty from stands for no commit, so that all are returned.
// Errors wrap [ErrRevision] where a revision is unknown, and where a shallow
// clone does not hold the whole range.
func (s *Snapshot) Commits(ctx context.Context, from, to string) ([]Commit, error) {
	g, err := s.history(ctx)
	if err != nil {
		return nil, err
	}
	commits, err := g.commits(from, to)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", s.root, err)
	}
	return commits, nil
}

func (g *git) commits(from, to string) ([]Commit, error) {
	head, err := g.whole(to)
	if err != nil {
		return nil, err
	}
	revs := []string{head}
	if from != "" {
		base, err := g.whole(from)
		if err != nil {
			return nil, err
		}
		revs = append(revs, "^"+base)
	}
	commits, err := g.revList(append([]string{"--reverse"}, revs...)...)
	if err != nil {
		return nil, err
	}
	ends, err := g.boundaries()
	if err != nil {
		return nil, err
	}
	for _, c := range commits {
		if ends[c.ID] {
			return nil, fmt.Errorf("range %s..%s: %w: %w and ends within it; %s", from, to, ErrRevision, ErrShallow, deepen)
		}
	}
	return commits, nil
}

// revList reads "<time> <commit> <parent>…" lines.
func (g *git) revList(args ...string) ([]Commit, error) {
	out, err := g.run(append([]string{"rev-list", "--topo-order", "--parents", "--timestamp"}, args...)...)
	if err != nil {
		return nil, err
	}
	var commits []Commit
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return nil, fmt.Errorf("git rev-list: unexpected line %q", line)
		}
		commits = append(commits, Commit{ID: fields[1], Parents: fields[2:], Time: parseTime(fields[0])})
	}
	return commits, nil
}

// parseTime returns latest for a time that no clock has shown.
func parseTime(seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n > latest.Unix() {
		return latest
	}
	return time.Unix(n, 0).UTC()
}

// LastChanged returns when each path was last changed by a commit, as that
// commit claims, in UTC. Left out are paths that no commit changed, those whose
// last change a shallow clone does not hold, and all outside Git.
func (s *Snapshot) LastChanged(ctx context.Context, paths []string) (map[string]time.Time, error) {
	changed := map[string]time.Time{}
	if s.git == nil || s.revision == "" || len(paths) == 0 {
		return changed, nil
	}
	if err := s.git.with(ctx).lastChanged(changed, s.revision, paths); err != nil {
		return nil, fmt.Errorf("repository %s: %w", s.root, err)
	}
	return changed, nil
}

func (g *git) lastChanged(changed map[string]time.Time, head string, paths []string) error {
	wanted := make(map[string]bool, len(paths))
	for _, p := range paths {
		wanted[p] = true
	}
	limit := pathspec(paths)
	commits, err := g.revList(append([]string{head}, limit...)...)
	if err != nil {
		return err
	}
	ends, err := g.boundaries()
	if err != nil {
		return err
	}
	times := make(map[string]time.Time, len(commits))
	for _, c := range commits {
		times[c.ID] = c.Time
	}
	return g.diffTree(commits, limit, func(c rawChange) error {
		if wanted[c.path] {
			delete(wanted, c.path)
			if !ends[c.commit] {
				changed[c.path] = times[c.commit]
			}
		}
		return nil
	})
}

// pathspec limits a command to paths, unless they are too many for its
// arguments.
func pathspec(paths []string) []string {
	size := 0
	for _, p := range paths {
		size += len(p) + 1
		if p == "" || strings.Contains(p, "\x00") || size > maxPathspec {
			return nil
		}
	}
	return append([]string{"--"}, paths...)
}
