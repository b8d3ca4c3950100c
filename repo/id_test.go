package repo_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func wantID(t *testing.T, s *repo.Snapshot, name, want string) {
	t.Helper()
	if got, ok := s.ID(name); !ok || got != want {
		t.Errorf("%s in the %s: id %s, %v, want %s", name, s.Kind(), got, ok, want)
	}
}

func TestIDIsGits(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		f := newFixture(t)
		f.git("init", "-q", "--object-format="+format)
		f.write("tracked", "t\n")
		f.write("empty", "")
		f.commit()
		f.write("untracked", "u")
		for _, name := range []string{"tracked", "empty"} {
			for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
				wantID(t, f.open(sel), name, f.git("hash-object", name))
			}
		}
		s := f.open(repo.Selector{})
		wantFile(t, s, "untracked", "u")
		wantID(t, s, "untracked", f.git("hash-object", "untracked"))
		if id, ok := s.ID("none"); ok {
			t.Errorf("a path that does not exist has the id %s", id)
		}
	}
}

func TestIDOutsideGit(t *testing.T) {
	f := newFixture(t)
	f.write("a", "a\n")
	// printf 'blob 2\0a\n' | sha256sum
	wantID(t, f.open(repo.Selector{}), "a", "f8625e43f9e04f24291f77cdbe4c71b3c2a3b0003f60419b3ed06a058d766c8b")
}

// What ReadFile refuses has no id, so that no verdict about it can be shared
// with a file of the same bytes.
func TestIDOfWhatIsNotRead(t *testing.T) {
	f := newRepository(t)
	f.write("file", "target")
	f.symlink("target", "link")
	f.write("giant", "")
	if err := os.Truncate(f.path("giant"), repo.MaxFileSize+1); err != nil {
		t.Fatal(err)
	}
	f.commit()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		for _, name := range []string{"link", "giant", "none", "", "../file"} {
			if id, ok := s.ID(name); ok {
				t.Errorf("%q in the %s: id %s", name, s.Kind(), id)
			}
		}
	}
}

// A file that changes after its id was given is refused: what is remembered
// under the id must be true of the bytes that were read.
func TestIDBindsReadFile(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	f.write("b", "1")
	f.commit()
	s := f.open(repo.Selector{})
	one := f.git("hash-object", "a")
	wantID(t, s, "a", one)
	wantFile(t, s, "b", "1")
	f.write("a", "2")
	f.write("b", "2")
	refused(t, s, "a", "render-error", "changed while")
	wantID(t, s, "a", one)
	wantID(t, s, "b", one)
}

// Whoever asks first, for the id or the bytes, all agree.
func TestIDConcurrent(t *testing.T) {
	f := newRepository(t)
	const files = 100
	for i := range files {
		f.write(fmt.Sprintf("f%d", i), fmt.Sprint(i%7))
	}
	s := f.open(repo.Selector{})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range files {
				name := fmt.Sprintf("f%d", i)
				if (i+worker)%2 == 0 {
					wantFile(t, s, name, fmt.Sprint(i%7))
				}
				a, okA := s.ID(name)
				b, okB := s.ID(fmt.Sprintf("f%d", i%7))
				if !okA || !okB || a != b {
					t.Errorf("%s: %s, %s", name, a, b)
				}
			}
		})
	}
	wg.Wait()
}

// A conversion that keeps the size leaves other bytes on disk than Git has,
// although Git calls the file unchanged.
func TestIDBehindAFilter(t *testing.T) {
	f := newRepository(t)
	f.write("a", "letters")
	f.write(".gitattributes", "a filter=shout\n")
	f.commit()
	f.git("config", "filter.shout.smudge", "tr a-z A-Z")
	f.git("config", "filter.shout.clean", "tr A-Z a-z")
	f.remove("a")
	f.git("checkout", "-q", "a")
	settle(t, f)
	shouted := f.pipe("LETTERS", "hash-object", "--stdin")
	for _, hide := range []func(){
		func() {},
		func() { f.remove(".gitattributes") },
		func() {
			f.write(".git/info/attributes", "a filter=shout\n")
			f.git("rm", "-q", "--cached", ".gitattributes")
		},
	} {
		hide()
		s := f.open(repo.Selector{})
		wantID(t, s, "a", shouted)
		wantFile(t, s, "a", "LETTERS")
	}
}
