package repo_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

// fixture is a real Git repository, or a plain directory before init.
type fixture struct {
	t   *testing.T
	dir string
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return fixture{t, dir}
}

func newRepository(t *testing.T) fixture {
	t.Helper()
	f := newFixture(t)
	f.git("init", "-q", "-b", "main")
	return f
}

// identity makes commits equal on every machine, and keeps the configuration
// of whoever runs the tests out of them.
func identity() []string {
	return append(os.Environ(),
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
}

func (f fixture) git(args ...string) string {
	f.t.Helper()
	return f.pipe("", args...)
}

func (f fixture) pipe(stdin string, args ...string) string {
	f.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = f.dir, identity(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (f fixture) path(name string) string { return filepath.Join(f.dir, name) }

func (f fixture) write(name, content string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(f.path(name)), 0o777); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(f.path(name), []byte(content), 0o666); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) remove(name string) {
	f.t.Helper()
	if err := os.RemoveAll(f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) symlink(target, name string) {
	f.t.Helper()
	if err := os.Symlink(target, f.path(name)); err != nil {
		f.t.Skipf("symbolic links cannot be made here: %v", err)
	}
}

// commit adds everything and commits it.
func (f fixture) commit() string {
	f.t.Helper()
	f.git("add", "-A")
	f.git("commit", "-q", "-m", "c")
	return f.git("rev-parse", "HEAD")
}

func (f fixture) open(sel repo.Selector) *repo.Snapshot {
	f.t.Helper()
	s, err := repo.Open(context.Background(), f.dir, sel)
	if err != nil {
		f.t.Fatalf("Open: %v", err)
	}
	return s
}

// openErr opens a path that must not open, and returns the error.
func openErr(t *testing.T, path string, sel repo.Selector) error {
	t.Helper()
	s, err := repo.Open(context.Background(), path, sel)
	if err == nil || s != nil {
		t.Fatalf("Open(%s): got %v, %v, want an error and no snapshot", path, s, err)
	}
	return err
}

func paths(s *repo.Snapshot) string {
	var out []string
	for _, e := range s.Files() {
		out = append(out, e.Path)
	}
	return strings.Join(out, " ")
}

func wantPaths(t *testing.T, s *repo.Snapshot, want string) {
	t.Helper()
	if got := paths(s); got != want {
		t.Errorf("files of the %s: %q, want %q", s.Kind(), got, want)
	}
}

func wantFile(t *testing.T, s *repo.Snapshot, name, want string) {
	t.Helper()
	got, err := s.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s in the %s: %q, %v, want %q", name, s.Kind(), got, err, want)
	}
}
