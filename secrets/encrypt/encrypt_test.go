package encrypt

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/testdata/peer"
)

var ciphertext = regexp.MustCompile(`ENC\[AES256_GCM,data:[A-Za-z0-9+/=]+,iv:[A-Za-z0-9+/=]+,tag:[A-Za-z0-9+/=]+,type:[a-z]+\]`)

const head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n"

// layouts are plaintext manifests, and what they look like when every value that
// was sealed is written ENC and the sops blocks are left away.
var layouts = []struct{ name, text, want string }{
	{"plain", head + "stringData:\n  a: c4nary\n", head + "stringData:\n  a: ENC"},
	{"quotes", head + "stringData:\n  a: 'c4n''ary'\n  b: \"c4\\tnary\"\n", head + "stringData:\n  a: 'ENC'\n  b: \"ENC\""},
	{"spaces and comments", "# top: note\n" + head + "\n\nstringData:\n  # kept by operations\n  a:    c4nary    # ask the owner\n\n  b: x\n# after: all\n",
		"# top: note\n" + head + "\n\nstringData:\n  # kept by operations\n  a:    ENC    # ask the owner\n\n  b: ENC\n# after: all"},
	{"old secrets in comments", head + "stringData:\n  # a: c4nary-old\n  a: x # c4nary2\n  #b: c4nary\n",
		head + "stringData:\n  #ENC\n  a: ENC #ENC\n  #ENC"},
	{"blocks", head + "stringData:\n  a: | # the note stays\n    c4nary\n      deeper: x\n\n    # no comment\n\n  b: >-\n    c4nary\n    folded\n  c: |2\n      c4nary\n  d: |+\n    c4nary\n\ntype: Opaque\n",
		head + "stringData:\n  a: ENC # the note stays\n\n  b: ENC\n  c: ENC\n  d: ENC\n\ntype: Opaque"},
	{"comments behind blocks", head + "stringData:\n  a: |\n    c4nary\n   # less deep than it\n  b: >\n    c4nary\n  # as deep as keys\n  c: x\n",
		head + "stringData:\n  a: ENC\n   # less deep than it\n  b: ENC\n  # as deep as keys\n  c: ENC"},
	{"several lines", head + "stringData:\n  a: c4nary\n    and more\n\n    # x\n  b: \"c4nary\n    x\"\n  c:\n    c4nary\n",
		head + "stringData:\n  a: ENC\n\n    #ENC\n  b: \"ENC\"\n  c:\n    ENC"},
	{"flow", head + "stringData: {a: c4nary, \"b\": 'x', c: \"y\"} # a note\n", head + "stringData: {a: \"ENC\", \"b\": 'ENC', c: \"ENC\"} # a note"},
	{"empty and null", head + "stringData:\n  a: \"\"\n  b: c4nary\n  c: ''\n  d: ~\n  e:\n", head + "stringData:\n  a: \"\"\n  b: ENC\n  c: ''\n  d: ~\n  e:"},
	{"deep indent", "apiVersion: v1\nkind: Secret\nmetadata:\n      name: db\ndata:\n      a: YzRuYXJ5\n", "apiVersion: v1\nkind: Secret\nmetadata:\n      name: db\ndata:\n      a: ENC"},
	{"documents", head + "stringData:\n  a: c4nary\n\n---\n# second\n" + head + "data:\n  a: YzRuYXJ5\n...\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n",
		head + "stringData:\n  a: ENC\n\n---\n# second\n" + head + "data:\n  a: ENC\n...\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}"},
	{"marker first", "---\n" + head + "stringData:\n  a: c4nary\n---\n", "---\n" + head + "stringData:\n  a: ENC\n---"},
	{"list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: x}\n  stringData:\n    a: c4nary\n",
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: x}\n  stringData:\n    a: ENC"},
	{"no last line break", head + "stringData:\n  a: c4nary", head + "stringData:\n  a: ENC"},
	{"block without last line break", head + "stringData:\n  a: |\n    c4nary", head + "stringData:\n  a: ENC"},
	{"alias", head + "stringData:\n  a: &x c4nary\n  b: *x\n", head + "stringData:\n  a: &x ENC\n  b: ENC"},
	{"odd keys", head + "stringData:\n  \"a b\": c4nary\n  ? c\n  : c4nary\n  a.b/c: x\n", head + "stringData:\n  \"a b\": ENC\n  ? c\n  : ENC\n  a.b/c: ENC"},
	{"unicode", head + "stringData:\n  ключ: пароль c4nary 🔑\n  b: \"\\U0001F511\\x07\"\n", head + "stringData:\n  ключ: ENC\n  b: \"ENC\""},
	{"byte order mark", "\ufeff" + head + "stringData:\n  a: c4nary\n", "\ufeff" + head + "stringData:\n  a: ENC"},
	{"looks like other types", head + "stringData:\n  a: \"123\"\n  b: 'true'\n  c: \"null\"\n  d: \"2024-01-01\"\n  e: \" c4nary: #x\"\n  f: \"~\"\n",
		head + "stringData:\n  a: \"ENC\"\n  b: 'ENC'\n  c: \"ENC\"\n  d: \"ENC\"\n  e: \"ENC\"\n  f: \"ENC\""},
}

