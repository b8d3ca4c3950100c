package encrypt

import (
	"crypto/subtle"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	sopsage "github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/stores/dotenv"
	"github.com/getsops/sops/v3/stores/ini"
	"github.com/getsops/sops/v3/stores/json"
	"github.com/getsops/sops/v3/stores/yaml"
)

// open is what `sops decrypt` prints of a file, by the library of which the stock
// sops is made: a process for each run left a few runs a second to fuzzing.
// TestOpenIsSops holds both to each other.
func (r *repository) open(name string) string {
	r.t.Helper()
	store := storeFor(name)
	tree, err := store.LoadEncryptedFile([]byte(r.read(name)))
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	key := r.dataKey(tree.Metadata)
	cipher := aes.NewCipher()
	mac, err := tree.Decrypt(key, cipher)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	want, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, key, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil {
		r.t.Fatalf("%s: the mac: %v", name, err)
	}
	if want, ok := want.(string); !ok || subtle.ConstantTimeCompare([]byte(mac), []byte(want)) != 1 {
		r.t.Fatalf("%s: the mac is not that of the values", name)
	}
	out, err := store.EmitPlainFile(tree.Branches)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// storeFor takes the format from the name, as sops does.
func storeFor(name string) sops.Store {
	c := config.NewStoresConfig()
	switch path.Ext(name) {
	case ".yaml":
		return yaml.NewStore(&c.YAML)
	case ".json":
		return json.NewStore(&c.JSON)
	case ".env":
		return dotenv.NewStore(&c.Dotenv)
	case ".ini":
		return ini.NewStore(&c.INI)
	}
	return json.NewBinaryStore(&c.JSONBinary)
}

// dataKey opens the data key with the identity of the repository.
func (r *repository) dataKey(m sops.Metadata) []byte {
	r.t.Helper()
	var identities sopsage.ParsedIdentities
	if err := identities.Import(strings.TrimSpace(r.private)); err != nil {
		r.t.Fatal(err)
	}
	for _, group := range m.KeyGroups {
		for _, k := range group {
			master, ok := k.(*sopsage.MasterKey)
			if !ok {
				continue
			}
			identities.ApplyToMasterKey(master)
			if key, err := master.Decrypt(); err == nil {
				return key
			}
		}
	}
	r.t.Fatal("the identity of the repository opens no data key")
	return nil
}

// What the library opens is what the stock sops prints, in every format.
func TestOpenIsSops(t *testing.T) {
	files := map[string]string{
		"s.yaml": head + "data:\n  a: YzRuYXJ5\nstringData:\n  b: |\n    c4nary # x\n  # a note\n  c: 'é'\n---\n" + head + "stringData: {a: \"x\\ty\"}\n",
		"a.env":  "# note\nA=c4nary\nB=x=y\\n\nLAST=\"q\"\n",
		"a.json": `{"a":"c4nary","b":[1,2.5,3.0,true,null,{}]}`,
		"a.ini":  "top = c4nary\n[s]\nk = \"x y\"\n",
		"a.bin":  "c4nary\x00\xff.",
	}
	r := newRepository(t, files)
	for name := range files {
		r.seal(name)
		if got, want := r.open(name), r.sops("decrypt", name); got != want {
			t.Errorf("%s: got %q, sops prints %q", name, got, want)
		}
	}
}
