package secrets

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/peer"
)

const someCommit = "0123456789abcdef0123456789abcdef01234567"

func places(found []finding.Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, f.Rule+" "+f.Location.String()+" "+f.Pointer)
	}
	return out
}

// Only values that no parent has are what a commit added.
func TestCheckAdded(t *testing.T) {
	long, other := "correct-horse-c4nary", "battery-staple-c4nary"
	secret := func(lines ...string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  " + strings.Join(lines, "\n  ") + "\n"
	}
	for _, test := range []struct {
		name   string
		path   string
		before []string
		data   string
		want   string
	}{
		{"new file", "s.yaml", nil, secret("password: " + long), "secret-plaintext s.yaml:6:13 /stringData/password"},
		{"unchanged value", "s.yaml", []string{secret("password: " + long)}, secret("# why", "password: "+long), ""},
		{"other quotes", "s.yaml", []string{secret("password: " + long)}, secret(`password: "` + long + `"`), ""},
		{"other key", "s.yaml", []string{secret("password: " + long)}, secret("passphrase: " + long), ""},
		{"short value at another key", "s.yaml", []string{secret("user: admin")}, secret("user: admin", "password: admin"), "secret-plaintext s.yaml:7:13 /stringData/password"},
		{"changed value", "s.yaml", []string{secret("password: " + long)}, secret("password: " + other), "secret-plaintext s.yaml:6:13 /stringData/password"},
		{"one more", "s.yaml", []string{secret("a: " + long)}, secret("a: "+long, "b: "+other), "secret-plaintext s.yaml:7:6 /stringData/b"},
		{"block scalar changed", "s.yaml", []string{secret("a: |", "  "+long, "b: x"+long)}, secret("a: |", "  "+long, "  "+other, "b: x"+long), "secret-plaintext s.yaml:6:6 /stringData/a"},
		{"block scalar unchanged", "s.yaml", []string{secret("a: |", "  "+long)}, secret("b: ''", "a: >-", "    "+long), ""},
		{"one parent of a merge has it", "s.yaml", []string{secret("a: " + other), secret("a: " + long)}, secret("a: " + long), ""},
		{"neither parent has it", "s.yaml", []string{secret("a: " + other), secret("a: x")}, secret("a: " + long), "secret-plaintext s.yaml:6:6 /stringData/a"},
		{"encrypted", "s.yaml", []string{secret("password: " + long)}, exampleSecret(exampleEnc, exampleBlock()), ""},
		{"added in plaintext to an encrypted file", "s.yaml", []string{exampleSecret(exampleEnc, exampleBlock())}, exampleSecret(exampleEnc+"\n  b: "+long, exampleBlock()), "secret-incomplete s.yaml:7:6 /stringData/b"},
		{"malformed", "s.yaml", nil, exampleSecret(exampleEnc, exampleBlockWithout("mac")), ""},
		{"key", "notes", []string{"nothing"}, "see\n" + examplePEM, "secret-key-committed notes:2:1 "},
		{"URL", "notes", []string{"postgres://a:" + other + "@h"}, "postgres://a:" + long + "@h", "secret-plaintext notes:1:14 "},
		{"token", "notes", nil, "t=" + exampleToken(), "secret-pattern notes:1:3 "},
		{"variable", "p.yaml", nil, "kind: Pod\nspec:\n  containers:\n  - env:\n    - {name: A_TOKEN, value: " + long + "}\n", "secret-plaintext p.yaml:5:30 /spec/containers/0/env/0/value"},
		{"cut off", "s.yaml", nil, secret("password: " + long + "\n  x: \""), "secret-plaintext s.yaml:6:13 /stringData/password"},
		{"SealedSecret", "s.yaml", nil, sealedSecret("name: db, namespace: shop", "a: "+base64.StdEncoding.EncodeToString([]byte(long))), "secret-plaintext s.yaml:6:8 /spec/encryptedData/a"},
		{"a generator's file", "g/secret.txt", []string{other}, long, "secret-plaintext g/secret.txt:1:1 "},
		{"a generator's file unchanged", "g/secret.txt", []string{long}, long, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := seal(t, memTree{"g/kustomization.yaml": "secretGenerator:\n- name: g\n  files: [secret.txt]\n", "g/secret.txt": long})
			b := Blob{Commit: someCommit, Path: test.path, Data: []byte(test.data)}
			for _, data := range test.before {
				b.Before = append(b.Before, []byte(data))
			}
			found := s.CheckAdded(b)
			if got := strings.Join(places(found), "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			for _, f := range found {
				if !strings.Contains(f.Message, "in commit 0123456;") || strings.Contains(f.Message+f.Help, canary) {
					t.Errorf("message: %s", f.Message)
				}
			}
		})
	}
}

// A history is a Git repository that a test writes commit by commit.
type history struct {
	t   testing.TB
	dir string
}

func newHistory(t testing.TB) history {
	t.Helper()
	h := history{t, t.TempDir()}
	h.git("", "init", "-q", "-b", "main")
	return h
}

