package repo_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/repo"
)

func TestWorktreeIsWhatGitStatusSees(t *testing.T) {
	f := newRepository(t)
	f.write(".gitignore", "*.log\nbuild/\n")
	f.write("tracked.yaml", "old")
	f.write("tracked.log", "tracked although ignored")
	f.write("deleted.yaml", "d")
	f.write("became-a-directory", "d")
	f.git("add", "-f", ".")
	f.commit()
	f.write("tracked.yaml", "new")
	f.write("untracked.yaml", "u")
	f.write("ignored.log", "i")
	f.write("build/out.yaml", "i")
	f.write("announced.yaml", "n")
	f.git("add", "-N", "announced.yaml")
	f.remove("deleted.yaml")
	f.remove("became-a-directory")
	f.write("became-a-directory/a.yaml", "a")
	s := f.open(repo.Selector{})
	wantPaths(t, s, ".gitignore announced.yaml became-a-directory/a.yaml tracked.log tracked.yaml untracked.yaml")
	wantFile(t, s, "tracked.yaml", "new")
	wantFile(t, s, "untracked.yaml", "u")
	wantFile(t, s, "announced.yaml", "n")
}

func TestWorktreeEntry(t *testing.T) {
	f := newRepository(t)
	f.write("a/file.yaml", "12345")
	f.write("a/run.sh", "1")
	if err := os.Chmod(f.path("a/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.commit()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		if e, ok := s.Lookup("a/file.yaml"); !ok || e != (repo.Entry{Path: "a/file.yaml", Size: 5}) {
			t.Errorf("%s: %+v, %v", s.Kind(), e, ok)
		}
		if e, _ := s.Lookup("a/run.sh"); e.Mode != repo.Executable {
			t.Errorf("%s: %+v, want it to be executable", s.Kind(), e)
		}
		if !s.IsDir("a") || !s.IsDir(".") || s.IsDir("a/file.yaml") || s.IsDir("b") || s.IsDir("") {
			t.Errorf("%s: IsDir is wrong", s.Kind())
		}
	}
}

func TestNamesAreBytes(t *testing.T) {
	f := newRepository(t)
	names := []string{"A.yaml", "a.yaml", "new\nline", "non-utf8-\xff", "quote\"d", "sp ace", "tab\there", "*.yaml", ":(top)x", "ü"}
	for _, name := range names {
		if err := os.WriteFile(f.path(name), []byte(name), 0o666); err != nil {
			t.Skipf("this filesystem cannot hold %q: %v", name, err)
		}
	}
	f.commit()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		if len(s.Files()) != len(names) {
			t.Errorf("%s: %q", s.Kind(), paths(s))
		}
		for _, name := range names {
			wantFile(t, s, name, name)
		}
		if _, ok := s.Lookup("a.YAML"); ok {
			t.Errorf("%s: Lookup does not see the case of letters", s.Kind())
		}
	}
}

// refused checks that a path is refused under a rule, for a reason.
func refused(t *testing.T, s *repo.Snapshot, name, rule, reason string) {
	t.Helper()
	data, err := s.ReadFile(name)
	var r *repo.RefusedError
	if !errors.As(err, &r) {
		t.Errorf("%s in the %s: %q, %v, want it refused", name, s.Kind(), data, err)
		return
	}
	if r.Path != name || r.Rule != rule || !strings.Contains(r.Reason, reason) {
		t.Errorf("%s in the %s: %+v, want %s, %q", name, s.Kind(), r, rule, reason)
	}
}

func TestNothingLeavesTheTree(t *testing.T) {
	outside := newFixture(t)
	outside.write("secret", "outside")
	sub := newRepository(t)
	sub.write("s.yaml", "s")
	sub.commit()
	f := newRepository(t)
	f.write("real/a.yaml", "a")
	f.symlink("real/a.yaml", "link.yaml")
	f.symlink("real", "linked")
	f.symlink(outside.dir, "out")
	f.symlink("gone", "dangling")
	f.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.dir, "vendor/sub")
	f.commit()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		wantPaths(t, s, ".gitmodules dangling link.yaml linked out real/a.yaml vendor/sub")
		refused(t, s, "link.yaml", "path-escape", "is a symbolic link")
		refused(t, s, "dangling", "path-escape", "is a symbolic link")
		refused(t, s, "linked/a.yaml", "path-escape", "behind the symbolic link linked")
		refused(t, s, "out/secret", "path-escape", "behind the symbolic link out")
		refused(t, s, "vendor/sub", "path-escape", "is a submodule")
		refused(t, s, "vendor/sub/s.yaml", "path-escape", "in the submodule vendor/sub")
		refused(t, s, "../x", "path-escape", "outside the repository")
		refused(t, s, "real/../../x", "path-escape", "outside the repository")
		refused(t, s, "..", "path-escape", "outside the repository")
		refused(t, s, "/etc/passwd", "path-escape", "outside the repository")
		for _, name := range []string{"none", "real", "real/none", "./real/a.yaml", "real/", "", ".git/config"} {
			if _, err := s.ReadFile(name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q in the %s: %v, want fs.ErrNotExist", name, s.Kind(), err)
			}
		}
		if e, _ := s.Lookup("vendor/sub"); e.Mode != repo.Submodule || e.Size != -1 {
			t.Errorf("%s: %+v", s.Kind(), e)
		}
	}
}

