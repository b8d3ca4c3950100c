package repo_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func base(t *testing.T, s *repo.Snapshot, rev string) *repo.Snapshot {
	t.Helper()
	b, err := s.Base(t.Context(), rev)
	if err != nil {
		t.Fatalf("Base(%s): %v", rev, err)
	}
	return b
}

// wantRevisionError checks an error about a revision, and what it says.
func wantRevisionError(t *testing.T, err error, says string) {
	t.Helper()
	if !errors.Is(err, repo.ErrRevision) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want an unknown revision and %q", err, says)
	}
}

// fork is a repository whose branch main went on after change left it.
func fork(t *testing.T) (f fixture, left string) {
	t.Helper()
	f = newRepository(t)
	f.write("app/a", "1")
	left = f.commit()
	f.git("switch", "-q", "-c", "change")
	f.write("app/a", "changed")
	f.write("new/n", "n")
	f.commit()
	f.git("switch", "-q", "main")
	f.write("app/b", "main went on")
	f.commit()
	f.git("switch", "-q", "change")
	return f, left
}

func TestBase(t *testing.T) {
	f, left := fork(t)
	f.write("staged", "s")
	f.git("add", "staged")
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "change"}} {
		s := f.open(sel)
		b := base(t, s, "main")
		if b.Revision() != left || b.Kind() != "commit" || b.Root() != s.Root() {
			t.Errorf("%s: the base is the %s %s in %s", s.Kind(), b.Kind(), b.Revision(), b.Root())
		}
		wantPaths(t, b, "app/a")
		wantFile(t, b, "app/a", "1")
		wantPaths(t, at(t, s, "main"), "app/a app/b")
	}
}