// The layout stays, and the real sops gives back the values. So do files with CR
// LF.
func TestSealKeepsLayout(t *testing.T) {
	for _, c := range layouts {
		for name, text := range map[string]string{c.name: c.text, c.name + " CRLF": strings.ReplaceAll(c.text, "\n", "\r\n")} {
			t.Run(name, func(t *testing.T) {
				r := newRepository(t, map[string]string{"s.yaml": text})
				r.seal("s.yaml")
				sealed := r.read("s.yaml")
				if got := outline(sealed); got != c.want {
					t.Errorf("got\n%s\nwant\n%s", got, c.want)
				}
				if strings.Contains(sealed, "c4nary") || strings.Contains(sealed, "YzRuYXJ5") {
					t.Errorf("a value stays:\n%s", sealed)
				}
				if strings.Contains(text, "\r") && strings.Count(sealed, "\r\n") != strings.Count(sealed, "\n") {
					t.Error("line ends are mixed")
				}
				opened := r.sops("decrypt", "s.yaml")
				if got, want := secretsIn(t, opened), secretsIn(t, text); !reflect.DeepEqual(got, want) {
					t.Errorf("got %q\nwant %q", got, want)
				}
				gateIsSilent(t, r)
			})
		}
	}
}

// gateIsSilent runs the checks of sallyport check that look at files.
func gateIsSilent(t *testing.T, r *repository) {
	t.Helper()
	tree, err := secrets.Seal(t.Context(), r.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	found, err := tree.CheckFiles(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("%s: %s: %s", f.Location, f.Rule, f.Message)
	}
}

// Formats that are no manifest come back as the real sops prints what it read,
// which is what it would print had it encrypted the file itself.
func TestSealFormats(t *testing.T) {
	for name, text := range map[string]string{
		"app.env":       "# token=c4nary\n\nA=c4nary\nB=\nexport C=x=y\\nz \nD=\"quoted\"\nA=twice\n# plain words here\nE=last",
		"app.ini":       "; note one\n# and two\ntop = c4nary\n\n[s]\n# password is c4nary1\nk=v\nq = \"x y\"\nempty =\n[t.u]\nz = c4nary",
		"values.yaml":   "a: c4nary\nb: [c4nary, 5, true, 1.5, null]\nc_unencrypted: open\nd: {e: 010, f: 1e3}\n# x=c4nary\nt: 2024-01-01T00:00:00Z\n",
		"values.json":   "{\n  \"a\": \"c4nary\",\n  \"b\": {\"c\": [1, 2.5, true, null, \"\", \"\\u20ac\\/\\ud83d\\ude00\"]}, \"d_unencrypted\": \"x\"\n}\n",
		"one-line.json": `{"a":"c4nary"}`,
		"key.bin":       "c4nary\x00\x01\xff\xfe\r\nbinary",
		"tls.key":       "c4nary",
		"flow.yaml":     "{a: c4nary, b: [x, {c: y}],\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, map[string]string{name: text, "stock-" + name: text})
			r.seal(name)
			if sealed := r.read(name); strings.Contains(sealed, "c4nary") {
				t.Errorf("a value stays:\n%s", sealed)
			}
			r.sops("encrypt", "--in-place", "stock-"+name)
			if got, want := r.sops("decrypt", name), r.sops("decrypt", "stock-"+name); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			gateIsSilent(t, r)
		})
	}
}

