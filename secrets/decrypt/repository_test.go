package decrypt

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/testdata/peer"
)

// A repository is a directory with files that the stock sops encrypted for one
// age key.
type repository struct {
	t         testing.TB
	dir       string
	recipient string
	keys      *Identities
}

func newRepository(t testing.TB) *repository {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return &repository{t: t, dir: t.TempDir(), recipient: key.Recipient().String(), keys: identities(t, key.String())}
}

func identities(t testing.TB, text string) *Identities {
	t.Helper()
	keys, err := ParseIdentities("keys.txt", []byte("# a comment\n\n"+text+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (r *repository) write(path, text string) {
	r.t.Helper()
	name := filepath.Join(r.dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) read(path string) string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, path))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}

// inManifests is the rule for manifests of Secrets.
const inManifests = "^(data|stringData)$"

// seal writes a file and encrypts it with the stock sops.
func (r *repository) seal(path, text string, args ...string) {
	r.t.Helper()
	r.write(path, text)
	peer.Encrypt(r.t, r.recipient, filepath.Join(r.dir, path), args...)
}

func (r *repository) sealManifest(path, text string, args ...string) {
	r.t.Helper()
	r.seal(path, text, append([]string{"--encrypted-regex", inManifests}, args...)...)
}

// sealMACOnly encrypts a manifest with mac_only_encrypted, which only a creation
// rule can ask for.
func (r *repository) sealMACOnly(path, text string) {
	r.t.Helper()
	r.write(".sops.yaml", "creation_rules: [{mac_only_encrypted: true, encrypted_regex: "+inManifests+", age: "+r.recipient+"}]\n")
	r.seal(path, text)
	if err := os.Remove(filepath.Join(r.dir, ".sops.yaml")); err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(r.read(path), "mac_only_encrypted: true") {
		r.t.Fatal("mac_only_encrypted is not set")
	}
}

// edit changes a file as an attacker without a key does; it must change.
func (r *repository) edit(path, old, with string) {
	r.t.Helper()
	text := r.read(path)
	changed := strings.Replace(text, old, with, 1)
	if changed == text {
		r.t.Fatalf("%s does not hold %q", path, old)
	}
	r.write(path, changed)
}

// build renders the one target of the repository as the gate does.
func (r *repository) build() (*secrets.Sealed, *render.Rendered) {
	r.t.Helper()
	snap, err := repo.Open(r.t.Context(), r.dir, repo.Selector{})
	if err != nil {
		r.t.Fatal(err)
	}
	sealed, err := secrets.Seal(r.t.Context(), snap)
	if err != nil {
		r.t.Fatal(err)
	}
	found, err := render.Discover(r.t.Context(), sealed, render.DiscoverOptions{})
	if err != nil || len(found.Targets) != 1 {
		r.t.Fatalf("%v: %+v", err, found)
	}
	rendered, err := render.NewBuilder(sealed, render.Options{}).Build(r.t.Context(), found.Targets[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return sealed, rendered
}

// try decrypts the target.
func (r *repository) try(opts Options) (*Result, error) {
	r.t.Helper()
	return r.tryWith(secrets.Expectations{}, r.keys, opts)
}

func (r *repository) tryWith(e secrets.Expectations, keys *Identities, opts Options) (*Result, error) {
	r.t.Helper()
	sealed, rendered := r.build()
	if rendered.Reason != "" {
		r.t.Fatalf("does not render: %s", rendered.Reason)
	}
	out, err := Objects(context.Background(), sealed, rendered, e, keys, opts)
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "c4nary") {
		r.t.Errorf("the error quotes a value: %v", err)
	}
	return out, err
}

func (r *repository) decrypt() *Result {
	r.t.Helper()
	out, err := r.try(Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// data returns the decoded data of a Secret by the beginning of its name.
func data(t testing.TB, out *Result, name string) map[string]string {
	t.Helper()
	for _, u := range out.Objects {
		if u.GetKind() != "Secret" || !strings.HasPrefix(u.GetName(), name) {
			continue
		}
		if _, ok := u.Object["stringData"]; ok {
			t.Errorf("%s still has stringData", name)
		}
		values := map[string]string{}
		fields, _ := u.Object["data"].(map[string]any)
		for key, v := range fields {
			raw, err := base64.StdEncoding.DecodeString(v.(string))
			if err != nil {
				t.Fatalf("%s %s: %v", name, key, err)
			}
			values[key] = string(raw)
		}
		return values
	}
	t.Fatalf("no Secret %s", name)
	return nil
}

// refused wants an *Error of a code, or a *RefusedError of a rule.
func refused(t testing.TB, err error, want string) {
	t.Helper()
	var e *Error
	var checks *RefusedError
	switch {
	case errors.As(err, &e):
		if string(e.Code) == want {
			return
		}
	case errors.As(err, &checks):
		for _, f := range checks.Findings {
			if f.Rule == want {
				return
			}
		}
	}
	t.Errorf("got %v, want %s", err, want)
}

// codeOf is the code that a refusal has, given that every waivable finding is waived.
func codeOf(t testing.TB, err error) Code {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error with a code", err)
	}
	return e.Code
}

func secret(name, fields string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: shop\n" + fields
}