// A directory that the base lacks is in the scope all the same: everything in
// it is new.
func TestBaseHasTheScope(t *testing.T) {
	f, left := fork(t)
	s, err := repo.Open(t.Context(), f.path("new"), repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*repo.Snapshot{base(t, s, "main"), at(t, s, left)} {
		if b.Scope() != "new" || b.IsDir("new") {
			t.Errorf("scope %q", b.Scope())
		}
	}
}

func TestBaseErrors(t *testing.T) {
	f, _ := fork(t)
	f.git("branch", "unrelated", f.git("commit-tree", "-m", "x", f.git("write-tree")))
	s := f.open(repo.Selector{})
	for _, rev := range []string{"nope", "--all", "HEAD:app/a", "a b", ""} {
		_, err := s.Base(t.Context(), rev)
		wantRevisionError(t, err, "")
		_, err = s.At(t.Context(), rev)
		wantRevisionError(t, err, "")
	}
	_, err := s.Base(t.Context(), "unrelated")
	wantRevisionError(t, err, "no commit in common")

	empty := newRepository(t)
	_, err = empty.open(repo.Selector{}).Base(t.Context(), "HEAD")
	wantRevisionError(t, err, "no commit yet")
	plain := newFixture(t)
	_, err = plain.open(repo.Selector{}).Base(t.Context(), "main")
	if !errors.Is(err, repo.ErrNoGit) {
		t.Errorf("outside Git: %v", err)
	}
	_, err = plain.open(repo.Selector{}).At(t.Context(), "main")
	if !errors.Is(err, repo.ErrNoGit) {
		t.Errorf("outside Git: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Base(ctx, "main"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// An unborn branch in a repository that has commits has no merge base either.
func TestBaseOfAnUnbornBranch(t *testing.T) {
	f, _ := fork(t)
	f.git("switch", "-q", "--orphan", "fresh")
	_, err := f.open(repo.Selector{}).Base(t.Context(), "main")
	wantRevisionError(t, err, "no commit yet")
}

// Replace refs and grafts make Git believe in another history.
func TestBaseIgnoresReplacedHistory(t *testing.T) {
	f, left := fork(t)
	f.git("replace", "--graft", "change", "main")
	if got := f.git("merge-base", "main", "change"); got == left {
		t.Fatal("the replace ref does not work")
	}
	s := f.open(repo.Selector{})
	if got := base(t, s, "main").Revision(); got != left {
		t.Errorf("replace refs: %s", got)
	}
	f.git("replace", "-d", "change")
	f.write(".git/info/grafts", f.git("rev-parse", "change")+" "+f.git("rev-parse", "main")+"\n")
	if got := f.git("-c", "advice.graftFileDeprecated=false", "merge-base", "main", "change"); got == left {
		t.Fatal("the graft does not work")
	}
	s = f.open(repo.Selector{})
	if got := base(t, s, "main").Revision(); got != left {
		t.Errorf("grafts: %s", got)
	}
	commits, err := s.Commits(t.Context(), "main", "change")
	if err != nil || len(commits) != 1 || len(commits[0].Parents) != 1 || commits[0].Parents[0] != left {
		t.Errorf("%+v, %v", commits, err)
	}
}

// Of several merge bases it is the one that Git names first.
func TestBaseOfCrissCross(t *testing.T) {
	f, _ := fork(t)
	one, two := f.git("rev-parse", "main"), f.git("rev-parse", "change")
	f.git("merge", "-q", "-m", "m", "main")
	f.git("switch", "-q", "main")
	f.git("merge", "-q", "-m", "m", two)
	if all := f.git("merge-base", "--all", "main", "change"); !strings.Contains(all, one) || !strings.Contains(all, two) {
		t.Fatalf("merge bases: %s", all)
	}
	if got, want := base(t, f.open(repo.Selector{}), "change").Revision(), f.git("merge-base", "change", "main"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// shallow clones f's branch change, and main with it, to a depth.
func (f fixture) shallow(args ...string) fixture {
	f.t.Helper()
	parent := newFixture(f.t)
	parent.git(append([]string{"clone", "-q", "--branch=change", "--no-single-branch", "file://" + f.dir, "clone"}, args...)...)
	return fixture{f.t, parent.path("clone")}
}

func TestBaseInAShallowClone(t *testing.T) {
	f, left := fork(t)
	s := f.shallow("--depth=1").open(repo.Selector{})
	_, err := s.Base(t.Context(), "origin/main")
	wantRevisionError(t, err, "git fetch --unshallow")
	wantRevisionError(t, err, "fetch-depth: 0")
	_, err = s.Base(t.Context(), left)
	wantRevisionError(t, err, "git fetch --unshallow")
	_, err = s.Commits(t.Context(), "origin/main", "HEAD")
	wantRevisionError(t, err, "git fetch --unshallow")
	_, err = s.Commits(t.Context(), left, "HEAD")
	wantRevisionError(t, err, "git fetch --unshallow")
	if got := base(t, s, "HEAD").Revision(); got != s.Revision() {
		t.Errorf("the base of HEAD and itself is %s", got)
	}

	s = f.shallow("--depth=2").open(repo.Selector{})
	if got := base(t, s, "origin/main").Revision(); got != left {
		t.Errorf("deep enough: the base is %s, want %s", got, left)
	}
	if commits, err := s.Commits(t.Context(), "origin/main", "HEAD"); err != nil || len(commits) != 1 {
		t.Errorf("deep enough: %+v, %v", commits, err)
	}
}

// A shallow clone may hold an old common commit and hide the way to a later
// one: the old one would be a wrong answer.
func TestBaseHiddenByAShallowClone(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	old := f.commit()
	f.write("a", "2")
	later := f.commit()
	tree := f.git("write-tree")
	// Both branches have later at their ends, but also a short way to old.
	for _, branch := range []string{"main", "change"} {
		tip := later
		for range 3 {
			tip = f.git("commit-tree", "-m", branch, "-p", tip, tree)
		}
		side := f.git("commit-tree", "-m", "side "+branch, "-p", old, tree)
		f.git("update-ref", "refs/heads/"+branch, f.git("commit-tree", "-m", "tip "+branch, "-p", tip, "-p", side, tree))
	}
	clone := f.shallow("--depth=3")
	if got := clone.git("merge-base", "origin/main", "HEAD"); got != old {
		t.Fatalf("Git finds %s, want the old one", got)
	}
	_, err := clone.open(repo.Selector{Rev: "HEAD"}).Base(t.Context(), "origin/main")
	wantRevisionError(t, err, "git fetch --unshallow")
	if got := base(t, f.open(repo.Selector{Rev: "change"}), "main").Revision(); got != later {
		t.Errorf("the whole repository: %s, want %s", got, later)
	}
}

func TestParseRange(t *testing.T) {
	for _, tt := range []struct{ in, from, to, says string }{
		{"main..HEAD", "main", "HEAD", ""},
		{"origin/main..", "origin/main", "HEAD", ""},
		{"..feature", "HEAD", "feature", ""},
		{"v1.2..v1.3", "v1.2", "v1.3", ""},
		{"main...HEAD", "", "", "use two dots"},
		{"HEAD", "", "", "expected BASE..HEAD"},
		{"", "", "", "expected BASE..HEAD"},
		{"..", "", "", "expected BASE..HEAD"},
		{"a..b..c", "", "", "expected BASE..HEAD"},
	} {
		from, to, err := repo.ParseRange(tt.in)
		if from != tt.from || to != tt.to || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: %q, %q, %v", tt.in, from, to, err)
		}
	}
}
