package decrypt

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

func b64(text string) string   { return base64.StdEncoding.EncodeToString([]byte(text)) }
func hexOf(text string) string { return hex.EncodeToString([]byte(text)) }

func list(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		out = append(out, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Nothing that holds a secret prints it: not in any verb, not as JSON, not in
// slog, not inside another type, an error or a pointer.
func TestNothingPrints(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	key := keyText(r.keys)
	out := r.decrypt()
	f := &opened{all: []*value{{text: NewPlaintext("c4nary")}}}
	type outer struct {
		inner   any
		hidden  Plaintext
		Visible Plaintext
		Keys    *Identities
	}
	for name, v := range map[string]any{
		"plaintext": NewPlaintext("c4nary"), "pointer": new(NewPlaintext("c4nary")), "none": Plaintext{},
		"outer": outer{NewPlaintext("c4nary"), NewPlaintext("c4nary"), NewPlaintext("c4nary"), r.keys},
		"slice": []Plaintext{NewPlaintext("c4nary")}, "map": map[string]Plaintext{"k": NewPlaintext("c4nary")},
		"identities": r.keys, "identity value": *r.keys,
		"result": out, "result value": *out, "redactor": NewRedactor(NewPlaintext("c4nary")),
		"file": f, "value": f.all[0], "job": &job{keys: r.keys, files: map[string]*opened{"x": f}},
	} {
		var text strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%8.3v"} {
			fmt.Fprintf(&text, verb+"\n", v)
		}
		if data, err := json.Marshal(v); err == nil {
			text.Write(data)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
			slog.New(h).Info("x", "v", v, slog.Group("g", slog.Any("v", v)))
		}
		fmt.Fprintln(&text, fmt.Errorf("wrapped %v: %w", v, errors.New("x")), fmt.Sprint(v, &v))
		for _, found := range []string{"c4nary", b64("c4nary"), strings.TrimRight(b64("c4nary"), "="), hexOf("c4nary"), strings.ToUpper(hexOf("c4nary")), key, "99 52 110"} {
			if strings.Contains(text.String(), found) {
				t.Errorf("%s prints %q:\n%s", name, found, text.String())
			}
		}
	}
	if got := NewPlaintext("c4nary").Reveal(); got != "c4nary" {
		t.Errorf("reveals %q", got)
	}
}

// No temporary file is made.
func TestNoTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	r.seal("key.bin", "c4nary\x00")
	r.write("kustomization.yaml", "resources: [s.yaml]\nsecretGenerator: [{name: g, files: [key.bin]}]\n")
	before := list(t, dir)
	r.decrypt()
	for _, path := range list(t, dir)[len(before):] {
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte("c4nary")) {
			t.Errorf("%s holds a value", path)
		}
	}
	if now := list(t, dir); len(now) != len(before) {
		t.Errorf("%q were made", now)
	}
}

// What is no native identity is refused by its line, which is not quoted.
func TestParseIdentities(t *testing.T) {
	good, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, private := sshKey(t)
	keys, err := ParseIdentities("k", []byte("# x\r\n"+good.String()+"\r\n\n"+private+good.String()))
	if err != nil || len(keys.list()) != 3 {
		t.Errorf("%v, %d identities", err, len(keys.list()))
	}
	for text, want := range map[string]string{
		"":                                      "k: holds no identity",
		"# nothing\n":                           "k: holds no identity",
		good.String() + "\nc4nary":              "k:2: is no age identity",
		"AGE-SECRET-KEY-1C4NARY":                "k:1: is no identity that can be read without a passphrase",
		"AGE-PLUGIN-YUBIKEY-1QQPQYQPQYY0C4NARY": "k:1: is the identity of a plugin, which would run a program",
		"age-encryption.org/v1\n-> scrypt c4nary":         "k:1: is encrypted itself: give the identity without a passphrase",
		"\n-----BEGIN OPENSSH PRIVATE KEY-----\nc4nary\n": "k:2: is no identity that can be read without a passphrase",
		"-----BEGIN AGE ENCRYPTED FILE-----\nc4nary":      "k:1: is encrypted itself: give the identity without a passphrase",
		strings.Repeat("# c4nary\n", maxIdentities):       "k: is larger than an identity file can be",
		strings.TrimSuffix(good.String(), "0") + "C4NARY": "k:1: is no identity that can be read without a passphrase",
	} {
		_, err := ParseIdentities("k", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
