package repo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

// versions lists the contents that paths had, as "path=data".
func versions(t *testing.T, s *repo.Snapshot, paths ...string) string {
	t.Helper()
	var out []string
	err := s.Versions(t.Context(), paths, func(v repo.Version) error {
		out = append(out, v.Path+"="+string(v.Data))
		return nil
	})
	if err != nil {
		t.Fatalf("Versions: %v", err)
	}
	return strings.Join(out, " ")
}

func TestVersions(t *testing.T) {
	f := newRepository(t)
	for _, content := range []string{"1", "2", "1", "3"} {
		f.write("a", content)
		f.write("dir/b", "b"+content)
		f.write("other", content)
		f.commit()
	}
	f.remove("dir/b")
	f.symlink("a", "dir/b")
	f.write("a", strings.Repeat("x", repo.MaxFileSize+1))
	f.commit()
	f.write("a", "on disk")
	check := func(s *repo.Snapshot, want string, paths ...string) {
		t.Helper()
		if got := versions(t, s, paths...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	check(f.open(repo.Selector{}), "a=3 dir/b=b3 a=1 dir/b=b1 a=2 dir/b=b2", "a", "dir/b", "none", "*")
	check(f.open(repo.Selector{Rev: "HEAD~3"}), "a=2 a=1", "a")
	check(f.open(repo.Selector{}), "a=3 a=1 a=2", "a", strings.Repeat("x", 300<<10))
	check(f.open(repo.Selector{}), "")
	f.git("branch", "change")
	check(f.shallow("--depth=2").open(repo.Selector{}), "a=3", "a")
	check(newRepository(t).open(repo.Selector{}), "", "a")
	check(newFixture(t).open(repo.Selector{}), "", "a")

	stop := errors.New("stop")
	if err := f.open(repo.Selector{}).Versions(t.Context(), []string{"a"}, func(repo.Version) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of fn", err)
	}
}

// No line of history hides a content, whatever its merges kept.
func TestVersionsOfRandomHistories(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		f := newRepository(t)
		f.write("a", "first")
		commits := []string{f.commit()}
		for range 12 {
			parents := []string{"-p", commits[len(commits)-1]}
			if other := commits[r.IntN(len(commits))]; r.IntN(2) == 0 && other != parents[1] {
				parents = append(parents, "-p", other)
			}
			f.write("a", fmt.Sprint(r.IntN(20)))
			f.git("add", "-A")
			commits = append(commits, f.git(append([]string{"commit-tree", "-m", "c", f.git("write-tree")}, parents...)...))
		}
		got := " " + versions(t, f.open(repo.Selector{Rev: commits[len(commits)-1]}), "a") + " "
		for _, c := range commits {
			if want := " a=" + f.git("show", c+":a") + " "; strings.Count(got, want) != 1 {
				t.Errorf("seed %d:%sis in%stimes %d", seed, want, got, strings.Count(got, want))
			}
		}
	}
}

func TestVersionsAreBounded(t *testing.T) {
	f := newRepository(t)
	var stream strings.Builder
	for i := range repo.MaxVersions + 5 {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 1\nc\nM 644 inline a\ndata <<E\n%d\nE\n\n", i, i)
	}
	f.pipe(stream.String(), "fast-import", "--quiet")
	got := strings.Fields(versions(t, f.open(repo.Selector{Rev: "main"}), "a"))
	if len(got) != repo.MaxVersions || got[0] != fmt.Sprintf("a=%d", repo.MaxVersions+4) {
		t.Errorf("got %d, from %s on", len(got), got[0])
	}
}

// A partial clone says how to get the versions that it lacks.
func TestVersionsOfPartialClone(t *testing.T) {
	origin := newRepository(t)
	for _, text := range []string{"1", "2", "3"} {
		origin.write("a", text)
		origin.commit()
	}
	origin.git("config", "uploadpack.allowFilter", "true")
	parent := newFixture(t)
	parent.git("clone", "-q", "--filter=blob:none", "file://"+origin.dir, "clone")
	f := fixture{t, parent.path("clone")}
	for name, ask := range map[string]func(*repo.Snapshot) error{
		"versions": func(s *repo.Snapshot) error {
			return s.Versions(t.Context(), []string{"a"}, func(repo.Version) error { return nil })
		},
		"added": func(s *repo.Snapshot) error {
			return s.Added(t.Context(), "HEAD~1", "HEAD", func(repo.Addition) error { return nil })
		},
	} {
		if err := ask(f.open(repo.Selector{})); err == nil || !strings.Contains(err.Error(), "git fetch --refetch --no-filter") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
