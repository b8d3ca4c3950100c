package encrypt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
	"github.com/sallyport/sallyport/testdata/peer"
)

// A repository is a directory with a .sops.yaml for one age key.
type repository struct {
	t          testing.TB
	dir        string
	recipient  string
	identities string // the file for sops
	private    string // what it holds
}

// newRepository writes files. In them RECIPIENT stands for that of the key; a
// .sops.yaml for it is there unless files has one.
func newRepository(t testing.TB, files map[string]string) *repository {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{t: t, dir: t.TempDir(), recipient: key.Recipient().String()}
	r.identity(key.String())
	if _, ok := files[".sops.yaml"]; !ok {
		r.write(".sops.yaml", "creation_rules: [{age: RECIPIENT}]\n")
	}
	for path, text := range files {
		r.write(path, text)
	}
	return r
}

func (r *repository) identity(text string) {
	r.t.Helper()
	r.private, r.identities = text, filepath.Join(r.t.TempDir(), "keys.txt")
	if err := os.WriteFile(r.identities, []byte(text+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) write(path, text string) {
	r.t.Helper()
	name := filepath.Join(r.dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "RECIPIENT", r.recipient)), 0o640); err != nil {
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

func (r *repository) snapshot() *repo.Snapshot {
	r.t.Helper()
	snap, err := repo.Open(r.t.Context(), r.dir, repo.Selector{})
	if err != nil {
		r.t.Fatal(err)
	}
	return snap
}

// prepare seals in memory.
func (r *repository) prepare(opts Options, paths ...string) ([]*File, error) {
	r.t.Helper()
	return Seal(r.t.Context(), r.snapshot(), paths, opts)
}

// seal seals and writes; it must succeed.
func (r *repository) seal(paths ...string) []*File {
	r.t.Helper()
	files, err := r.prepare(Options{}, paths...)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := Write(r.dir, files); err != nil {
		r.t.Fatal(err)
	}
	return files
}

// sops runs the real program with the private key, in the directory of the
// repository. It must succeed.
func (r *repository) sops(args ...string) string {
	r.t.Helper()
	out, errout, err := r.trySops(args...)
	if err != nil {
		r.t.Fatalf("sops %s: %v\n%s", args[0], err, errout)
	}
	return out
}

func (r *repository) trySops(args ...string) (stdout, stderr string, err error) {
	r.t.Helper()
	cmd := peer.Command(r.t, "sops", r.dir, args...)
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY_FILE="+r.identities)
	var errout bytes.Buffer
	cmd.Stderr = &errout
	out, err := cmd.Output()
	return string(out), errout.String(), err
}

// secretsIn lists what data and stringData of all Secrets of a text hold.
func secretsIn(t testing.TB, text string) []any {
	t.Helper()
	f, err := source.Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []any
	for _, doc := range f.Docs {
		value, err := source.Decode(doc.Root)
		if err != nil {
			t.Fatal(err)
		}
		collect(value, &out)
	}
	return out
}

func collect(value any, out *[]any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			collect(item, out)
		}
	case map[string]any:
		if value["kind"] == "Secret" {
			*out = append(*out, value["data"], value["stringData"])
		}
		collect(value["items"], out)
	}
}

// outline is a sealed text without what sealing may change: the values, and the
// sops blocks.
func outline(text string) string {
	var out []string
	inBlock := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if inBlock = line == "sops:" || inBlock && strings.HasPrefix(line, " "); !inBlock {
			out = append(out, ciphertext.ReplaceAllString(line, "ENC"))
		}
	}
	return strings.Join(out, "\n")
}
