package repo_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

// Nothing that a repository's own configuration names is run, nor does it move
// the work tree: it may come out of an archive, or from a cache that others
// write.
func TestConfigurationRunsNoProgram(t *testing.T) {
	origin := newRepository(t)
	origin.write("a.yaml", "a")
	origin.write("b.yaml", "b")
	origin.commit()
	origin.git("config", "uploadpack.allowFilter", "true")
	parent := newFixture(t)
	parent.git("clone", "-q", "--filter=blob:none", "--no-checkout", "file://"+origin.dir, "clone")
	f := fixture{t, parent.path("clone")}
	f.git("read-tree", "HEAD")
	f.write("a.yaml", "a")
	canary := f.armed()
	f.git("config", "core.worktree", origin.dir)
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	for _, sel := range []repo.Selector{{Env: env}, {Staged: true, Env: env}, {Rev: "HEAD", Env: env}} {
		s, err := repo.Open(context.Background(), f.dir, sel)
		if (err == nil) != (sel.Rev == "" && !sel.Staged) {
			t.Errorf("%+v: %v, want an error where blobs are missing", sel, err)
		}
		if s != nil {
			wantPaths(t, s, ".gitattributes a.yaml")
			wantFile(t, s, "a.yaml", "a")
		}
		if ran, err := os.ReadFile(canary); err == nil {
			t.Errorf("staged %v, revision %q: a program was run: %s", sel.Staged, sel.Rev, ran)
			f.remove("canary")
		}
	}
}

// armed makes every setting that can name a program name one, and returns the
// file that it writes.
func (f fixture) armed() (canary string) {
	f.t.Helper()
	canary = f.path("canary")
	script := f.path(".git/evil")
	f.write(".git/evil", "#!/bin/sh\necho \"$0 $*\" >> '"+canary+"'\n")
	if err := os.Chmod(script, 0o755); err != nil {
		f.t.Fatal(err)
	}
	for _, hook := range []string{"post-index-change", "post-checkout", "fsmonitor-watchman", "reference-transaction"} {
		f.write(".git/hooks/"+hook, "#!/bin/sh\ntouch '"+canary+"'\n")
		if err := os.Chmod(f.path(".git/hooks/"+hook), 0o755); err != nil {
			f.t.Fatal(err)
		}
	}
	f.write(".git/more", strings.ReplaceAll(`
[core]
	fsmonitor = EVIL
	sshCommand = EVIL
	pager = EVIL
	askPass = EVIL
	alternateRefsCommand = EVIL
	gitProxy = EVIL
[remote "origin"]
	uploadpack = EVIL
[pager]
	ls-files = true
	cat-file = true
[alias]
	ls-files = !EVIL
	cat-file = !EVIL
	rev-parse = !EVIL
[filter "x"]
	clean = EVIL
	smudge = EVIL
	process = EVIL
[log]
	showSignature = true
[gpg]
	program = EVIL
[diff]
	orderFile = EVIL
	external = EVIL
[diff "x"]
	textconv = EVIL
	command = EVIL
`, "EVIL", script))
	f.git("config", "include.path", "more")
	f.write(".gitattributes", "* filter=x diff=x\n")
	return canary
}

// Neither does comparing, naming or history run one, also where Git would have
// to look into a file to know whether it has changed.
func TestHistoryRunsNoProgram(t *testing.T) {
	f, left := fork(t)
	f.write("signed", "s")
	f.git("add", "signed")
	tree := f.git("write-tree")
	signed := f.pipe("tree "+tree+"\nparent "+left+"\nauthor a <a@b> 0 +0000\ncommitter a <a@b> 0 +0000\n"+
		"gpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\nm", "hash-object", "-w", "-t", "commit", "--stdin")
	f.git("update-ref", "HEAD", signed)
	canary := f.armed()
	f.write("app/a", "CHANGED")
	ctx := t.Context()
	for _, sel := range []repo.Selector{{}, {Staged: true}, {Rev: "HEAD"}} {
		s := f.open(sel)
		if got := changed(t, s, base(t, s, "main")); !strings.Contains(got, "modified app/a") {
			t.Errorf("%s: %s", s.Kind(), got)
		}
		if _, ok := s.ID("signed"); !ok {
			t.Errorf("%s: no id", s.Kind())
		}
		if err := s.Added(ctx, "main", "HEAD", func(repo.Addition) error { return nil }); err != nil {
			t.Error(err)
		}
		if _, err := s.LastChanged(ctx, []string{"signed"}); err != nil {
			t.Error(err)
		}
		if ran, err := os.ReadFile(canary); err == nil {
			t.Fatalf("%s: a program was run: %s", s.Kind(), ran)
		}
	}
}
