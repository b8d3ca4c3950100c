package secrets

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// canary is in every value that must never come out.
const canary = "c4nary"

func seal(t testing.TB, tree memTree) *Sealed {
	t.Helper()
	s, err := Seal(context.Background(), tree)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, s *Sealed, path string) string {
	t.Helper()
	data, err := s.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func check(t testing.TB, s *Sealed) []string {
	t.Helper()
	found, err := s.CheckFiles(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		out = append(out, brief(f))
	}
	return out
}

func isToken(text string) bool { return len(text) == tokenSize && plantedToken([]byte(text)) == 0 }

func brief(f finding.Finding) string {
	return fmt.Sprintf("%s %s %s", f.Rule, f.Location, f.Pointer)
}

// Every way to write a value of a Secret: the value goes, the lines stay, the
// finding is at the value.
func TestSealPlaintext(t *testing.T) {
	head := "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"
	for _, test := range []struct{ name, text, at string }{
		{"plain", head + "stringData:\n  a: c4nary one # note\n  b: 5\n", "5:6 /stringData/a|6:6 /stringData/b"},
		{"quoted", head + "stringData:\n  a: 'it''s c4nary'\n  b: \"c4nary\\\"\\n\"\n", "5:6 /stringData/a|6:6 /stringData/b"},
		{"literal", head + "stringData:\n  a: |-\n    c4nary\n\n    more\n  b: c4nary\n", "5:6 /stringData/a|9:6 /stringData/b"},
		{"folded, indented", head + "stringData:\n  a: >2\n       c4nary\n      x\ntype: Opaque\n", "5:6 /stringData/a"},
		{"over lines", head + "stringData:\n  a: c4nary\n    and more\n  b: \"c4nary\n    too\"\n", "5:6 /stringData/a|7:6 /stringData/b"},
		{"flow", head + "stringData: {a: c4nary, b: [\"c4nary\", 'c4nary'],\n  c: c4nary}\n", "4:17 /stringData/a|4:29 /stringData/b/0|4:39 /stringData/b/1|5:6 /stringData/c"},
		{"json", "{\"kind\": \"Secret\", \"apiVersion\": \"v1\",\n\"data\": {\"a\": \"YzRuYXJ5\"}}\n", "2:15 /data/a"},
		{"list", "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  apiVersion: v1\n  data:\n    a: YzRuYXJ5\n", "7:8 /data/a"},
		{"alias", head + "x: &v c4nary\nstringData:\n  a: *v\n", "4:7 /stringData/a"},
		{"merge", head + "x: &v {k: c4nary}\nstringData:\n  <<: *v\n", "4:11 /stringData/k"},
		{"anchor and tag", head + "stringData:\n  a: &x !!str c4nary\n", "5:15 /stringData/a"},
		{"escape", "kind: \"Se\\x63ret\"\nstringData: {a: c4nary}\n", "2:17 /stringData/a"},
		{"anchored kind", "kind: &k !!str\n  Secret\nstringData: {a: c4nary}\n", "3:17 /stringData/a"},
		{"aliased kind", "x: [&k Secret]\nkind: *k\nstringData: {a: c4nary}\n", "3:17 /stringData/a"},
		{"carriage returns", strings.ReplaceAll(head+"stringData:\n  a: |\n    c4nary\n  b: c4nary\n", "\n", "\r\n"), "5:6 /stringData/a|7:6 /stringData/b"},
		{"second document", "a: 1\n---\n" + head + "stringData:\n  a: c4nary\n", "7:6 /stringData/a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := seal(t, memTree{"s.yaml": test.text})
			sealed := read(t, s, "s.yaml")
			if strings.Contains(sealed, canary) || strings.Contains(sealed, "YzRuYXJ5") {
				t.Errorf("the value is still there:\n%s", sealed)
			}
			if got, want := strings.Count(sealed, "\n"), strings.Count(test.text, "\n"); got != want {
				t.Errorf("got %d lines, want %d:\n%s", got, want, sealed)
			}
			if _, err := source.Parse("s.yaml", []byte(sealed)); err != nil {
				t.Errorf("%v:\n%s", err, sealed)
			}
			var want []string
			for _, at := range strings.Split(test.at, "|") {
				want = append(want, "secret-plaintext s.yaml:"+at)
			}
			if got := check(t, s); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if masked := strings.Join(s.Masked("s.yaml"), "\n"); strings.Contains(masked, canary) || strings.Contains(masked, "YzRuYXJ5") {
				t.Errorf("masked lines show the value:\n%s", masked)
			}
			if got, want := len(s.Masked("s.yaml")), strings.Count(test.text, "\n"); got != want {
				t.Errorf("got %d masked lines, want %d", got, want)
			}
		})
	}
}

// A plaintext value's token depends on its place alone.
func TestPlainTokenHidesTheValue(t *testing.T) {
	text := "kind: Secret\nstringData:\n  a: %s\n"
	one := read(t, seal(t, memTree{"s.yaml": fmt.Sprintf(text, "first")}), "s.yaml")
	two := read(t, seal(t, memTree{"s.yaml": fmt.Sprintf(text, "second")}), "s.yaml")
	if one != two {
		t.Error("two values at one place give two tokens")
	}
	if other := read(t, seal(t, memTree{"t.yaml": fmt.Sprintf(text, "first")}), "t.yaml"); other == one {
		t.Error("two places give one token")
	}
}

