package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	plainSecret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\nstringData:\n  password: correct-horse-battery-staple\n"
	emptySecret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\n"
	shopSpace   = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"
)

// hooked is a repository in which the real pre-commit runs one of our hooks.
type hooked struct {
	proposal
	program string
	env     []string
}

// hook sets a repository up with the hook id of the revision rev of the
// repository from. What is committed first goes past the hook.
func hook(t *testing.T, from, rev, id string) *hooked {
	t.Helper()
	program, err := exec.LookPath("pre-commit")
	if err != nil {
		t.Skip("pre-commit is not installed: apt-get install pre-commit")
	}
	h := &hooked{proposal: proposal{dir: t.TempDir()}, program: program}
	h.env = append(os.Environ(), "PRE_COMMIT_HOME="+t.TempDir(), "PRE_COMMIT_COLOR=never", "GIT_AUTHOR_NAME=test", "GIT_COMMITTER_NAME=test",
		"GIT_AUTHOR_EMAIL=test@shop.example", "GIT_COMMITTER_EMAIL=test@shop.example")
	h.git(t, "init", "-q", "-b", "main")
	h.write(t, ".pre-commit-config.yaml", fmt.Sprintf("repos:\n  - repo: %s\n    rev: %s\n    hooks:\n      - id: %s\n", from, rev, id))
	h.write(t, "apps/namespace.yaml", shopSpace)
	h.write(t, "apps/db.yaml", emptySecret)
	h.git(t, "add", "-A")
	h.git(t, "commit", "-q", "-m", "one")
	if out, err := h.run("pre-commit", "install"); err != nil {
		t.Fatalf("pre-commit install: %v\n%s", err, out)
	}
	return h
}

func (h *hooked) run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = h.dir, h.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// commit commits what is staged and reports whether the hook let it through.
func (h *hooked) commit(t *testing.T, message string) (out string, ok bool) {
	t.Helper()
	before := h.git(t, "rev-parse", "HEAD")
	out, err := h.run("git", "commit", "-q", "-m", message)
	if committed := h.git(t, "rev-parse", "HEAD") != before; committed != (err == nil) {
		t.Fatalf("%s: git says %v, committed %v\n%s", message, err, committed, out)
	}
	return out, err == nil
}

// ourHooks is a repository that offers the hooks and nothing else, as the
// variants of language system need nothing else.
func ourHooks(t *testing.T) (dir, rev string) {
	t.Helper()
	data, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := proposal{dir: t.TempDir()}
	p.git(t, "init", "-q")
	p.write(t, ".pre-commit-hooks.yaml", string(data))
	p.git(t, "add", "-A")
	p.git(t, "commit", "-q", "-m", "hooks")
	return p.dir, p.git(t, "rev-parse", "HEAD")
}

// The hook judges the index: what is about to be committed, whatever is on disk.
func TestPreCommitReadsTheIndex(t *testing.T) {
	dir, rev := ourHooks(t)
	h := hook(t, dir, rev, "sallyport-system")

	h.write(t, "apps/db.yaml", plainSecret)
	h.git(t, "add", "apps/db.yaml")
	h.write(t, "apps/db.yaml", emptySecret)
	out, ok := h.commit(t, "a staged secret, a clean work tree")
	if ok || !strings.Contains(out, "secret-plaintext") || !strings.Contains(out, "apps/db.yaml:7") {
		t.Errorf("a staged plaintext secret was committed (%v):\n%s", ok, out)
	}
	if strings.Contains(out, "correct-horse") {
		t.Errorf("the hook prints the secret:\n%s", out)
	}

	h.git(t, "reset", "-q")
	h.write(t, "apps/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n  namespace: shop\n")
	h.git(t, "add", "apps/config.yaml")
	h.write(t, "apps/db.yaml", plainSecret)
	if out, ok = h.commit(t, "nothing bad staged, a secret on disk"); !ok {
		t.Errorf("a clean commit was stopped:\n%s", out)
	}
	if data, _ := os.ReadFile(filepath.Join(h.dir, "apps/db.yaml")); string(data) != plainSecret {
		t.Error("the work tree is not as it was")
	}

	// Without the framework, which puts the work tree aside, the same holds.
	for _, entry := range entries(t) {
		if out, err := h.run(entry[0], entry[1:]...); err != nil {
			t.Errorf("%v: %v\n%s", entry, err, out)
		}
	}

	h.git(t, "checkout", "-q", "apps/db.yaml")
	if out, ok = commitPath(t, h, plainSecret); ok {
		t.Errorf("git commit FILE went past the hook:\n%s", out)
	}
}

