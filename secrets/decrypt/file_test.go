package decrypt

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"filippo.io/age"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	sopsage "github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/logging"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
	"github.com/sallyport/sallyport/testdata/peer"
)

// On every encrypted file of a real repository sops' parser and the seal agree
// about documents, places and ciphertexts. That needs no key.
func TestParsersAgree(t *testing.T) {
	snap, err := repo.Open(t.Context(), peer.Corpus(t, "onedr0p-home-ops-2022-08"), repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := secrets.Seal(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	files, err := sealed.Encrypted(t.Context())
	if err != nil || len(files) < 50 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	tokens := regexp.MustCompile(`sopsTok0[0-9a-f]{56}`)
	seen := 0
	for _, f := range files {
		data, format, err := sealed.Ciphertext(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if problems := source.Check(f.Path, data); len(problems) > 0 {
			t.Errorf("%s would be refused: %s", f.Path, problems[0].Message)
		}
		l := layoutOf(f.Path, format)
		docs, err := l.documents(f.Path, data)
		if err != nil {
			t.Errorf("%s: %v", f.Path, err)
			continue
		}
		tree, err := l.store.LoadEncryptedFile(data)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{secrets.SealedFileToken(f.Path, data): true}
		for _, at := range encryptedLeaves(tree.Branches, docs) {
			known[secrets.SealedToken(f.Path, at.doc, at.tokens, at.enc)] = true
		}
		text, err := sealed.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range tokens.FindAllString(string(text), -1) {
			if seen++; !known[token] {
				t.Errorf("%s: sops finds nothing for a token", f.Path)
			}
		}
	}
	t.Logf("%d files, %d tokens", len(files), seen)
}

// Documents without content do not count, for the seal and for sops' tree.
func TestEmptyDocuments(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary-1}\n")+"---\n"+secret("two", "stringData: {a: c4nary-2}\n"))
	r.edit("s.yaml", "\n---\n", "\n---\n# only a comment\n---\n")
	out := r.decrypt()
	if data(t, out, "db")["a"] != "c4nary-1" || data(t, out, "two")["a"] != "c4nary-2" {
		t.Error("a value arrives elsewhere")
	}
}

// A file for several key groups needs a key of each.
func TestKeyGroups(t *testing.T) {
	r := newRepository(t)
	second, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	r.write(".sops.yaml", "creation_rules: [{shamir_threshold: 2, encrypted_regex: "+inManifests+", key_groups: [{age: ["+r.recipient+"]}, {age: ["+second.Recipient().String()+"]}]}]\n")
	r.write("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	if out, err := peer.Command(t, "sops", r.dir, "encrypt", "--in-place", "s.yaml").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err = r.try(Options{})
	refused(t, err, string(CodeNoKey))
	r.keys = Join(r.keys, identities(t, second.String()))
	if got := data(t, r.decrypt(), "db")["a"]; got != "c4nary" {
		t.Errorf("got %q", got)
	}
}

// A data key that is no AES-256 key is refused, though sops would take it.
func TestShortDataKey(t *testing.T) {
	r := newRepository(t)
	master, err := sopsage.MasterKeyFromRecipient(r.recipient)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("sixteen bytes ok")
	if err := master.Encrypt(key); err != nil {
		t.Fatal(err)
	}
	l := layoutOf("s.yaml", secrets.YAML)
	branches, err := l.store.LoadPlainFile([]byte(secret("db", "stringData: {a: c4nary}\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.write("s.yaml", encryptedWith(t, l, branches, master, key, inManifests))
	_, err = r.try(Options{Accept: acceptAll})
	refused(t, err, string(CodeNoKey))
}

// What panics, or takes too long, ends as a code without a word of it; a caller
// that gives up gets its own error.
func TestLimited(t *testing.T) {
	refuse := func(err error, want Code) {
		t.Helper()
		if codeOf(t, err) != want || !strings.HasPrefix(err.Error(), "x.yaml: ") || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("got %v", err)
		}
	}
	_, err := limited(t.Context(), "x.yaml", time.Minute, func() (*opened, *Error) { panic("c4nary") })
	refuse(err, CodeMalformed)
	block := make(chan struct{})
	defer close(block)
	wait := func() (*opened, *Error) { <-block; return nil, nil }
	_, err = limited(t.Context(), "x.yaml", time.Nanosecond, wait)
	refuse(err, CodeTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = limited(ctx, "x.yaml", time.Minute, wait); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A file beyond the limit is not given to sops, and neither is hostile YAML.
func TestFileLimits(t *testing.T) {
	r := newRepository(t)
	r.seal("key.bin", strings.Repeat("c4nary", maxFile/8+1))
	r.write("kustomization.yaml", "secretGenerator: [{name: g, files: [key.bin]}]\n")
	_, err := r.try(Options{})
	refused(t, err, string(CodeTooLarge))

	r = newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	r.edit("s.yaml", "metadata:\n", "metadata:\n    name: db\n") // a duplicate key
	j := &job{keys: r.keys, files: map[string]*opened{}}
	j.sealed, j.rendered = r.build()
	_, err = j.decrypt(t.Context(), "s.yaml")
	refused(t, err, string(CodeUnsafe))
	_, err = j.decrypt(t.Context(), "none.yaml")
	if err == nil {
		t.Error("a file that is not there is decrypted")
	}
}

// sops logs comments that are not encrypted, as these are after an edit.
func TestSopsIsQuiet(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData:\n  a: c4nary\n"))
	r.edit("s.yaml", "stringData:\n", "stringData:\n    # c4nary in a comment\n")
	r.decrypt()
	for name, logger := range logging.Loggers {
		if logger.Out != io.Discard {
			t.Errorf("sops' logger %s is not silent", name)
		}
	}
}

// oddValues are what sops' formats have to escape, and what looks like something
// else.
var oddValues = []string{"c4nary", "a: b # c\n---\n", "\"'{}[]\\\n", " lead and trail ", "\u00ff\u2028\U0001F511", "\t\r\n", "YzRuYXJ5", "true", "123", "${A}", "-----BEGIN X-----"}

// Whatever the value, what the stock sops encrypted arrives.
func TestRoundTrip(t *testing.T) {
	for _, value := range oddValues {
		r := newRepository(t)
		r.roundTrip(value, func(path, text, regex string) {
			if regex == "" {
				r.seal(path, text)
			} else {
				r.sealManifest(path, text)
			}
		})
	}
}

// FuzzRoundTrip is TestRoundTrip for any value. It calls the library of which the
// stock sops is made: three processes for each value, which minimising repeats
// hundreds of times, left a handful of values a second.
//
//	go test ./secrets/decrypt -run '^$' -fuzz FuzzRoundTrip -fuzztime 2m
func FuzzRoundTrip(f *testing.F) {
	for _, value := range oddValues {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) || secrets.IsSealed(value) || strings.ContainsRune(value, utf8.RuneError) || len(value) > 1000 {
			t.Skip()
		}
		if value == "" || strings.ContainsRune(value, 0x7f) { // a plain empty file; no YAML
			t.Skip()
		}
		r := newRepository(t)
		r.roundTrip(value, r.sealHere)
	})
}

// roundTrip seals a value in each format, and looks for it in the final objects.
func (r *repository) roundTrip(value string, seal func(path, text, regex string)) {
	r.t.Helper()
	quoted, err := json.Marshal(value)
	if err != nil {
		r.t.Fatal(err)
	}
	seal("s.yaml", secret("db", "stringData:\n  a: "+string(quoted)+"\n"), inManifests)
	seal("j.json", `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "js"}, "stringData": {"a": `+string(quoted)+`}}`, inManifests)
	seal("f.bin", value, "")
	r.write("kustomization.yaml", "resources: [s.yaml, j.json]\nsecretGenerator: [{name: g, files: [f.bin]}]\n")
	out := r.decrypt()
	for name, key := range map[string]string{"db": "a", "js": "a", "g": "f.bin"} {
		if got := data(r.t, out, name)[key]; got != value {
			r.t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
}

// sealHere is seal without a process.
func (r *repository) sealHere(path, text, regex string) {
	r.t.Helper()
	l := layoutOf(path, map[string]secrets.Format{".yaml": secrets.YAML, ".json": secrets.JSON, ".bin": secrets.Binary}[filepath.Ext(path)])
	branches, err := l.store.LoadPlainFile([]byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	master, err := sopsage.MasterKeyFromRecipient(r.recipient)
	if err != nil {
		r.t.Fatal(err)
	}
	key := []byte(strings.Repeat("k", 32))
	if err := master.Encrypt(key); err != nil {
		r.t.Fatal(err)
	}
	r.write(path, encryptedWith(r.t, l, branches, master, key, regex))
}

// encryptedWith is the text of a file that sops encrypts with a data key.
func encryptedWith(t testing.TB, l layout, branches sops.TreeBranches, master *sopsage.MasterKey, key []byte, regex string) string {
	t.Helper()
	tree := sops.Tree{Branches: branches, Metadata: sops.Metadata{
		KeyGroups: []sops.KeyGroup{{master}}, EncryptedRegex: regex, Version: "3.13.3", LastModified: time.Now().UTC(),
	}}
	cipher := aes.NewCipher()
	mac, err := tree.Encrypt(key, cipher)
	if err != nil {
		t.Fatal(err)
	}
	if tree.Metadata.MessageAuthenticationCode, err = cipher.Encrypt(mac, key, tree.Metadata.LastModified.Format(time.RFC3339)); err != nil {
		t.Fatal(err)
	}
	text, err := l.store.EmitEncryptedFile(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
