package repo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/repo"
)

// added lists what a range adds: "path=data", "<-before" for each parent, and
// the number of the commit in the range.
func added(t *testing.T, s *repo.Snapshot, from, to string) string {
	t.Helper()
	commits, err := s.Commits(t.Context(), from, to)
	if err != nil {
		t.Fatalf("Commits: %v", err)
	}
	number := map[string]int{}
	for i, c := range commits {
		number[c.ID] = i + 1
	}
	var out []string
	err = s.Added(t.Context(), from, to, func(a repo.Addition) error {
		line := fmt.Sprintf("%d:%s=%s", number[a.Commit], a.Path, a.Data)
		if a.Mode > repo.Executable || a.Data == nil {
			line = fmt.Sprintf("%d:%s mode %d size %d", number[a.Commit], a.Path, a.Mode, a.Size)
		}
		for _, before := range a.Before {
			line += "<-" + string(before)
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		t.Fatalf("Added: %v", err)
	}
	return strings.Join(out, " ")
}

func wantAdded(t *testing.T, f fixture, from, to, want string) {
	t.Helper()
	if got := added(t, f.open(repo.Selector{}), from, to); got != want {
		t.Errorf("%s..%s adds\n%s, want\n%s", from, to, got, want)
	}
}

func TestAddedAlsoWhatIsRemovedLater(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	f.commit()
	f.write("secret", "s3cret")
	f.commit()
	f.remove("secret")
	f.write("a", "2")
	f.commit()
	f.write("a", "1")
	f.write("secret", "s3cret")
	f.write("empty", "")
	f.commit()
	wantAdded(t, f, "HEAD~3", "HEAD", "1:secret=s3cret 2:a=2<-1 3:a=1<-2 3:empty=")
	wantAdded(t, f, "HEAD~1", "HEAD", "1:a=1<-2 1:empty= 1:secret=s3cret")
	wantAdded(t, f, "", "HEAD~2", "1:a=1 2:secret=s3cret")
	wantAdded(t, f, "HEAD", "HEAD", "")
	wantAdded(t, f, "HEAD", "HEAD~2", "")
}

func TestAddedKinds(t *testing.T) {
	f := newRepository(t)
	f.write("file", "f")
	f.write("run", "r")
	f.write("old", "content")
	f.write("turns", "x")
	f.symlink("y", "unlinks")
	sub := f.commit()
	f.chmod("run", true)
	f.git("mv", "old", "new")
	f.symlink("file", "link")
	f.remove("turns")
	f.symlink("x", "turns")
	f.remove("unlinks")
	f.write("unlinks", "y")
	f.write("giant", "")
	if err := os.Truncate(f.path("giant"), repo.MaxFileSize+1); err != nil {
		t.Fatal(err)
	}
	f.write(".gitmodules", "[submodule \"vendor\"]\n\tpath = vendor\n\turl = ./x\n\tignore = all\n")
	f.git("update-index", "--add", "--cacheinfo", "160000,"+sub+",vendor")
	f.git("add", "file", "run", "link", "turns", "unlinks", "giant")
	f.git("commit", "-q", "-m", "c")
	f.write("giant", "small")
	f.git("add", "giant")
	f.git("commit", "-q", "-m", "c")
	wantAdded(t, f, sub, "HEAD", "1:giant mode 0 size 16777217 1:link mode 2 size -1 1:new=content 1:turns mode 2 size -1 "+
		"1:unlinks=y 1:vendor mode 3 size -1 2:giant=small")
}

// A merge adds what no parent has, not what one of them brings.
func TestAddedByMerges(t *testing.T) {
	f := conflict(t)
	f.write("a.yaml", "both\n")
	f.write("b.yaml", "both\n")
	f.write("evil", "only in the merge")
	f.commit()
	want := "1:a.yaml=ours\n<-base\n 2:a.yaml=theirs\n<-base\n 3:a.yaml=both\n<-ours\n<-theirs\n 3:b.yaml=both\n<-b\n 3:evil=only in the merge"
	reversed := "1:a.yaml=theirs\n<-base\n 2:a.yaml=ours\n<-base\n 3:a.yaml=both\n<-ours\n<-theirs\n 3:b.yaml=both\n<-b\n 3:evil=only in the merge"
	if got := added(t, f.open(repo.Selector{}), "HEAD^1^1", "HEAD"); got != want && got != reversed {
		t.Errorf("got %q", got)
	}
	wantAdded(t, f, "HEAD^1", "HEAD", "1:a.yaml=theirs\n<-base\n 2:a.yaml=both\n<-ours\n<-theirs\n 2:b.yaml=both\n<-b\n 2:evil=only in the merge")
}

// Nothing is passed over: what is in a tree of the range and in none before it
// has been added, once, and whatever is added is in such a tree.
func TestAddedOfRandomHistories(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 2))
		f := newRepository(t)
		f.edit(r, 8)
		commits := []string{f.commit()}
		for range 10 {
			one, other := len(commits)-1, r.IntN(len(commits))
			if r.IntN(3) == 0 {
				one = r.IntN(len(commits))
			}
			parents := []string{"-p", commits[one]}
			if r.IntN(2) == 0 && commits[other] != commits[one] {
				parents = append(parents, "-p", commits[other])
			}
			f.edit(r, 2)
			f.git("add", "-A")
			commits = append(commits, f.git(append([]string{"commit-tree", "-m", "c", f.git("write-tree")}, parents...)...))
		}
		from, to := commits[r.IntN(4)], commits[len(commits)-1]
		before, within := f.contents(from), f.contents(from+".."+to)
		got := map[string]bool{}
		err := f.open(repo.Selector{}).Added(t.Context(), from, to, func(a repo.Addition) error {
			key := fmt.Sprintf("%s %v %s", a.Path, a.Mode == repo.Symlink, a.Data)
			if a.Mode == repo.Symlink {
				return nil
			}
			if got[key] || !within[key] {
				t.Errorf("seed %d: %s is given twice, or is in no commit", seed, key)
			}
			got[key] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for key := range within {
			if !before[key] && !got[key] && !strings.Contains(key, " true ") {
				t.Errorf("seed %d: %s is passed over", seed, key)
			}
		}
	}
}

// contents is everything in the trees of a range.
func (f fixture) contents(revs string) map[string]bool {
	all := map[string]bool{}
	for _, sha := range strings.Fields(f.git("rev-list", revs)) {
		for name, content := range f.inTree(sha) {
			all[fmt.Sprintf("%s %v %s", name, content[:6] == "120000", content[7:])] = true
		}
	}
	return all
}

func TestAddedHostileNames(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	from := f.commit()
	names := []string{" leading", "*.yaml", "-rf", ":100644 100644 x", "new\nline", "non-utf8-\xff", "quote\"d", "tab\there"}
	for _, name := range names {
		if err := os.WriteFile(f.path(name), []byte(name), 0o666); err != nil {
			t.Skipf("this filesystem cannot hold %q: %v", name, err)
		}
	}
	f.commit()
	var want []string
	for _, name := range names {
		want = append(want, "1:"+name+"="+name)
	}
	wantAdded(t, f, from, "HEAD", strings.Join(want, " "))
	times, err := f.open(repo.Selector{}).LastChanged(t.Context(), names)
	if err != nil || len(times) != len(names) {
		t.Errorf("LastChanged: %v, %v", times, err)
	}
}

func TestAddedErrors(t *testing.T) {
	f, _ := fork(t)
	s := f.open(repo.Selector{})
	none := func(repo.Addition) error { return nil }
	wantRevisionError(t, s.Added(t.Context(), "nope", "HEAD", none), `"nope"`)
	wantRevisionError(t, s.Added(t.Context(), "main", "--all", none), `"--all"`)
	if err := newFixture(t).open(repo.Selector{}).Added(t.Context(), "main", "HEAD", none); !errors.Is(err, repo.ErrNoGit) {
		t.Errorf("outside Git: %v", err)
	}

	mine := errors.New("mine")
	calls := 0
	err := s.Added(t.Context(), "main", "HEAD", func(repo.Addition) error { calls++; return mine })
	if err != mine || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Added(ctx, "", "HEAD", func(repo.Addition) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	blob := f.git("rev-parse", "HEAD:app/a")
	f.remove(".git/objects/" + blob[:2] + "/" + blob[2:])
	if err := s.Added(t.Context(), "main", "HEAD", none); err == nil || !strings.Contains(err.Error(), "missing or damaged") {
		t.Error(err)
	}
}

// Whatever ends the reading early, no process is left behind.
func TestAddedLeavesNoProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("children are counted in /proc")
	}
	f := newRepository(t)
	f.write("a", "a")
	f.commit()
	for i := range 40 {
		f.write(fmt.Sprintf("big%d", i), fmt.Sprint(i)+strings.Repeat("x", 1<<18))
	}
	f.commit()
	s := f.open(repo.Selector{})
	_ = s.Added(t.Context(), "HEAD^", "HEAD", func(repo.Addition) error { return errors.New("enough") })
	ctx, cancel := context.WithCancel(t.Context())
	_ = s.Added(ctx, "HEAD^", "HEAD", func(repo.Addition) error { cancel(); return nil })
	out, err := exec.Command("ps", "-o", "args=", "--ppid", fmt.Sprint(os.Getpid())).Output()
	if err != nil {
		t.Skipf("ps: %v", err)
	}
	if strings.Contains(string(out), "git") {
		t.Errorf("children: %s", out)
	}
}

