package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// deepen is the cure for a shallow clone, by hand and in the checkout of a
// pipeline.
const deepen = "deepen it with: git fetch --unshallow, or check it out with its history (GitHub: fetch-depth: 0, GitLab: GIT_DEPTH: 0)"

// At returns the snapshot of the commit that rev names in the same repository,
// with the same scope, which need not exist there. Errors are those of [Open];
// ctx bounds the reading of its blobs as well.
func (s *Snapshot) At(ctx context.Context, rev string) (*Snapshot, error) {
	return s.sibling(ctx, rev, (*git).commit)
}

// Base returns the snapshot of the merge base of rev and this snapshot's
// commit, which is HEAD for a work tree and the index: what a change is compared
// with, so that what happened on rev since then is no part of it. The scope is
// the same, and need not exist there.
//
// Where histories crossed there are several merge bases, and Git's first is
// taken. Errors wrap [ErrRevision] if there is none: the histories are
// unrelated, or the clone is shallow and does not reach it for certain.
func (s *Snapshot) Base(ctx context.Context, rev string) (*Snapshot, error) {
	return s.sibling(ctx, rev, func(g *git, rev string) (string, error) { return g.mergeBase(rev, s.revision) })
}

// sibling returns the snapshot of the commit that resolve makes of rev.
func (s *Snapshot) sibling(ctx context.Context, rev string, resolve func(*git, string) (string, error)) (*Snapshot, error) {
	g, err := s.history(ctx)
	if err != nil {
		return nil, err
	}
	sha, err := resolve(g, rev)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", s.root, err)
	}
	at, err := listCommit(g, sha)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", s.root, err)
	}
	at.scope = s.scope
	return at, nil
}

// history returns the repository for commands that ctx bounds.
func (s *Snapshot) history(ctx context.Context) (*git, error) {
	if s.load != nil {
		return nil, fmt.Errorf("commit %s: %w: %w", s.revision, errNoHistory, ErrRevision)
	}
	if s.git == nil {
		return nil, fmt.Errorf("%s is %w, so that it has no history", s.root, ErrNoGit)
	}
	return s.git.with(ctx), nil
}

func (g *git) mergeBase(rev, head string) (string, error) {
	other, err := g.whole(rev)
	if err != nil {
		return "", err
	}
	if head == "" {
		return "", fmt.Errorf("merge base with %q: %w: %w", rev, ErrRevision, ErrUnborn)
	}
	out, err := g.run("merge-base", other, head)
	var exit *exec.ExitError
	none := errors.As(err, &exit) && exit.ExitCode() == 1
	switch {
	case none && g.shallow:
		return "", fmt.Errorf("merge base with %q: %w: %w; %s", rev, ErrRevision, ErrShallow, deepen)
	case none:
		return "", fmt.Errorf("merge base with %q: %w: it has no commit in common with %s", rev, ErrRevision, head)
	case err != nil:
		return "", err
	}
	base := strings.TrimSpace(string(out))
	if base == other || base == head {
		return base, nil
	}
	// Where a shallow clone ends, another way to a later common commit may be
	// hidden.
	cut, err := g.reachesBoundary(other, head, "^"+base)
	if err != nil {
		return "", err
	}
	if cut {
		return "", fmt.Errorf("merge base with %q: %w: %w; %s", rev, ErrRevision, ErrShallow, deepen)
	}
	return base, nil
}

// whole is commit for those who need the history behind it as well.
func (g *git) whole(rev string) (string, error) {
	sha, err := g.commit(rev)
	if g.shallow && errors.Is(err, ErrRevision) {
		return "", fmt.Errorf("%w %q: %w; %s", ErrRevision, rev, ErrShallow, deepen)
	}
	return sha, err
}

// reachesBoundary reports whether commits in a range of revisions lack parents
// because the clone is shallow.
func (g *git) reachesBoundary(revs ...string) (bool, error) {
	boundary, err := g.boundaries()
	if err != nil || len(boundary) == 0 {
		return false, err
	}
	out, err := g.run(append([]string{"rev-list"}, revs...)...)
	if err != nil {
		return false, err
	}
	for _, sha := range strings.Fields(string(out)) {
		if boundary[sha] {
			return true, nil
		}
	}
	return false, nil
}

// boundaries returns the commits at which a shallow clone ends, none in any
// other (gitformat-shallow(5)).
func (g *git) boundaries() (map[string]bool, error) {
	if !g.shallow {
		return nil, nil
	}
	data, err := os.ReadFile(g.boundary)
	if err != nil {
		return nil, fmt.Errorf("shallow clone: %w", cause(err))
	}
	ends := map[string]bool{}
	for _, sha := range bytes.Fields(data) {
		ends[string(sha)] = true
	}
	return ends, nil
}

// ParseRange splits BASE..HEAD, the commits of HEAD that BASE lacks. As in Git
// an end that is left out is HEAD.
func ParseRange(s string) (from, to string, err error) {
	from, to, ok := strings.Cut(s, "..")
	switch {
	case strings.Contains(s, "..."):
		return "", "", fmt.Errorf("range %q: use two dots: BASE..HEAD is what HEAD adds since it left BASE", s)
	case !ok, strings.Contains(to, ".."), from == "" && to == "":
		return "", "", fmt.Errorf("range %q: expected BASE..HEAD", s)
	}
	if from == "" {
		from = "HEAD"
	}
	if to == "" {
		to = "HEAD"
	}
	return from, to, nil
}