// What stands for a secret is left as it is, and so is everything else.
func TestSealLeavesAlone(t *testing.T) {
	for name, text := range map[string]string{
		"references":  "kind: Secret\nstringData:\n  a: ${VAR}\n  b: $(VAR)\n  c: '{{ .x }}'\n  d: op://v/i/f\n  e: vault:secret/data/x#y\n  f: \"\"\n  g: postgres://${U}:${P}@db/app\n  h:\ndata: {a: '', b: JHtWQVJ9}\n",
		"config map":  "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: see kind Secret\n",
		"other kinds": "apiVersion: x/v1\nkind: Secret\ndata: {a: b}\n",
		"reference":   "env:\n- kind: Secret\n  name: x\n",
		"certificate": "kind: Secret\nstringData:\n  ca.crt: |\n    -----BEGIN CERTIFICATE-----\n    MAA=\n    -----END CERTIFICATE-----\n",
	} {
		s := seal(t, memTree{"s.yaml": text})
		if got := read(t, s, "s.yaml"); got != text {
			t.Errorf("%s: changed to\n%s", name, got)
		}
		if got := check(t, s); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestIsReference(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, " \n": true, "${A}": true, "${A:=}": true, "${A}:${B}": true, "<path:kv/data/x#y>": true,
		"ref+vault://secret/x#/y": true, "op://vault/item/field": true, "https://${U}:${P}@h/p?x=1": true,
		"hunter2": false, "${A:=hunter2}": false, "${A}hunter2": false, "op://x": false, "vault:hunter2": false,
		"https://u:${P}@h?token=hunter2": false, "$ecret": false, "{hunter2}": false, "<hunter2>": false,
		"https://u:x${P}@h": false, "/run/secrets/x": false,
	} {
		if got := IsReference(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestSealKustomization(t *testing.T) {
	tree := memTree{
		"app/kustomization.yaml": `secretGenerator:
- name: a
  literals:
  - one=c4nary
  - "two=c4nary=x"
  - three=$(VAR)
  files: [../keys/id, name=../keys/other]
  envs: [.env]
patches:
- target: {kind: Secret, name: b}
  patch: |-
    - op: add
      path: /data/x
      value: c4nary
- patch: |
    kind: Secret
    apiVersion: v1
    metadata: {name: c}
    stringData:
      y: c4nary
- patch: "kind: Secret\nstringData: {z: c4nary}"
- path: p.yaml
  target: {kind: Secret}
configMapGenerator:
- name: d
  literals: [plain=visible]
`,
		"app/.env":   "# note\nA=c4nary\nB=\nexport C=c4nary two\n",
		"app/p.yaml": "- op: replace\n  path: /data/k\n  value: c4nary\n",
		"keys/id":    "c4nary\n", "keys/other": "c4nary", "keys/unused": "visible",
	}
	s := seal(t, tree)
	for path := range tree {
		sealed := read(t, s, path)
		if strings.Contains(sealed, canary) {
			t.Errorf("%s shows the value:\n%s", path, sealed)
		}
		if path != "keys/id" && strings.Count(sealed, "\n") != strings.Count(tree[path], "\n") {
			t.Errorf("%s has another number of lines:\n%s", path, sealed)
		}
		if masked := strings.Join(s.Masked(path), "\n"); strings.Contains(masked, canary) {
			t.Errorf("%s shows the value in masked lines:\n%s", path, masked)
		}
	}
	if got := read(t, s, "keys/id"); !isToken(got) {
		t.Errorf("a generator's file is sealed as %q, want a token and nothing else", got)
	}
	want := []string{
		"app/.env:2:3 ", "app/.env:4:10 ",
		"app/kustomization.yaml:4:5 /data/one", "app/kustomization.yaml:5:5 /data/two",
		"app/kustomization.yaml:14:14 /data/x", "app/kustomization.yaml:20:10 /stringData/y",
		"app/kustomization.yaml:21:10 /stringData/z", "app/p.yaml:3:10 /data/k",
		"keys/id:1:1 ", "keys/other:1:1 ",
	}
	for i := range want {
		want[i] = "secret-plaintext " + want[i]
	}
	if got := check(t, s); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Files that no parser may see are refused where they may hold a secret.
func TestSealRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, rule string }{
		"cut off":        {"kind: Secret\nstringData:\n  a: c4nary\n  b: 'c4", "render-error"},
		"alias to self":  {"kind: Secret\nstringData: {a: c4nary}\nb: &x [*x]\n", "yaml-unsafe"},
		"planted token":  {"kind: ConfigMap\ndata: {a: " + plainToken("x", "y") + "}\n", "secret-leak"},
		"UTF-16":         {"\xff\xfek\x00i\x00n\x00d\x00:\x00 \x00S\x00e\x00c\x00r\x00e\x00t\x00\n\x00", "yaml-unsafe"},
		"broken ENC too": {"a: ENC[AES256_GCM,x]\nb: 'c4nary", "render-error"},
	} {
		s := seal(t, memTree{"s.yaml": test.text})
		_, err := s.ReadFile("s.yaml")
		if err == nil || !strings.Contains(fmt.Sprintf("%T", err), "RefusedError") {
			t.Errorf("%s: got error %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error quotes the value", name)
		}
		if masked := strings.Join(s.Masked("s.yaml"), "\n"); strings.Contains(masked, canary) {
			t.Errorf("%s: masked lines show the value:\n%s", name, masked)
		}
	}
	s := seal(t, memTree{"notes.md": "kind: Secret\n- 'x"})
	if _, err := s.ReadFile("notes.md"); err != nil {
		t.Errorf("a text that only mentions Secrets is refused: %v", err)
	}
}
