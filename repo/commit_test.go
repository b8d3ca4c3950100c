package repo_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func TestCommitIsRawBlobs(t *testing.T) {
	f := newRepository(t)
	f.write(".gitattributes", "* text eol=crlf filter=shout diff=shout ident\n")
	f.write("a.yaml", "$Id$\na\n")
	f.git("add", ".")
	f.git("commit", "-q", "-m", "c")
	f.git("config", "filter.shout.smudge", "tr a-z A-Z")
	f.git("config", "diff.shout.textconv", "tr a-z A-Z <")
	f.remove("a.yaml")
	f.git("checkout", "-q", "a.yaml")
	wantFile(t, f.open(repo.Selector{Rev: "HEAD"}), "a.yaml", "$Id$\na\n")
	wantFile(t, f.open(repo.Selector{Staged: true}), "a.yaml", "$Id$\na\n")
}

// Replace refs make Git show another object under the name of a reviewed one.
func TestCommitIgnoresReplaceRefs(t *testing.T) {
	f := newRepository(t)
	f.write("a.yaml", "reviewed")
	sha := f.commit()
	blob := f.git("rev-parse", "HEAD:a.yaml")
	spoof := f.pipe("spoofed", "hash-object", "-w", "--stdin")
	f.git("replace", blob, spoof)
	f.write("b.yaml", "b")
	f.git("add", "b.yaml")
	other := f.git("commit-tree", "-m", "x", f.git("write-tree"))
	f.git("rm", "-q", "--cached", "b.yaml")
	f.git("replace", sha, other)
	if got := f.git("show", sha+":a.yaml"); got != "spoofed" {
		t.Fatalf("the replace ref does not work: %q", got)
	}
	f.remove("b.yaml")
	for _, sel := range []repo.Selector{{Rev: sha}, {Staged: true}} {
		s := f.open(sel)
		wantPaths(t, s, "a.yaml")
		wantFile(t, s, "a.yaml", "reviewed")
	}
}

func TestCommitByAnyName(t *testing.T) {
	f := newRepository(t)
	f.write("a", "1")
	first := f.commit()
	f.git("tag", "-a", "-m", "t", "v1")
	f.write("a", "2")
	f.commit()
	for _, rev := range []string{first, first[:12], "v1", "HEAD^", "main~1"} {
		s, want := f.open(repo.Selector{Rev: rev}), first
		if s.Revision() != want {
			t.Errorf("%s: revision %s, want %s", rev, s.Revision(), want)
		}
		wantFile(t, s, "a", "1")
	}
}

// tree writes a tree object that Git's own commands would not, and a commit of
// it. Each entry is "mode name".
func (f fixture) rawTree(entries ...string) string {
	f.t.Helper()
	id, err := hex.DecodeString(f.pipe("x", "hash-object", "-w", "--stdin"))
	if err != nil {
		f.t.Fatal(err)
	}
	var raw strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&raw, "%s\x00%s", e, id)
	}
	tree := f.pipe(raw.String(), "hash-object", "-w", "-t", "tree", "--literally", "--stdin")
	return f.git("commit-tree", "-m", "x", tree)
}

func TestCommitWithATreeThatLies(t *testing.T) {
	f := newRepository(t)
	for _, tt := range []struct {
		entries []string
		says    string
	}{
		{[]string{"100644 a", "100644 a"}, "twice"},
		{[]string{"100644 .."}, "no Git would check out"},
		{[]string{"100644 ../x"}, "no Git would check out"},
		{[]string{"100644 a", "100644 a/b"}, "a file and a directory"},
		{[]string{"100644 /etc/x"}, "no Git would check out"},
	} {
		if err := openErr(t, f.dir, repo.Selector{Rev: f.rawTree(tt.entries...)}); !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: %v, want %q", tt.entries, err, tt.says)
		}
	}
}

func TestCommitSHA256(t *testing.T) {
	f := newFixture(t)
	f.git("init", "-q", "--object-format=sha256")
	f.write("a", "a")
	sha := f.commit()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		if s.Revision() != sha {
			t.Errorf("revision %s", s.Revision())
		}
		wantFile(t, s, "a", "a")
	}
}

func TestCommitWithAMissingBlob(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	f.write("b", "b")
	f.commit()
	blob := f.git("rev-parse", "HEAD:a")
	f.remove(".git/objects/" + blob[:2] + "/" + blob[2:])
	for _, sel := range []repo.Selector{{Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		if e, _ := s.Lookup("a"); e.Size != -1 {
			t.Errorf("%s: %+v", s.Kind(), e)
		}
		refused(t, s, "a", "render-error", "is not in this clone")
		wantFile(t, s, "b", "b")
	}
}

// A partial clone fetches blobs when it needs them. That would be use of the
// network, with the user's credentials, so the user is asked to do it.
func TestPartialClone(t *testing.T) {
	origin := newRepository(t)
	origin.write("in/a", "a")
	origin.write("out/b", "b")
	origin.commit()
	origin.git("config", "uploadpack.allowFilter", "true")
	parent := newFixture(t)
	parent.git("clone", "-q", "--filter=blob:none", "--sparse", "file://"+origin.dir, "clone")
	f := fixture{t, parent.path("clone")}
	f.git("sparse-checkout", "set", "in")
	s := f.open(repo.Selector{})
	wantPaths(t, s, "in/a out/b")
	wantFile(t, s, "in/a", "a")
	refused(t, s, "out/b", "render-error", "is not in this clone")
	for _, sel := range []repo.Selector{{Staged: true}, {Rev: "HEAD"}} {
		if err := openErr(t, f.dir, sel); !strings.Contains(err.Error(), "git fetch --refetch --no-filter") {
			t.Error(err)
		}
	}
}

// Many readers at once, some beyond what is fetched ahead, see the right bytes.
func TestCommitConcurrentReads(t *testing.T) {
	f := newRepository(t)
	const files = 300
	for i := range files {
		f.write(fmt.Sprintf("d%d/f%d", i%7, i), strings.Repeat(fmt.Sprintln(i), i))
	}
	for i := range 5 { // 5 x 15 MiB is more than the 64 MiB that are fetched ahead
		f.write(fmt.Sprintf("big%d", i), fmt.Sprint(i))
		if err := os.Truncate(f.path(fmt.Sprintf("big%d", i)), 15<<20); err != nil {
			t.Fatal(err)
		}
	}
	f.commit()
	s := f.open(repo.Selector{Rev: "HEAD"})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range files {
				wantFile(t, s, fmt.Sprintf("d%d/f%d", i%7, i), strings.Repeat(fmt.Sprintln(i), i))
			}
			for i := range 5 {
				data, err := s.ReadFile(fmt.Sprintf("big%d", i))
				if err != nil || len(data) != 15<<20 || data[0] != '0'+byte(i) {
					t.Errorf("big%d: %d bytes, %v", i, len(data), err)
				}
			}
		})
	}
	wg.Wait()
}