// entries returns the command of every hook.
func entries(t *testing.T) [][]string {
	t.Helper()
	data, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct{ Entry string }
	if err := yaml.Unmarshal(data, &hooks); err != nil || len(hooks) == 0 {
		t.Fatalf("%d hooks: %v", len(hooks), err)
	}
	var out [][]string
	for _, h := range hooks {
		out = append(out, strings.Fields(h.Entry))
	}
	return out
}

// commitPath uses `git commit FILE`, which commits from an index of its own.
func commitPath(t *testing.T, h *hooked, text string) (out string, ok bool) {
	t.Helper()
	h.write(t, "apps/db.yaml", text)
	out, err := h.run("git", "commit", "-q", "-m", "by path", "apps/db.yaml")
	return out, err == nil
}

// A deletion breaks a target although no file is left to hand to a hook.
func TestPreCommitOnDeletion(t *testing.T) {
	dir, rev := ourHooks(t)
	h := hook(t, dir, rev, "sallyport-system")
	h.write(t, "apps/kustomization.yaml", "resources: [namespace.yaml, db.yaml]\n")
	h.git(t, "add", "-A")
	if out, ok := h.commit(t, "a kustomization"); !ok {
		t.Fatalf("stopped:\n%s", out)
	}
	h.git(t, "rm", "-q", "apps/db.yaml")
	if out, ok := h.commit(t, "a deletion"); ok || !strings.Contains(out, "render-error") {
		t.Errorf("committed %v:\n%s", ok, out)
	}
}

// The hook for secrets alone needs no target, and does not stop what only other
// checks are about.
func TestPreCommitSecrets(t *testing.T) {
	dir, rev := ourHooks(t)
	h := hook(t, dir, rev, "sallyport-secrets-system")
	h.git(t, "rm", "-q", "-r", "apps")
	h.write(t, "README.md", "nothing to deploy\n")
	h.git(t, "add", "-A")
	if out, ok := h.commit(t, "no target left"); !ok {
		t.Fatalf("stopped without a target:\n%s", out)
	}
	h.write(t, "notes/env.yaml", plainSecret)
	h.git(t, "add", "-A")
	h.write(t, "notes/env.yaml", emptySecret)
	out, ok := h.commit(t, "a staged secret, a clean work tree")
	if ok || !strings.Contains(out, "secret-plaintext") || !strings.Contains(out, "not run: render schema references policy") {
		t.Errorf("committed %v:\n%s", ok, out)
	}
	if strings.Contains(out, "correct-horse") {
		t.Errorf("the hook prints the secret:\n%s", out)
	}
	h.git(t, "rm", "-q", "-f", "--cached", "notes/env.yaml")
	h.write(t, "apps/kustomization.yaml", "resources: [gone.yaml]\n")
	h.git(t, "add", "apps")
	if out, ok = h.commit(t, "a target that does not render"); !ok {
		t.Errorf("stopped by what is no secret:\n%s", out)
	}
}

// The golang variant is built by pre-commit from this repository, as it is
// committed.
func TestPreCommitBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if exec.Command("git", "-C", root, "cat-file", "-e", "HEAD:.pre-commit-hooks.yaml").Run() != nil {
		t.Skip("this is no clone of the repository, or the hooks are not committed yet")
	}
	rev := proposal{dir: root}.git(t, "rev-parse", "HEAD")
	h := hook(t, root, rev, "sallyport")
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	h.env = append(h.env, "GOMODCACHE="+strings.TrimSpace(string(cache)), "GOPROXY=off", "GOTOOLCHAIN=local")
	h.write(t, "apps/db.yaml", plainSecret)
	h.git(t, "add", "-A")
	if out, ok := h.commit(t, "a secret"); ok || !strings.Contains(out, "secret-plaintext") {
		t.Errorf("committed %v:\n%s", ok, out)
	}
}
