package secrets

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/peer"
)

// A file that a secretGenerator takes in is plaintext where sops left it so,
// whatever the rule in its sops block selects.
func TestPartlyEncryptedGeneratorFiles(t *testing.T) {
	recipient, _ := peer.NewAgeKey(t)
	narrow := []string{"--encrypted-regex", "^(data|stringData|a)$"}
	for _, test := range []struct{ file, text, role, want string }{
		{"v.yaml", "password: c4nary\n", "files", "secret-plaintext v.yaml:1:1 "},
		{"v.json", `{"password": "c4nary"}`, "files", "secret-plaintext v.json:1:1 "},
		{"v.env", "PASSWORD=c4nary\n", "files", "secret-plaintext v.env:1:1 "},
		{"v.env", "PASSWORD=c4nary\nEMPTY=\n", "envs", "secret-plaintext v.env:1:10 "},
		{"v.ini", "[s]\npassword = c4nary\n", "files", "secret-plaintext v.ini:1:1 "},
		{"v.yaml", "a: c4nary\nb: {c: c4nary, d: true, e: null, f: \"\", g: 5}\n", "files", "secret-incomplete v.yaml:3:8 |secret-incomplete v.yaml:7:8 "},
		{"v.env", "a=c4nary\nB=c4nary\n", "envs", "secret-incomplete v.env:2:3 "},
		{"v.env", "a=c4nary\nB=c4nary\n", "files", "secret-incomplete v.env:2:3 "},
		{"v.ini", "[s]\na = c4nary\nb = c4nary\n", "files", "secret-incomplete v.ini:3:5 "},
		{"v.yaml", "a: c4nary\n", "files", ""},
	} {
		t.Run(test.role+" "+test.file, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, test.file)
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			peer.Encrypt(t, recipient, file, narrow...)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := seal(t, memTree{
				test.file:            string(data),
				"kustomization.yaml": "secretGenerator: [{name: j, " + test.role + ": [" + test.file + "]}]\n",
			})
			got := slices.DeleteFunc(check(t, s), func(line string) bool { return !strings.HasPrefix(line, "secret-") })
			if strings.Join(got, "|") != test.want {
				t.Errorf("got %q, want %q\n%s", got, test.want, data)
			}
			if text := read(t, s, test.file); strings.Contains(text, canary) {
				t.Errorf("sealed text holds the value:\n%s", text)
			}
			if shown := strings.Join(s.Masked(test.file), "\n"); strings.Contains(shown, canary) {
				t.Errorf("shown lines hold the value:\n%s", shown)
			}
		})
	}
}

// An encrypted file that no Secret takes in whole keeps its rule.
func TestPartlyEncryptedElsewhere(t *testing.T) {
	s := seal(t, memTree{
		"v.yaml":             "password: c4nary\na: " + encStr + "\nsops:\n  mac: " + encStr + "\n  lastmodified: \"2024-01-01T00:00:00Z\"\n  version: 3.9.0\n  encrypted_regex: ^a$\n",
		"kustomization.yaml": "configMapGenerator: [{name: j, files: [v.yaml]}]\n",
	})
	if got := check(t, s); slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "incomplete") }) {
		t.Errorf("got %q", got)
	}
}