// What stays readable in formats of lines is where it was.
func TestSealKeepsLines(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a.env":  {"# kept for now\n\nA=x\nB=\n#C=y\n", "# kept for now\n\nA=ENC\nB=\n#ENC\n"},
		"a.ini":  {"# kept for now\na = x\n\n[s]\n; k = old\n; l = old\nk=v  \r\n", "# kept for now\na = ENC\n\n[s]\n; ENC\nk=ENC  \r\n"},
		"a.json": {"{\n\t\"a\": \"x\",\n\n  \"b\" : [ 1 ]\n}\n", "{\n\t\"a\": \"ENC\",\n\n  \"b\" : [ \"ENC\" ],\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, map[string]string{name: c.text})
			r.seal(name)
			if got := ciphertext.ReplaceAllString(r.read(name), "ENC"); !strings.HasPrefix(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Sealed files are sops files like any other: it edits, rotates and re-keys them.
func TestSopsWorksOn(t *testing.T) {
	r := newRepository(t, map[string]string{
		"s.yaml": head + "stringData:\n  # a: old\n  a: c4nary\n---\n" + head + "stringData:\n  b: c4nary\n",
		"a.env":  "A=c4nary\n", "a.ini": "[s]\na = c4nary\n", "a.json": `{"a": "c4nary"}`, "a.bin": "c4nary",
	})
	r.seal("s.yaml", "a.env", "a.ini", "a.json", "a.bin")
	for _, name := range []string{"s.yaml", "a.env", "a.ini", "a.json", "a.bin"} {
		before := r.sops("decrypt", name)
		r.sops("rotate", "--in-place", name)
		if after := r.sops("decrypt", name); after != before {
			t.Errorf("%s: rotation gives\n%s\nwant\n%s", name, after, before)
		}
	}
	r.sops("set", "s.yaml", `["stringData"]["a"]`, `"changed"`)
	if got := r.sops("decrypt", "s.yaml"); !strings.Contains(got, "a: changed") || !strings.Contains(got, "b: c4nary") {
		t.Errorf("after sops set:\n%s", got)
	}
	cmd := peer.Command(t, "sops", r.dir, "edit", "s.yaml")
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY_FILE="+r.identities, "EDITOR=sed -i s/changed/edited/")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sops edit: %v\n%s", err, out)
	}
	if got := r.sops("decrypt", "s.yaml"); !strings.Contains(got, "a: edited") {
		t.Errorf("after sops edit:\n%s", got)
	}
	gateIsSilent(t, r)
}

// A changed value or block is noticed by the real sops: the MAC is there for it.
func TestSealedFileIsProtected(t *testing.T) {
	r := newRepository(t, map[string]string{"s.yaml": head + "stringData:\n  a: c4nary\n"})
	r.seal("s.yaml")
	r.write("s.yaml", strings.Replace(r.read("s.yaml"), "name: db", "name: other", 1))
	if _, errout, err := r.trySops("decrypt", "s.yaml"); err == nil || !strings.Contains(errout, "MAC mismatch") {
		t.Errorf("a changed file opens: %v %s", err, errout)
	}
}

// Every file gets its own data key.
func TestKeysAreNotShared(t *testing.T) {
	r := newRepository(t, map[string]string{"a.env": "A=same\n", "b.env": "A=same\n"})
	r.seal("a.env", "b.env")
	if a, b := r.read("a.env"), r.read("b.env"); ciphertext.FindString(a) == ciphertext.FindString(b) {
		t.Error("equal values look equal")
	}
}

// Variables of a secretGenerator are sealed as such, whatever their file is
// called.
func TestSealGeneratorFiles(t *testing.T) {
	r := newRepository(t, map[string]string{
		"k/kustomization.yaml": "secretGenerator:\n- name: a\n  envs: [creds.txt]\n  files: [tls.key, app.ini]\n",
		"k/creds.txt":          "A=c4nary\n", "k/tls.key": "c4nary", "k/app.ini": "[s]\na = c4nary\n",
	})
	files := r.seal("k/creds.txt", "k/tls.key", "k/app.ini")
	for i, want := range []secrets.Format{secrets.Dotenv, secrets.Binary, secrets.INI} {
		if files[i].Format != want || files[i].Unnamed != (i == 0) {
			t.Errorf("%s is sealed as %s, named %v", files[i].Path, files[i].Format, !files[i].Unnamed)
		}
	}
	if got := r.sops("decrypt", "--input-type", "dotenv", "--output-type", "dotenv", "k/creds.txt"); got != "A=c4nary\n" {
		t.Errorf("got %q", got)
	}
	gateIsSilent(t, r)
}

// The rule's own choice of what is encrypted goes into the file.
func TestSealByRule(t *testing.T) {
	for name, c := range map[string]struct{ rule, text, want string }{
		"suffix":       {"encrypted_suffix: _enc", "a_enc: c4nary\nb: open\n", "a_enc: ENC\nb: open"},
		"other suffix": {"unencrypted_suffix: _open", "a: c4nary\nb_open: open\n", "a: ENC\nb_open: open"},
		"regex":        {"encrypted_regex: ^pass", "db: {password: c4nary, host: open}\n", "db: {password: \"ENC\", host: open}"},
		"other regex":  {"unencrypted_regex: ^host$", "db: {password: c4nary, host: open}\n", "db: {password: \"ENC\", host: open}"},
		"comments":     {"encrypted_comment_regex: SECRET", "# SECRET\na: c4nary\nb: open\n", "# SECRET\na: ENC\nb: open"},
		"no comments":  {"unencrypted_comment_regex: OPEN", "a: c4nary\n# OPEN\nb: open\n", "a: ENC\n# OPEN\nb: open"},
		"mac":          {"mac_only_encrypted: true, encrypted_regex: ^a$", "a: c4nary\nb: open\n", "a: ENC\nb: open"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, map[string]string{
				".sops.yaml": "creation_rules: [{age: RECIPIENT, " + c.rule + "}]\n", "v.yaml": c.text,
			})
			r.seal("v.yaml")
			if got := outline(r.read("v.yaml")); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := r.sops("decrypt", "v.yaml"); !strings.Contains(got, "c4nary") {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

// The indentation of the block is that of the file, unless stores says.
func TestSealIndent(t *testing.T) {
	for stores, want := range map[string]string{"": "\nsops:\n  age:\n    - enc", "stores: {yaml: {indent: 3}}\n": "\nsops:\n   age:\n      - enc"} {
		r := newRepository(t, map[string]string{
			".sops.yaml": "creation_rules: [{age: RECIPIENT}]\n" + stores, "s.yaml": head + "stringData: {a: c4nary}\n",
		})
		r.seal("s.yaml")
		if got := r.read("s.yaml"); !strings.Contains(got, want) {
			t.Errorf("%q: got\n%s", stores, got)
		}
	}
}

// All comments are encrypted where that is asked for.
func TestSealAllComments(t *testing.T) {
	r := newRepository(t, map[string]string{"s.yaml": head + "# stays as it is\nstringData:\n  # kept by operations\n  a: c4nary\n"})
	files, err := r.prepare(Options{AllComments: true}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := outline(string(files[0].after)); !strings.Contains(got, "# stays as it is\nstringData:\n  #ENC\n") {
		t.Errorf("got\n%s", got)
	}
}

// Nothing but the sealed text reaches the directory, and neither errors nor
// warnings quote a value, whatever is wrong.
func TestNoValueLeaks(t *testing.T) {
	bad := map[string]string{
		"number.yaml": head + "stringData: {a: 4815162342}\n", "tag.yaml": head + "data: {a: !!binary YzRuYXJ5}\n",
		"broken.yaml": head + "stringData:\n  a: \"c4nary\n", "env.env": "c4nary without a sign\n", "crlf.env": "A=c4nary\r\n",
		"colon.ini": "a: c4nary\n", "continued.ini": "a = c4nary\\\nmore\n", "text.json": "[\"c4nary\"]", "half.json": "{\"a\": \"c4nary",
		"dup.yaml": head + "stringData:\n  a: c4nary\n  a: c4nary\n", "key.yaml": head + "stringData: {1: c4nary}\n",
		"base64.yaml": head + "data: {a: \"c4nary!\"}\n", "seq.yaml": "- c4nary\n", "scalar.yaml": "c4nary\n",
		"enc.yaml": head + "stringData: {a: \"ENC[AES256_GCM,c4nary]\", b: c4nary}\n", "alias.yaml": head + "stringData: {a: &x c4nary}\ntype: *x\n",
		"utf16.yaml": "\xff\xfec\x004\x00", "long.ini": "a = \"\"\"c4nary\nx\"\"\"\n", "merge.yaml": head + "x: &x {a: c4nary}\nstringData: {<<: *x}\n",
	}
	r := newRepository(t, bad)
	for name := range bad {
		files, err := r.prepare(Options{}, name)
		text := ""
		if err != nil {
			text = err.Error()
		} else if name != "base64.yaml" {
			t.Errorf("%s is sealed", name)
		}
		for _, f := range files {
			for _, w := range f.Warnings {
				text += w.Message
			}
		}
		if strings.Contains(text, "c4nary") || strings.Contains(text, "481516") || strings.Contains(text, "YzRu") {
			t.Errorf("%s: %s", name, text)
		}
	}
	sealed := newRepository(t, map[string]string{"s.yaml": head + "stringData: {a: c4nary}\n"})
	sealed.seal("s.yaml")
	err := fs.WalkDir(os.DirFS(sealed.dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if data, _ := os.ReadFile(filepath.Join(sealed.dir, path)); strings.Contains(string(data), "c4nary") {
			t.Errorf("%s holds the value", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSealStopsWithItsContext(t *testing.T) {
	r := newRepository(t, map[string]string{"a.env": "A=b\n"})
	snap := r.snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Seal(ctx, snap, []string{"a.env"}, Options{}); err == nil {
		t.Error("sealed")
	}
}

func TestIsProse(t *testing.T) {
	for text, want := range map[string]bool{
		" rotated quarterly by operations": true, " Ask the owner (Ann), please.": true, "": true, " ----- ": true, " see the wiki": true,
		" password: old": false, " hunter": false, " key=value pairs": false, " old was hunter2": false, " tok_abc def": false,
		" aGVsbG8gd29ybGQ here": false, " correcthorsebatterystaplexyz is it": false, " s3cr3t word": false, "a: b": false,
		" Xk QvTz pass": false, " https://user:pass@host it is": false,
	} {
		if got := isProse(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// What does not come back as it was is not passed on, whatever went wrong on the
// way: a lost value, one that the MAC does not cover, a lost comment, two
// ciphertexts that changed places.
func TestSealProvesItsResult(t *testing.T) {
	const text = "open: here\n# a note to keep\na_enc: [c4nary, second]\n"
	rule := &secrets.CreationRule{Groups: 1, MACOnlyEncrypted: true, Selection: secrets.Selection{EncryptedSuffix: "_enc"}}
	rule.Recipients = []secrets.Recipient{{Kind: secrets.AgeX25519, ID: "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"}}
	for name, damage := range map[string]func(edits []edit) []edit{
		"none":     func(e []edit) []edit { return e },
		"value":    func(e []edit) []edit { return append(e, edit{stretch{6, 10}, "lost"}) },
		"key":      func(e []edit) []edit { return append(e, edit{stretch{0, 4}, "shut"}) },
		"comment":  func(e []edit) []edit { return append(e, edit{stretch{11, 27}, ""}) },
		"not done": func(e []edit) []edit { return e[1:] },
		"swapped":  func(e []edit) []edit { e[0].with, e[1].with = e[1].with, e[0].with; return e },
	} {
		e, err := newEnvelope(rule, rule.Selection)
		if err != nil {
			t.Fatal(err)
		}
		s := &sealing{layout: newYAML("v.yaml", []byte(text), 2), envelope: e}
		s.metadata.MessageAuthenticationCode = "none yet"
		places, err := s.insert([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		block, err := s.block(s.layout)
		if err != nil {
			t.Fatal(err)
		}
		with := insertAll([]byte(text), block, places)
		original, err := load(s.layout, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		plain, encrypted, err := s.leaves(with, leavesOf(original))
		if err != nil {
			t.Fatal(err)
		}
		edits, err := s.edits([]byte(text), with, plain, encrypted)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := s.finish([]byte(text), block, places, plain, damage(edits))
		if (err == nil) != (name == "none") || err != nil && sealed != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
