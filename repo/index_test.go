package repo_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func TestIndexIsWhatWouldBeCommitted(t *testing.T) {
	f := newRepository(t)
	f.write("changed", "committed")
	f.write("removed", "r")
	f.write("empty", "")
	f.commit()
	f.write("changed", "staged")
	f.write("added", "a")
	f.write("added-empty", "")
	f.git("add", ".")
	f.git("rm", "-q", "removed")
	f.write("changed", "on disk")
	f.write("untracked", "u")
	f.write("announced", "n")
	f.git("add", "-N", "announced")
	f.remove("added")
	s := f.open(repo.Selector{Staged: true})
	wantPaths(t, s, "added added-empty changed empty")
	wantFile(t, s, "changed", "staged")
	wantFile(t, s, "added", "a")
	wantFile(t, s, "added-empty", "")
}

func TestIndexWithAConflict(t *testing.T) {
	f := conflict(t)
	err := openErr(t, f.dir, repo.Selector{Staged: true})
	if !strings.Contains(err.Error(), "unmerged paths: a.yaml;") {
		t.Error(err)
	}
}

// `git commit -a` and `git commit FILE` give their hook an index of its own.
func TestIndexOfAHook(t *testing.T) {
	f := newRepository(t)
	f.write("a", "committed")
	f.commit()
	f.write("a", "about to be committed")
	index, err := os.ReadFile(f.path(".git/index"))
	if err != nil {
		t.Fatal(err)
	}
	f.write(".git/next-index", string(index))
	t.Setenv("GIT_INDEX_FILE", ".git/next-index")
	f.git("add", "a")
	wantFile(t, f.open(repo.Selector{Staged: true}), "a", "about to be committed")
	wantFile(t, f.open(repo.Selector{Staged: true, Env: []string{"PATH=" + os.Getenv("PATH")}}), "a", "committed")
	env := []string{"PATH=" + os.Getenv("PATH"), "GIT_INDEX_FILE=" + f.path(".git/next-index")}
	wantFile(t, f.open(repo.Selector{Staged: true, Env: env}), "a", "about to be committed")
}

// Variables that name another repository are not meant for the one that the
// path names.
func TestEnvironmentOfAnotherRepository(t *testing.T) {
	other := newRepository(t)
	other.write("other", "o")
	other.commit()
	f := newRepository(t)
	f.write("a", "a")
	f.commit()
	env := append(os.Environ(), "GIT_DIR="+other.path(".git"), "GIT_WORK_TREE="+other.dir,
		"GIT_OBJECT_DIRECTORY="+other.path(".git/objects"), "GIT_NAMESPACE=x")
	for _, sel := range []repo.Selector{{Env: env}, {Staged: true, Env: env}, {Rev: "HEAD", Env: env}} {
		s := f.open(sel)
		wantPaths(t, s, "a")
		wantFile(t, s, "a", "a")
	}
}

// A pre-receive hook judges commits whose objects are still in quarantine.
func TestQuarantine(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	f.commit()
	f.git("clone", "-q", "--bare", ".", "bare.git")
	f.write("b", "b")
	sha := f.commit()
	env := append(os.Environ(), "GIT_DIR="+f.path("bare.git"), "GIT_QUARANTINE_PATH="+f.path(".git/objects"),
		"GIT_OBJECT_DIRECTORY="+f.path(".git/objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES="+f.path("bare.git/objects"))
	bare := newFixture(t)
	if err := os.Rename(f.path("bare.git"), bare.path("bare.git")); err != nil {
		t.Fatal(err)
	}
	env = append(env, "GIT_DIR="+bare.path("bare.git"))
	bare.dir = bare.path("bare.git")
	wantFile(t, bare.open(repo.Selector{Rev: sha, Env: env}), "b", "b")
	if err := openErr(t, bare.dir, repo.Selector{Rev: sha}); !strings.Contains(err.Error(), "unknown revision") {
		t.Error(err)
	}
}
