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
	canary := f.path("canary")
	script := f.path(".git/evil")
	f.write(".git/evil", "#!/bin/sh\necho \"$0 $*\" >> '"+canary+"'\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"post-index-change", "post-checkout", "fsmonitor-watchman", "reference-transaction"} {
		f.write(".git/hooks/"+hook, "#!/bin/sh\ntouch '"+canary+"'\n")
		if err := os.Chmod(f.path(".git/hooks/"+hook), 0o755); err != nil {
			t.Fatal(err)
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
[diff]
	external = EVIL
[diff "x"]
	textconv = EVIL
	command = EVIL
`, "EVIL", script))
	f.git("config", "include.path", "more")
	f.git("config", "core.worktree", origin.dir)
	f.write(".gitattributes", "* filter=x diff=x\n")
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
