package fetch_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/apply/fetch"
	"github.com/sallyport/sallyport/repo"
)

// canary is a credential that no error may show.
const canary = "Xq7-canary-2c0ffee4f00d"

// origin is a real Git repository that is fetched from.
type origin struct {
	t   *testing.T
	dir string
}

func newOrigin(t *testing.T) origin {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	o := origin{t, filepath.Join(t.TempDir(), "fleet.git")}
	if err := os.Mkdir(o.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.git("init", "-q", "-b", "main")
	o.git("config", "http.receivepack", "false")
	o.commit("web.yaml", "kind: Pod\n")
	return o
}

func environment() []string {
	return append(os.Environ(),
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
}

func (o origin) git(args ...string) string { return o.pipe("", args...) }

func (o origin) pipe(stdin string, args ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = o.dir, environment(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes a file and commits it. The SHA is returned.
func (o origin) commit(name, text string, args ...string) string {
	o.t.Helper()
	file := filepath.Join(o.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		o.t.Fatal(err)
	}
	o.git("add", "-A")
	o.git(append([]string{"commit", "-q", "-m", "change " + name}, args...)...)
	return o.git("rev-parse", "HEAD")
}

// commitTree commits a tree that was made by hand.
func (o origin) commitTree(tree string) string {
	o.t.Helper()
	sha := o.git("commit-tree", tree, "-m", "by hand")
	o.git("update-ref", "refs/heads/main", sha)
	return sha
}

func (o origin) tree(lines ...string) string {
	o.t.Helper()
	return o.pipe(strings.Join(lines, "\n")+"\n", "mktree")
}

func (o origin) blob(text string) string {
	o.t.Helper()
	return o.pipe(text, "hash-object", "-w", "--stdin")
}

// local fetches from disk.
func (o origin) local() fetch.Options { return fetch.Options{URL: "file://" + o.dir} }

// web serves the repository by https, to whoever knows the password. Changes of
// the request and of the answer can be put in between.
func (o origin) web(between func(http.Handler) http.Handler) fetch.Options {
	o.t.Helper()
	backend := filepath.Join(o.git("--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		o.t.Skip("git http-backend is not installed")
	}
	var handler http.Handler = &cgi.Handler{
		Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(o.dir), "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"PATH"}, Logger: log.New(io.Discard, "", 0), Stderr: io.Discard,
	}
	if between != nil {
		handler = between(handler)
	}
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "git" || password != canary {
			http.Error(w, "wrong password "+password+" in "+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
	server := httptest.NewUnstartedServer(guarded)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	o.t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return fetch.Options{
		URL: server.URL + "/fleet.git", Mirror: filepath.Join(o.t.TempDir(), "mirror"),
		HTTPS: fetch.HTTPS{PasswordFile: file(o.t, canary+"\n"), CAFile: file(o.t, string(ca))},
	}
}

// file writes a file of a test and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "*")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func open(t *testing.T, opts fetch.Options) *fetch.Source {
	t.Helper()
	s, err := fetch.Open(context.Background(), opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// refused opens what must not open. No error shows the canary.
func refused(t *testing.T, opts fetch.Options) error {
	t.Helper()
	s, err := fetch.Open(context.Background(), opts)
	if err == nil {
		s.Close()
		t.Fatal("Open: no error")
	}
	for _, secret := range []string{canary, base64.StdEncoding.EncodeToString([]byte("git:" + canary))} {
		for i := 0; i+8 <= len(secret); i++ {
			if strings.Contains(err.Error(), secret[i:i+8]) {
				t.Fatalf("part of a credential is in the error: %v", err)
			}
		}
	}
	return err
}

func snapshot(t *testing.T, s *fetch.Source) *repo.Snapshot {
	t.Helper()
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// wantCommit checks the revision and the files with their contents: equal to what
// package repo reads with Git.
func wantCommit(t *testing.T, s *fetch.Source, o origin, sha string) {
	t.Helper()
	if s.Revision() != sha {
		t.Fatalf("revision %s, want %s", s.Revision(), sha)
	}
	want, err := repo.Open(context.Background(), o.dir, repo.Selector{Rev: sha})
	if err != nil {
		t.Fatal(err)
	}
	got := snapshot(t, s)
	if got.Revision() != sha || got.Kind() != "commit" {
		t.Errorf("the snapshot is %s %s", got.Kind(), got.Revision())
	}
	if len(got.Files()) != len(want.Files()) {
		t.Fatalf("%d files, want %d", len(got.Files()), len(want.Files()))
	}
	for i, e := range want.Files() {
		if got.Files()[i] != e {
			t.Errorf("entry %+v, want %+v", got.Files()[i], e)
		}
		a, aErr := got.ReadFile(e.Path)
		b, bErr := want.ReadFile(e.Path)
		if string(a) != string(b) || (aErr == nil) != (bErr == nil) || aErr != nil && aErr.Error() != bErr.Error() {
			t.Errorf("%s: %q, %v; want %q, %v", e.Path, a, aErr, b, bErr)
		}
		aID, _ := got.ID(e.Path)
		if bID, _ := want.ID(e.Path); aID != bID {
			t.Errorf("%s: id %s, want %s", e.Path, aID, bID)
		}
	}
}
