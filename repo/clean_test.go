package repo_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/repo"
)

// settle writes the index anew, later than every file, so that no entry is
// racy. Clocks of file systems tick every 10 ms at the least.
func settle(t *testing.T, f fixture) {
	t.Helper()
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("on this system every file is read")
	}
	time.Sleep(30 * time.Millisecond)
	f.git("update-index", "--force-write-index")
}

func wantProved(t *testing.T, f fixture, want string) {
	t.Helper()
	if got := strings.Join(f.open(repo.Selector{}).Proved(), " "); got != want {
		t.Errorf("proved by the index: %q, want %q", got, want)
	}
}

func TestIndexProvesWhatIsClean(t *testing.T) {
	f := newRepository(t)
	for _, name := range []string{"clean", "edited", "touched", "dir/x", "empty"} {
		f.write(name, "1")
	}
	f.write("empty", "")
	f.symlink("clean", "link")
	f.commit()
	settle(t, f)
	f.write("edited", "2")
	f.write("untracked", "1")
	f.write("announced", "")
	f.git("add", "-N", "announced")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(f.path("touched"), later, later); err != nil {
		t.Fatal(err)
	}
	wantProved(t, f, "clean dir/x empty link")
}

// A file may change in the tick of the clock in which the index was written:
// nothing in its stat data shows it, and only the age of the index tells.
func TestIndexProvesNothingRacy(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	f.commit()
	settle(t, f)
	wantProved(t, f, "a")
	info, err := os.Stat(f.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	written := func(at time.Time) {
		t.Helper()
		if err := os.Chtimes(f.path(".git/index"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	written(info.ModTime())
	wantProved(t, f, "")
	written(info.ModTime().Add(-time.Second))
	wantProved(t, f, "")
	written(info.ModTime().Add(time.Millisecond))
	wantProved(t, f, "a")
}

// A file system that keeps whole seconds has a slow clock, whatever the one of
// the index does.
func TestIndexProvesNothingByASlowClock(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	second := time.Now().Truncate(time.Second).Add(-10 * time.Second)
	if err := os.Chtimes(f.path("a"), second, second); err != nil {
		t.Fatal(err)
	}
	f.commit()
	for after, want := range map[time.Duration]string{1500 * time.Millisecond: "", 3500 * time.Millisecond: "a"} {
		at := second.Add(after)
		if err := os.Chtimes(f.path(".git/index"), at, at); err != nil {
			t.Fatal(err)
		}
		wantProved(t, f, want)
	}
}

func TestIndexProvesNothingConverted(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	f.write(".gitattributes", "* text=auto eol=lf\n*.png binary\n")
	f.commit()
	settle(t, f)
	wantProved(t, f, ".gitattributes a")
	f.write("x/.gitattributes", "[attr]hidden working-tree-encoding=UTF-16\n")
	wantProved(t, f, "")
	f.remove("x")
	f.write(".git/info/attributes", "* ident\n")
	wantProved(t, f, "")
	f.remove(".git/info/attributes")
	wantProved(t, f, ".gitattributes a")
}

// Files that come and go between two runs of Git, as fast as they can, are
// never taken for what they were.
func TestIndexUnderFastEdits(t *testing.T) {
	f := newRepository(t)
	f.write("a", "0")
	base := f.commit()
	for n := range 40 {
		content := fmt.Sprint(n % 10)
		f.git("update-index", "--refresh", "-q")
		f.write("a", content)
		s := f.open(repo.Selector{})
		want := "modified a"
		if content == "0" {
			want = ""
		}
		if got := changed(t, s, at(t, s, base)); got != want {
			t.Fatalf("edit %d: %q, want %q", n, got, want)
		}
		f.git("add", "a")
	}
}