func TestCommits(t *testing.T) {
	f, left := fork(t)
	f.git("merge", "-q", "-m", "m", "main")
	commits, err := f.open(repo.Selector{}).Commits(t.Context(), left, "HEAD")
	if err != nil || len(commits) != 3 {
		t.Fatalf("%+v, %v", commits, err)
	}
	merge := commits[2]
	if merge.ID != f.git("rev-parse", "HEAD") || len(merge.Parents) != 2 || merge.Parents[1] != f.git("rev-parse", "main") ||
		!merge.Time.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the last is %+v", merge)
	}
	if commits, err := f.open(repo.Selector{}).Commits(t.Context(), "HEAD", "main"); err != nil || commits != nil {
		t.Errorf("empty range: %+v, %v", commits, err)
	}
}

// commitAt commits everything at a time.
func (f fixture) commitAt(date string) {
	f.t.Helper()
	f.git("add", "-A")
	cmd := exec.Command("git", "commit", "-q", "-m", "c")
	cmd.Dir, cmd.Env = f.dir, append(identity(), "GIT_COMMITTER_DATE="+date)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
}

func TestLastChanged(t *testing.T) {
	f := newRepository(t)
	f.write("first", "1")
	f.write("dir/both", "1")
	f.write("gone", "1")
	f.commitAt("2026-01-01T00:00:00Z")
	f.write("dir/both", "2")
	f.write("dir/second", "1")
	f.remove("gone")
	f.commitAt("2026-02-01T12:00:00+02:00")
	f.write("second", "not asked for")
	f.commitAt("2026-03-01T00:00:00Z")
	f.write("first", "only on disk")
	ask := []string{"first", "dir/both", "dir/second", "gone", "none", "*"}
	check := func(s *repo.Snapshot, want string) {
		t.Helper()
		times, err := s.LastChanged(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range ask {
			if at, ok := times[name]; ok {
				got = append(got, name+" "+at.Format(time.RFC3339))
			}
		}
		if joined := strings.Join(got, ", "); joined != want || len(got) != len(times) {
			t.Errorf("got  %s\nwant %s", joined, want)
		}
	}
	const feb = "2026-02-01T10:00:00Z"
	check(f.open(repo.Selector{}), "first 2026-01-01T00:00:00Z, dir/both "+feb+", dir/second "+feb+", gone "+feb)
	check(f.open(repo.Selector{Rev: "HEAD~2"}), "first 2026-01-01T00:00:00Z, dir/both 2026-01-01T00:00:00Z, gone 2026-01-01T00:00:00Z")
	ask = append(ask, strings.Repeat("x", 300<<10))
	check(f.open(repo.Selector{}), "first 2026-01-01T00:00:00Z, dir/both "+feb+", dir/second "+feb+", gone "+feb)
	f.git("branch", "change")
	check(f.shallow("--depth=2").open(repo.Selector{}), "")
	check(newRepository(t).open(repo.Selector{}), "")
	check(newFixture(t).open(repo.Selector{}), "")
}
