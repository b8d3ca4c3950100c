package decrypt

import (
	"reflect"
	"strings"
	"testing"

	"filippo.io/age"
)

const pemKey = "-----BEGIN PRIVATE KEY-----\nc4naryMC4CAQAwBQYDK2VwBCIEIA\nc4naryPrSdfkjwWERlkjSDFlkjwe\n-----END PRIVATE KEY-----\n"

// Every format arrives, value by value or as a whole, as it would if the stock
// sops had decrypted the files and kustomize built from them.
func TestFormats(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("a/db.yaml", "# c4nary comment\n"+secret("db", "stringData:\n  # c4nary\n  password: c4nary-1\n  key: |\n    "+
		strings.ReplaceAll(strings.TrimSpace(pemKey), "\n", "\n    ")+"\n  open: ''\n")+"---\n# c4nary only a comment\n---\n"+
		secret("second", "data:\n  k: YzRuYXJ5LTI=\n"))
	r.sealManifest("a/list.yaml", "apiVersion: v1\nkind: List\nitems:\n# c4nary in a list\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n- "+
		strings.ReplaceAll(secret("listed", "stringData:\n  a: c4nary-list\n"), "\n", "\n  "))
	r.sealManifest("a/json.json", `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "j"}, "stringData": {"a": "c4nary-json"}}`)
	r.sealMACOnly("a/mac.yaml", secret("mac", "stringData:\n  a: c4nary-mac\n"))
	for _, f := range []struct{ name, text string }{
		{"app.env", "# c4nary\nA=c4nary-env\nB=c4nary two = three \nC=\nD=c4nary\\nlines\n"},
		{"values.yaml", "a: c4nary-values\nb: [c4nary, 5, true, 1.5]\n# c4nary\n"},
		{"values.json", `{"a": {"b": "c4nary-value"}, "n": 5}`},
		{"app.ini", "[s]\na = c4nary-ini\n; c4nary\nb = c4nary\n"},
		{"key.bin", "c4nary\x00\x01\xff\xfebinary"},
		{"plain.txt", "c4nary-text"},
	} {
		r.seal("a/"+f.name, f.text)
	}
	r.write("a/kustomization.yaml", `resources: [db.yaml, list.yaml, json.json, mac.yaml]
namePrefix: p-
secretGenerator:
- name: generated
  envs: [app.env]
  files: [values.yaml, values.json, app.ini, key.bin, plain.txt]
`)
	out := r.decrypt()
	want := map[string]map[string]string{
		"p-db":     {"password": "c4nary-1", "key": strings.TrimSpace(pemKey) + "\n", "open": ""},
		"p-second": {"k": "c4nary-2"},
		"p-listed": {"a": "c4nary-list"},
		"p-j":      {"a": "c4nary-json"},
		"p-mac":    {"a": "c4nary-mac"},
		"p-generated": {
			"A": "c4nary-env", "B": "c4nary two = three ", "C": "", "D": `c4nary\nlines`,
			"values.yaml": sopsPrints(r, "a/values.yaml"), "values.json": sopsPrints(r, "a/values.json"), "app.ini": sopsPrints(r, "a/app.ini"),
			"key.bin": "c4nary\x00\x01\xff\xfebinary", "plain.txt": "c4nary-text",
		},
	}
	for name, values := range want {
		if got := data(t, out, name); !reflect.DeepEqual(got, values) {
			t.Errorf("%s: got %q\nwant %q", name, got, values)
		}
	}
	if len(out.Files) != 10 {
		t.Errorf("opened %q", out.Files)
	}
	for i, u := range out.Objects {
		_, rendered := r.build()
		if o := rendered.Objects[i]; u.GetName() != o.Name || u.GetKind() != o.Kind {
			t.Errorf("object %d is %s %s, want %s", i, u.GetKind(), u.GetName(), o.Object)
		}
	}
}

