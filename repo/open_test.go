package repo_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func TestOpenSaysWhereItIs(t *testing.T) {
	f := newRepository(t)
	f.write("apps/shop/a.yaml", "a")
	sha := f.commit()
	for _, tt := range []struct {
		path  string
		sel   repo.Selector
		kind  string
		scope string
	}{
		{"", repo.Selector{}, "worktree", ""},
		{"apps/shop", repo.Selector{}, "worktree", "apps/shop"},
		{"apps", repo.Selector{Staged: true}, "index", "apps"},
		{"apps/", repo.Selector{Rev: "HEAD"}, "commit", "apps"},
	} {
		s, err := repo.Open(context.Background(), f.path(tt.path), tt.sel)
		if err != nil {
			t.Fatal(err)
		}
		if s.Root() != f.dir || s.Scope() != tt.scope || s.Kind() != tt.kind || s.Revision() != sha {
			t.Errorf("%q %+v: root %s, scope %q, kind %s, revision %s", tt.path, tt.sel, s.Root(), s.Scope(), s.Kind(), s.Revision())
		}
		wantFile(t, s, "apps/shop/a.yaml", "a")
	}
}

func TestOpenThroughSymlinkResolvesTheArgument(t *testing.T) {
	f := newRepository(t)
	f.write("apps/shop/a.yaml", "a")
	link := newFixture(t)
	link.symlink(f.path("apps"), "here")
	s, err := repo.Open(context.Background(), link.path("here/shop"), repo.Selector{})
	if err != nil || s.Root() != f.dir || s.Scope() != "apps/shop" {
		t.Fatalf("got %v, %v", s, err)
	}
}

func TestOpenPlainDirectory(t *testing.T) {
	f := newFixture(t)
	f.write("a.yaml", "a")
	f.write("sub/.hidden", "h")
	f.write("sub/.git/config", "not a repository")
	f.write("ignored.log", "l")
	f.write(".gitignore", "*.log")
	s := f.open(repo.Selector{})
	if s.Kind() != "worktree" || s.Revision() != "" || s.Scope() != "" {
		t.Errorf("kind %s, revision %q, scope %q", s.Kind(), s.Revision(), s.Scope())
	}
	wantPaths(t, s, ".gitignore a.yaml ignored.log sub/.hidden")
	wantFile(t, s, "sub/.hidden", "h")
}

