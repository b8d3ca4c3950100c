package secrets

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/source"
	"github.com/sallyport/sallyport/testdata/peer"
)

// encrypted holds files as the real sops writes them, by path, with a canary in
// every value.
func encrypted(t *testing.T) memTree {
	t.Helper()
	recipient, _ := peer.NewAgeKey(t)
	manifest := `# plain comment
apiVersion: v1
kind: Secret
metadata:
  name: db
stringData:
  # c4nary inside
  password: c4nary
  empty: ""
  lines: |
    c4nary
    c4nary
---
apiVersion: v1
kind: Secret
metadata:
  name: other
data:
  k: YzRuYXJ5
`
	files := []struct {
		path, text string
		args       []string
	}{
		{"app/secret.yaml", manifest, []string{"--encrypted-regex", "^(data|stringData)$"}},
		{"app/mac.yaml", manifest, []string{"--encrypted-regex", "^(data|stringData)$"}},
		{"app/suffix.yaml", strings.ReplaceAll(manifest, "password:", "password_enc:"), []string{"--encrypted-suffix", "_enc"}},
		{"app/secret.json", `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "j"}, "stringData": {"a": "c4nary"}}`,
			[]string{"--encrypted-regex", "^(data|stringData)$"}},
		{"app/values.yaml", "a: c4nary\nb: [c4nary, 5, true, 1.5]\n", nil},
		{"app/values.json", `{"a": {"b": "c4nary"}, "n": 5}`, nil},
		{"app/app.env", "# c4nary\nA=c4nary\nB=c4nary two\nC=\n", nil},
		{"app/app.ini", "[s]\na = c4nary\n; c4nary\nb = c4nary\n", nil},
		{"app/key.bin", "c4nary\x00\x01binary", nil},
	}
	dir := t.TempDir()
	rule := "creation_rules:\n- {path_regex: mac, mac_only_encrypted: true, age: " + recipient + "}\n- {age: " + recipient + "}\n"
	if err := os.WriteFile(filepath.Join(dir, ".sops.yaml"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := memTree{}
	for _, f := range files {
		path := filepath.Join(dir, filepath.Base(f.path))
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
		peer.Encrypt(t, recipient, path, f.args...)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tree[f.path] = string(data)
	}
	return tree
}

// Every format that sops writes is recognised, found intact, and sealed without
// a trace of sops or of a secret.
func TestSealSops(t *testing.T) {
	tree := encrypted(t)
	delete(tree, "app/suffix.yaml")
	s := seal(t, tree)
	if got := check(t, s); got != nil {
		t.Errorf("intact files give %q", got)
	}
	for path, text := range tree {
		sealed := read(t, s, path)
		for _, part := range []string{"ENC[", "sops:", "sops_", "[sops]", `"sops"`, "age1", canary} {
			if strings.Contains(sealed, part) {
				t.Errorf("%s still holds %q:\n%s", path, part, sealed)
			}
		}
		if !isToken(sealed) && strings.Count(sealed, "\n") != strings.Count(text, "\n") {
			t.Errorf("%s has another number of lines", path)
		}
		masked := strings.Join(s.Masked(path), "\n")
		if strings.Contains(masked, "iv:") || !strings.Contains(masked, "ENC[…]") {
			t.Errorf("%s: ciphertexts are not shortened:\n%s", path, masked)
		}
	}
	for _, path := range []string{"app/values.yaml", "app/values.json", "app/app.ini", "app/key.bin"} {
		if sealed := read(t, s, path); !isToken(sealed) {
			t.Errorf("%s is not one token:\n%s", path, sealed)
		}
	}
	files, err := s.Encrypted(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Path+" "+string(f.Format))
		if len(f.Metadata.Recipients) != 1 || f.Metadata.Recipients[0].Kind != AgeX25519 || f.Metadata.LastModified.IsZero() {
			t.Errorf("%s: metadata is %+v", f.Path, f.Metadata)
		}
		if f.Metadata.MACOnlyEncrypted != (f.Path == "app/mac.yaml") {
			t.Errorf("%s: mac_only_encrypted is %v", f.Path, f.Metadata.MACOnlyEncrypted)
		}
	}
	want := []string{"app/app.env dotenv", "app/app.ini ini", "app/key.bin binary", "app/mac.yaml yaml",
		"app/secret.json json", "app/secret.yaml yaml", "app/values.json json", "app/values.yaml yaml"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The values of a sealed manifest are at the lines of the encrypted one.
func TestSealKeepsPlaces(t *testing.T) {
	text := encrypted(t)["app/secret.yaml"]
	sealed := read(t, seal(t, memTree{"s.yaml": text}), "s.yaml")
	before, err := source.Parse("s.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	after, err := source.Parse("s.yaml", []byte(sealed))
	if err != nil {
		t.Fatalf("%v:\n%s", err, sealed)
	}
	for i, doc := range before.Docs {
		for _, pointer := range []string{"/kind", "/metadata/name", "/stringData/password", "/stringData/empty", "/stringData/lines", "/data/k"} {
			_, a, ok := source.Find(doc.Root, pointer)
			if !ok {
				continue
			}
			_, b, ok := source.Find(after.Docs[i].Root, pointer)
			if !ok || a.Line != b.Line || a.Column != b.Column {
				t.Errorf("%s moved", pointer)
			}
		}
	}
}

// An encrypted_suffix that misses keys of a Secret leaves them in plaintext.
func TestSopsNarrowRule(t *testing.T) {
	tree := memTree{"s.yaml": encrypted(t)["app/suffix.yaml"]}
	got := check(t, seal(t, tree))
	want := []string{"secret-incomplete s.yaml:10:12 /stringData/lines"}
	if len(got) != 2 || got[0] != want[0] || !strings.HasSuffix(got[1], "/data/k") {
		t.Errorf("got %q", got)
	}
}

// What breaks a file that sops wrote is found, at its place.
func TestSopsBroken(t *testing.T) {
	text := encrypted(t)["app/secret.yaml"]
	line := func(start string) string {
		at := strings.Index(text, start)
		return text[at : at+strings.IndexByte(text[at:], '\n')+1]
	}
	for _, test := range []struct{ name, text, rule, message string }{
		{"mac gone", strings.ReplaceAll(text, line("    mac:"), ""), ruleMetadata, "has no mac"},
		{"mac is plain", strings.ReplaceAll(text, line("    mac:"), "    mac: c4nary\n"), ruleMetadata, "mac of the sops block is malformed"},
		{"lastmodified gone", strings.ReplaceAll(text, line("    lastmodified:"), ""), ruleMetadata, "has no lastmodified"},
		{"lastmodified is no time", strings.ReplaceAll(text, line("    lastmodified:"), "    lastmodified: c4nary\n"), ruleMetadata, "RFC 3339"},
		{"version gone", strings.ReplaceAll(text, line("    version:"), ""), ruleMetadata, "has no version"},
		{"recipient mistyped", strings.ReplaceAll(text, "recipient: age1", "recipient: age1x"), ruleMetadata, "recipient is malformed"},
		{"enc is garbage", strings.ReplaceAll(text, "-----BEGIN AGE ENCRYPTED FILE-----", "c4nary"), ruleMetadata, "no armored age file"},
		{"two rules", strings.Replace(text, "    encrypted_regex:", "    encrypted_suffix: x\n    encrypted_regex:", 1), ruleMetadata, "more than one rule"},
		{"value edited", strings.Replace(text, line("    password:"), "    password: c4nary\n", 1), ruleIncomplete, `"password" is in plaintext`},
		{"key added", strings.Replace(text, line("    password:"), line("    password:")+"    added: c4nary\n", 1), ruleIncomplete, `"added" is in plaintext`},
		{"tag cut", strings.Replace(text, "==,type:str]", ",type:str]", 1), ruleMetadata, "tag is not 16 bytes"},
		{"type changed to none", strings.Replace(text, ",type:str]", ",type:string]", 1), ruleMetadata, "type is none"},
		{"text behind", strings.Replace(text, ",type:str]", ",type:str]c4nary", 1), ruleMetadata, "does not end with a bracket"},
		{"block gone", text[:strings.Index(text, "sops:")] + text[strings.Index(text, "\n---\n")+1:], ruleMetadata, "no sops block"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.text == text {
				t.Fatal("the change did not take")
			}
			s := seal(t, memTree{"s.yaml": test.text})
			found, err := s.CheckFiles(context.Background(), "")
			if err != nil {
				t.Fatal(err)
			}
			hits := 0
			for _, f := range found {
				if f.Rule == test.rule && strings.Contains(f.Message, test.message) && f.Location.Start.Line > 0 {
					hits++
				}
				if strings.Contains(f.Message+f.Help, canary) {
					t.Errorf("a message quotes the value: %s", f.Message)
				}
			}
			if hits == 0 {
				t.Errorf("got %v", found)
			}
			if sealed, err := s.ReadFile("s.yaml"); err == nil && strings.Contains(string(sealed), canary) {
				t.Errorf("the sealed text shows the value:\n%s", sealed)
			}
		})
	}
}

// A target over all formats builds, and every secret stays in its Secret.
func TestRenderSops(t *testing.T) {
	tree := encrypted(t)
	delete(tree, "app/suffix.yaml")
	delete(tree, "app/mac.yaml")
	tree["app/kustomization.yaml"] = `resources: [secret.yaml, secret.json]
secretGenerator:
- name: generated
  envs: [app.env]
  files: [values.yaml, values.json, app.ini, key.bin]
`
	s := seal(t, tree)
	for _, r := range build(t, s) {
		if found := s.CheckRendered(r); len(found) > 0 {
			t.Errorf("got %v", found)
		}
		flows := s.Flows(r)
		if len(flows) != 10 {
			t.Errorf("got %d flows, want 10: %+v", len(flows), flows)
		}
		for _, f := range flows {
			if !f.Permitted || !f.Encrypted {
				t.Errorf("got %+v", f)
			}
		}
	}
	tree["app/kustomization.yaml"] += "configMapGenerator:\n- name: leak\n  files: [values.yaml]\n  envs: [app.env]\n"
	if got := count(judge(t, tree), ruleLeak); got != 3 {
		t.Errorf("got %d leaks, want the file and two variables", got)
	}
}