// Every kind of native identity opens what the stock sops encrypted for it.
func TestIdentityKinds(t *testing.T) {
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	public, private := sshKey(t)
	for name, key := range map[string]struct{ recipient, identity string }{
		"post-quantum": {hybrid.Recipient().String(), hybrid.String()},
		"ssh-ed25519":  {public, private},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			other := r.keys
			r.recipient, r.keys = key.recipient, Join(other, identities(t, key.identity))
			r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
			out, err := r.try(Options{Accept: acceptAll})
			if err != nil {
				t.Fatal(err)
			}
			if got := data(t, out, "db")["a"]; got != "c4nary" {
				t.Errorf("got %q", got)
			}
			r.keys = other
			_, err = r.try(Options{Accept: acceptAll})
			refused(t, err, string(CodeNoKey))
		})
	}
}

// stringData becomes data, and wins over it as in the server; base64 is written
// as the server does; a null is empty.
func TestStringData(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "data:\n  a: b2xkLWM0bmFyeQ==\n  long: "+strings.Repeat("YzRuYXJ5", 20)+"\n  n: null\nstringData:\n  a: c4nary-new\n  ref: ${NAME}\n"))
	got := data(t, r.decrypt(), "db")
	want := map[string]string{"a": "c4nary-new", "long": strings.Repeat("c4nary", 20), "n": "", "ref": "${NAME}"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// A target without secrets needs no key, and objects that are no Secrets stay
// exactly what was rendered.
func TestNothingEncrypted(t *testing.T) {
	r := newRepository(t)
	r.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\ndata: {a: b}\n")
	r.keys = nil
	out := r.decrypt()
	if _, rendered := r.build(); len(out.Objects) != 1 || !reflect.DeepEqual(out.Objects[0].Object, rendered.Objects[0].Value) {
		t.Errorf("got %v", out.Objects)
	}
	if got := out.Redact("nothing to hide"); got != "nothing to hide" {
		t.Errorf("got %q", got)
	}
}

// The encrypted bind key is compared with the final object, from the file even
// where a patch takes it away, and never applied.
func TestBind(t *testing.T) {
	bindTo := func(id string) string {
		return secret("db", "stringData:\n  password: c4nary\n  sops-bind: "+id+"\n")
	}
	for _, test := range []struct{ name, text, kustomization, want string }{
		{"fits", bindTo("v1/Secret/shop/db"), "", ""},
		{"in data", secret("db", "data:\n  password: YzRuYXJ5\n  sops-bind: djEvU2VjcmV0L3Nob3AvZGI=\n"), "", ""},
		{"namespace", bindTo("v1/Secret/shop/db"), "namespace: other\n", "moved"},
		{"name", bindTo("v1/Secret/shop/db"), "namePrefix: a-\n", "moved"},
		{"not an identity", bindTo("c4nary"), "", "moved"},
		{"taken away", bindTo("v1/Secret/shop/db"), "namespace: other\npatches: [{target: {kind: Secret}, patch: '[{\"op\": \"remove\", \"path\": \"/stringData/sops-bind\"}]'}]\n", "moved"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			r.sealManifest("s.yaml", test.text)
			r.write("kustomization.yaml", "resources: [s.yaml]\n"+test.kustomization)
			out, err := r.try(Options{})
			if test.want != "" {
				refused(t, err, test.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := data(t, out, "db"); !reflect.DeepEqual(got, map[string]string{"password": "c4nary"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A wrong Secret is refused here: the server would answer with the value, and log
// it. The canary stands in each.
func TestInvalidSecrets(t *testing.T) {
	for _, test := range []struct{ name, fields, want string }{
		{"no base64", "data: {k: c4nary-not-base64}\n", "secret-value"},
		{"key", "stringData: {'a b': c4nary}\n", "secret-key"},
		{"large", "stringData: {k: c4nary" + strings.Repeat("x", maxSecret) + "}\n", "secret-size"},
		{"type", "type: [x]\nstringData: {k: c4nary}\n", "secret-value"},
		{"immutable", "immutable: 'yes'\nstringData: {k: c4nary}\n", "secret-value"},
		{"number", "stringData: {k: 987654321}\n", "secret-leak"},
		{"nested", "stringData: {k: [c4nary]}\n", "secret-leak"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			r.sealManifest("s.yaml", secret("db", test.fields))
			_, err := r.try(Options{Accept: acceptAll})
			refused(t, err, test.want)
		})
	}
}