func TestOpenRefusesPaths(t *testing.T) {
	f := newRepository(t)
	f.write("a/b.yaml", "b")
	f.commit()
	plain := newFixture(t)
	for _, tt := range []struct {
		name, path string
		sel        repo.Selector
		is         error
		says       string
	}{
		{"missing", f.path("none"), repo.Selector{}, fs.ErrNotExist, "none: no such file or directory"},
		{"a file", f.path("a/b.yaml"), repo.Selector{}, syscall.ENOTDIR, "b.yaml: not a directory"},
		{"below a file", f.path("a/b.yaml/c"), repo.Selector{}, syscall.ENOTDIR, "not a directory"},
		{"missing in a commit", f.path("none"), repo.Selector{Rev: "HEAD"}, fs.ErrNotExist, "directory none of the commit"},
		{"a file of a commit", f.path("a/b.yaml"), repo.Selector{Rev: "HEAD"}, syscall.ENOTDIR, "directory a/b.yaml of the commit"},
		{"missing in the index", f.path("none"), repo.Selector{Staged: true}, fs.ErrNotExist, "directory none of the index"},
		{"inside .git", f.path(".git/refs"), repo.Selector{}, nil, "inside the .git directory"},
		{"plain, missing", plain.path("none"), repo.Selector{Rev: "HEAD"}, fs.ErrNotExist, "none"},
		{"plain, staged", plain.dir, repo.Selector{Staged: true}, repo.ErrNoGit, "no index"},
		{"plain, rev", plain.dir, repo.Selector{Rev: "HEAD"}, repo.ErrNoGit, "so that it has no revision"},
		{"both", f.dir, repo.Selector{Staged: true, Rev: "HEAD"}, nil, "exclude each other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := openErr(t, tt.path, tt.sel)
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
}

// A directory that only an older commit has can be named although it is not on
// disk any more.
func TestOpenScopeOfAnOldCommit(t *testing.T) {
	f := newRepository(t)
	f.write("old/app/a.yaml", "a")
	f.commit()
	f.remove("old")
	f.write("new/b.yaml", "b")
	f.commit()
	s, err := repo.Open(context.Background(), f.path("old/app"), repo.Selector{Rev: "HEAD^"})
	if err != nil || s.Scope() != "old/app" {
		t.Fatalf("got %v, %v", s, err)
	}
	wantFile(t, s, "old/app/a.yaml", "a")
}

func TestOpenWithoutACommit(t *testing.T) {
	f := newRepository(t)
	f.write("a.yaml", "staged")
	f.git("add", "a.yaml")
	f.write("a.yaml", "on disk")
	for _, sel := range []repo.Selector{{}, {Staged: true}} {
		s := f.open(sel)
		if s.Revision() != "" {
			t.Errorf("%s: revision %q, want none", s.Kind(), s.Revision())
		}
		wantPaths(t, s, "a.yaml")
	}
	err := openErr(t, f.dir, repo.Selector{Rev: "HEAD"})
	if !errors.Is(err, repo.ErrRevision) || !strings.Contains(err.Error(), "no commit yet") {
		t.Error(err)
	}
}

func TestOpenEmptyRepository(t *testing.T) {
	f := newRepository(t)
	for _, sel := range []repo.Selector{{}, {Staged: true}} {
		s := f.open(sel)
		if len(s.Files()) != 0 || !s.IsDir(".") {
			t.Errorf("%s: %q, IsDir(.) %v", s.Kind(), paths(s), s.IsDir("."))
		}
	}
}

func TestOpenUnknownRevision(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	f.commit()
	for _, rev := range []string{"nope", "HEAD~9", "--all", "-x", "HEAD:a", "a b", "HEAD\nHEAD", "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"} {
		if err := openErr(t, f.dir, repo.Selector{Rev: rev}); !errors.Is(err, repo.ErrRevision) {
			t.Errorf("%q: %v", rev, err)
		}
	}
}

func TestOpenShallowSaysHowToDeepen(t *testing.T) {
	origin := newRepository(t)
	origin.write("a", "1")
	origin.commit()
	origin.write("a", "2")
	origin.commit()
	f := newFixture(t)
	f.git("clone", "-q", "--depth=1", "file://"+origin.dir, "clone")
	err := openErr(t, f.path("clone"), repo.Selector{Rev: "HEAD^"})
	if !errors.Is(err, repo.ErrRevision) || !strings.Contains(err.Error(), "git fetch --unshallow") {
		t.Error(err)
	}
}

func TestOpenBare(t *testing.T) {
	f := newRepository(t)
	f.write("a.yaml", "a")
	sha := f.commit()
	f.git("clone", "-q", "--bare", ".", "bare.git")
	bare := newFixture(t)
	if err := os.Rename(f.path("bare.git"), bare.path("bare.git")); err != nil {
		t.Fatal(err)
	}
	bare.dir = bare.path("bare.git")
	s := bare.open(repo.Selector{Rev: "main"})
	if s.Root() != bare.dir || s.Revision() != sha {
		t.Errorf("root %s, revision %s", s.Root(), s.Revision())
	}
	wantFile(t, s, "a.yaml", "a")
	for _, sel := range []repo.Selector{{}, {Staged: true}} {
		if err := openErr(t, bare.dir, sel); !strings.Contains(err.Error(), "--rev") {
			t.Error(err)
		}
	}
}

// A bare repository that was committed as files is part of the work tree around
// it, whatever its configuration says.
func TestOpenIgnoresAnEmbeddedBareRepository(t *testing.T) {
	f := newRepository(t)
	f.git("init", "-q", "--bare", "evil")
	f.write("evil/a.yaml", "a")
	s, err := repo.Open(context.Background(), f.path("evil"), repo.Selector{})
	if err != nil || s.Root() != f.dir || s.Scope() != "evil" {
		t.Fatalf("got %v, %v", s, err)
	}
}

func TestOpenLinkedWorktree(t *testing.T) {
	f := newRepository(t)
	f.write("a.yaml", "main")
	f.commit()
	f.git("worktree", "add", "-q", "-b", "other", "../"+f.t.Name()+"-linked")
	linked := fixture{t, f.path("../" + t.Name() + "-linked")}
	linked.write("a.yaml", "linked")
	linked.git("add", "a.yaml")
	linked.write("a.yaml", "disk")
	wantFile(t, linked.open(repo.Selector{}), "a.yaml", "disk")
	wantFile(t, linked.open(repo.Selector{Staged: true}), "a.yaml", "linked")
	wantFile(t, linked.open(repo.Selector{Rev: "other"}), "a.yaml", "main")
	wantFile(t, f.open(repo.Selector{Staged: true}), "a.yaml", "main")
}

func TestOpenSubmoduleAsItsOwnRepository(t *testing.T) {
	sub := newRepository(t)
	sub.write("s.yaml", "s")
	sub.commit()
	f := newRepository(t)
	f.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.dir, "vendor/sub")
	s, err := repo.Open(context.Background(), f.path("vendor/sub"), repo.Selector{Staged: true})
	if err != nil || s.Root() != f.path("vendor/sub") {
		t.Fatalf("got %v, %v", s, err)
	}
	wantFile(t, s, "s.yaml", "s")
}

func TestOpenWithoutGit(t *testing.T) {
	f := newRepository(t)
	plain := newFixture(t)
	plain.write("a", "a")
	t.Setenv("PATH", t.TempDir())
	wantFile(t, plain.open(repo.Selector{}), "a", "a")
	if err := openErr(t, f.dir, repo.Selector{}); !strings.Contains(err.Error(), "git is needed") {
		t.Error(err)
	}
}

func TestOpenRepositoryOfAnotherUser(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	home := newFixture(t)
	env := append(identity(), "GIT_TEST_ASSUME_DIFFERENT_OWNER=1", "GIT_CONFIG_GLOBAL="+home.path("config"))
	err := openErr(t, f.dir, repo.Selector{Env: env})
	if !strings.Contains(err.Error(), "git config --global --add safe.directory "+f.dir) {
		t.Fatal(err)
	}
	home.write("config", "[safe]\n\tdirectory = "+f.dir+"\n")
	wantFile(t, f.open(repo.Selector{Env: env}), "a", "a")
}

func TestOpenCancelled(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	f.commit()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := repo.Open(ctx, f.dir, repo.Selector{Rev: "HEAD"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := s.ReadFile("a"); !errors.Is(err, context.Canceled) {
		t.Errorf("ReadFile: %v", err)
	}
	if _, err := repo.Open(ctx, f.dir, repo.Selector{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
}