func (h history) git(stdin string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = h.dir, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@shop.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@shop.example",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files, an empty one of which is removed, and returns the id.
func (h history) commit(files map[string]string) string {
	h.t.Helper()
	for name, content := range files {
		name = filepath.Join(h.dir, name)
		if content == "" {
			os.Remove(name)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			h.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			h.t.Fatal(err)
		}
	}
	h.git("", "add", "-A")
	h.git("", "commit", "-q", "--allow-empty", "-m", "change")
	return h.git("", "rev-parse", "HEAD")
}

func (h history) check(from string) []finding.Finding {
	h.t.Helper()
	ctx := context.Background()
	snap, err := repo.Open(ctx, h.dir, repo.Selector{})
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := Seal(ctx, snap)
	if err != nil {
		h.t.Fatal(err)
	}
	found, err := s.CheckCommits(ctx, snap, from, "HEAD")
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// What a range added is found although nothing of it is left, once for each
// path, key and value, at the commit that had it first.
func TestCheckCommits(t *testing.T) {
	h := newHistory(t)
	secret := func(value string) string { return exampleSecret(value, "") }
	base := h.commit(map[string]string{"old.yaml": secret("c4nary-from-before")})
	first := h.commit(map[string]string{"a.yaml": secret("c4nary-first"), "g/pass.txt": "c4nary-generated"})
	h.commit(map[string]string{"a.yaml": "", "old.yaml": secret("c4nary-from-before") + "# a comment\n"})
	named := h.commit(map[string]string{"a.yaml": secret("c4nary-first") + "  user: c4nary-user\n", "g/kustomization.yaml": "secretGenerator:\n- {name: g, files: [pass.txt]}\n"})
	h.commit(map[string]string{"a.yaml": "", "g/kustomization.yaml": "", "g/pass.txt": ""})
	var got []string
	for _, f := range h.check(base) {
		got = append(got, strings.Fields(f.Message[strings.Index(f.Message, "in commit ")+len("in commit "):])[0]+" "+f.Location.String())
	}
	want := []string{first[:7] + "; a.yaml:6:13", first[:7] + "; g/pass.txt:1:1", named[:7] + "; a.yaml:7:9"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if found := h.check("HEAD"); len(found) > 0 {
		t.Errorf("an empty range gives %v", found)
	}
}

// homeOps writes a history of the size of onedr0p's repository: its files in one
// commit, and then 200 commits, each of which changes five manifests and an
// encrypted file. Two of them commit a secret that the next one removes. It goes
// through git fast-import: 200 commits by hand take a minute.
func homeOps(b testing.TB) (h history, base string) {
	h = newHistory(b)
	source := peer.Corpus(b, "onedr0p-home-ops-2022-08")
	files := map[string]string{}
	var names []string
	err := filepath.WalkDir(source, func(name string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.Contains(name, "/.git/") {
			return err
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(source, name)
		files[rel] = string(data)
		names = append(names, rel)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	var in strings.Builder
	blob := func(name, content string) {
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", name, len(content), content)
	}
	commit := func(n int) {
		fmt.Fprintf(&in, "commit refs/heads/main\nmark :%d\ncommitter a <a@shop.example> %d +0000\ndata 6\nchange\n", n+1, 1_700_000_000+n)
		if n > 0 {
			fmt.Fprintf(&in, "from :%d\n", n)
		}
	}
	commit(0)
	for _, name := range names {
		blob(name, files[name])
	}
	var yaml []string
	for _, name := range names {
		if strings.HasSuffix(name, ".yaml") {
			yaml = append(yaml, name)
		}
	}
	for n := 1; n <= 200; n++ {
		commit(n)
		for i := range 6 {
			name := yaml[(n*6+i)*7%len(yaml)]
			blob(name, files[name]+fmt.Sprintf("# change %d\n", n))
		}
		switch n {
		case 50, 150:
			blob("leak.yaml", exampleSecret(fmt.Sprintf("c4nary-of-commit-%d", n), ""))
		case 51, 151:
			in.WriteString("D leak.yaml\n")
		}
	}
	h.git(in.String(), "fast-import", "--quiet")
	h.git("", "reset", "-q", "--hard", "main")
	return h, h.git("", "rev-list", "--max-parents=0", "main")
}

// 200 commits of a real repository's size give the two secrets that they hold,
// and nothing else.
func TestCheckCommitsOfARealRepository(t *testing.T) {
	h, base := homeOps(t)
	start := time.Now()
	found := h.check(base)
	t.Logf("200 commits in %v", time.Since(start))
	if len(found) != 2 {
		t.Errorf("got %v", found)
	}
}

// Opening, sealing and judging, as a process does it.
func BenchmarkCheckCommits(b *testing.B) {
	h, base := homeOps(b)
	for b.Loop() {
		if found := h.check(base); len(found) != 2 {
			b.Fatalf("got %v", found)
		}
	}
}