// What a tracked directory held is gone once the directory is a link, even a
// link that is ignored.
func TestWorktreeDirectoryBecameALink(t *testing.T) {
	f := newRepository(t)
	f.write("base/a.yaml", "a")
	f.write("other/a.yaml", "other")
	f.commit()
	f.remove("base")
	f.symlink("other", "base")
	f.write(".gitignore", "base\n")
	s := f.open(repo.Selector{})
	wantPaths(t, s, ".gitignore base other/a.yaml")
	refused(t, s, "base/a.yaml", "path-escape", "behind the symbolic link base")
}

func TestWorktreeNestedRepository(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	f.git("init", "-q", "nested")
	f.write("nested/b", "b")
	s := f.open(repo.Selector{})
	wantPaths(t, s, "a nested")
	refused(t, s, "nested/b", "path-escape", "submodule")
}

func TestTooLarge(t *testing.T) {
	f := newRepository(t)
	f.write("giant", "")
	if err := os.Truncate(f.path("giant"), repo.MaxFileSize+1); err != nil {
		t.Fatal(err)
	}
	f.write("fits", "")
	if err := os.Truncate(f.path("fits"), repo.MaxFileSize); err != nil {
		t.Fatal(err)
	}
	f.commit()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		refused(t, s, "giant", "yaml-unsafe", "larger than 16 MiB")
		if data, err := s.ReadFile("fits"); err != nil || len(data) != repo.MaxFileSize {
			t.Errorf("%s: %d bytes, %v", s.Kind(), len(data), err)
		}
	}
}

// A fifo or a device must never be opened: reading one blocks, or worse.
func TestIrregularFiles(t *testing.T) {
	f := newFixture(t)
	if err := syscall.Mkfifo(f.path("fifo"), 0o666); err != nil {
		t.Skipf("no fifo can be made here: %v", err)
	}
	s := f.open(repo.Selector{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		refused(t, s, "fifo", "render-error", "not a regular file")
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("reading a fifo blocks")
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can read every file")
	}
	f := newRepository(t)
	f.write("closed", "c")
	f.write("dir/a", "a")
	f.commit()
	for _, name := range []string{"closed", "dir"} {
		if err := os.Chmod(f.path(name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(f.path("dir"), 0o777) })
	s := f.open(repo.Selector{})
	refused(t, s, "closed", "render-error", "permission denied")
	refused(t, s, "dir/a", "render-error", "permission denied")
}

// Files outside a sparse checkout are not deleted, and the index speaks for
// them.
func TestSparseCheckout(t *testing.T) {
	f := newRepository(t)
	f.write("in/a.yaml", "a")
	f.write("out/b.yaml", "b")
	f.write("out/deep/c.yaml", "c")
	f.commit()
	f.git("sparse-checkout", "set", "in")
	if _, err := os.Stat(f.path("out")); err == nil {
		t.Fatal("the checkout is not sparse")
	}
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		wantPaths(t, s, "in/a.yaml out/b.yaml out/deep/c.yaml")
		wantFile(t, s, "out/b.yaml", "b")
		if e, _ := s.Lookup("out/b.yaml"); e.Size != 1 {
			t.Errorf("%s: %+v", s.Kind(), e)
		}
	}
	f.git("sparse-checkout", "set", "--no-cone", "/in/", "/out/deep/")
	wantFile(t, f.open(repo.Selector{}), "out/b.yaml", "b")
	f.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
	wantFile(t, f.open(repo.Selector{}), "out/deep/c.yaml", "c")
	wantFile(t, f.open(repo.Selector{Staged: true}), "out/deep/c.yaml", "c")
}

func TestWorktreeReadsAreRepeatable(t *testing.T) {
	f := newRepository(t)
	f.write("a", "first")
	f.write("b", "b")
	s := f.open(repo.Selector{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { wantFile(t, s, "a", "first") })
	}
	wg.Wait()
	f.write("a", "second")
	wantFile(t, s, "a", "first")
	f.remove("b")
	if _, err := s.ReadFile("b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that vanished: %v", err)
	}
}

// More directories than are held open, and readers that share them.
func TestWorktreeConcurrentReads(t *testing.T) {
	f := newFixture(t)
	name := func(i int) string { return fmt.Sprintf("a/d%d/e/f%d", i, i) }
	const files = 600
	for i := range files {
		f.write(name(i), fmt.Sprint(i))
	}
	s := f.open(repo.Selector{})
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := range files {
				i := (n*7 + worker*75) % files
				wantFile(t, s, name(i), fmt.Sprint(i))
			}
		})
	}
	wg.Wait()
}

func TestWorktreeInAMerge(t *testing.T) {
	f := conflict(t)
	s := f.open(repo.Selector{})
	wantPaths(t, s, "a.yaml b.yaml")
	if data, err := s.ReadFile("a.yaml"); err != nil || !strings.Contains(string(data), "<<<<<<<") {
		t.Errorf("%q, %v, want the conflict markers that are on disk", data, err)
	}
}

// conflict is a repository in the middle of a merge that failed on a.yaml.
func conflict(t *testing.T) fixture {
	f := newRepository(t)
	f.write("a.yaml", "base\n")
	f.write("b.yaml", "b\n")
	f.commit()
	f.git("switch", "-q", "-c", "theirs")
	f.write("a.yaml", "theirs\n")
	f.commit()
	f.git("switch", "-q", "main")
	f.write("a.yaml", "ours\n")
	f.commit()
	cmd := exec.Command("git", "merge", "-q", "theirs")
	cmd.Dir, cmd.Env = f.dir, identity()
	if err := cmd.Run(); err == nil {
		t.Fatal("the merge has no conflict")
	}
	return f
}
