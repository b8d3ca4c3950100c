package decrypt

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/testdata/peer"
)

func acceptAll(finding.Finding) bool { return true }

func sshKey(t testing.TB) (public, private string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line))), string(pem.EncodeToMemory(block))
}

// sopsPrints is what the stock sops decrypts a file to.
func sopsPrints(r *repository, path string) string {
	r.t.Helper()
	cmd := peer.Command(r.t, "sops", r.dir, "decrypt", path)
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY="+keyText(r.keys))
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatal(err)
	}
	return string(out)
}

func keyText(keys *Identities) string {
	var out []string
	for _, id := range keys.list() {
		if id, ok := id.(*age.X25519Identity); ok {
			out = append(out, id.String())
		}
	}
	return strings.Join(out, "\n")
}

// What leaves a Secret on its way through kustomize is refused before any key is
// touched, waivers or not: there are no identities here.
func TestLeaksNeedNoKey(t *testing.T) {
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: x}\n"
	for name, kustomization := range map[string]string{
		"replacement": "replacements:\n- source: {kind: Secret, fieldPath: stringData.password}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.k]}]\n",
		"part":        "replacements:\n- source: {kind: Secret, fieldPath: stringData.password}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.k], options: {delimiter: x, index: 0}}]\n",
		"kind":        "patches:\n- target: {kind: Secret}\n  options: {allowKindChange: true}\n  patch: '[{\"op\": \"replace\", \"path\": \"/kind\", \"value\": \"ConfigMap\"}]'\n",
		"generator":   "configMapGenerator: [{name: g, files: [v.yaml]}]\n",
		"annotation":  "replacements:\n- source: {kind: Secret, fieldPath: stringData.password}\n  targets: [{select: {kind: Secret}, fieldPaths: [metadata.annotations.a], options: {create: true}}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			r.sealManifest("s.yaml", secret("db", "stringData: {password: c4nary}\n"))
			r.seal("v.yaml", "a: c4nary\n")
			r.write("c.yaml", config)
			r.write("kustomization.yaml", "resources: [s.yaml, c.yaml]\n"+kustomization)
			_, err := r.tryWith(secrets.Expectations{}, nil, Options{Accept: acceptAll})
			refused(t, err, ruleLeak)
		})
	}
}

var encValue = regexp.MustCompile(`ENC\[AES256_GCM,data:[^\]]*,type:str\]`)

// What an author without a key does to a file is refused, first by the checks of
// the gate, and by sops' cryptography where those are waived. No error has a value.
func TestTamperedFiles(t *testing.T) {
	two := secret("db", "stringData:\n  a: c4nary-first\n  b: c4nary-other\n")
	for _, test := range []struct {
		name, text string
		macOnly    bool
		change     func(r *repository)
		want       string
	}{
		{"swapped values", two, false, func(r *repository) {
			values := encValue.FindAllString(r.read("s.yaml"), 2)
			r.write("s.yaml", strings.NewReplacer(values[0], values[1], values[1], values[0]).Replace(r.read("s.yaml")))
		}, "value"},
		{"moved to another key", two, false, func(r *repository) { r.edit("s.yaml", "\n    a: ", "\n    c: ") }, "value"},
		{"metadata edited", two, false, func(r *repository) { r.edit("s.yaml", "namespace: shop", "namespace: evil") }, "mac"},
		{"namespace with mac_only_encrypted", two, true, func(r *repository) { r.edit("s.yaml", "namespace: shop", "namespace: evil") }, ""},
		{"value taken away", two, false, func(r *repository) {
			r.write("s.yaml", regexp.MustCompile(`\n    b: ENC[^\n]*`).ReplaceAllString(r.read("s.yaml"), ""))
		}, "mac"},
		{"mac of another file", two, false, func(r *repository) {
			r.sealManifest("o.yaml", secret("o", "stringData: {a: c4nary}\n"))
			mac := regexp.MustCompile(`mac: ENC[^\n]*`)
			r.write("s.yaml", mac.ReplaceAllString(r.read("s.yaml"), mac.FindString(r.read("o.yaml"))))
			r.write("o.yaml", "")
		}, "mac"},
		{"mac gone", two, false, func(r *repository) {
			r.write("s.yaml", regexp.MustCompile(`\n    mac: ENC[^\n]*`).ReplaceAllString(r.read("s.yaml"), ""))
		}, "mac"},
		{"type int", two, false, func(r *repository) { r.edit("s.yaml", ",type:str]", ",type:int]") }, ruleLeak},
		{"type bytes", two, false, func(r *repository) { r.edit("s.yaml", ",type:str]", ",type:bytes]") }, "value"},
		{"type comment", two, false, func(r *repository) { r.edit("s.yaml", ",type:str]", ",type:comment]") }, "mac"},
		{"block emptied", two, false, func(r *repository) {
			text := r.read("s.yaml")
			r.write("s.yaml", text[:strings.Index(text, "\nsops:")]+"\nsops: {mac: ''}\n")
		}, "malformed"},
		{"key groups gone", two, false, func(r *repository) {
			text := r.read("s.yaml")
			r.write("s.yaml", regexp.MustCompile(`(?s)    age:\n.*?    encrypted_regex`).ReplaceAllString(text, "    age: []\n    encrypted_regex"))
		}, "malformed"},
		{"rule narrowed", two, true, func(r *repository) { r.edit("s.yaml", inManifests, "^data$") }, "mac"},
		{"alias bomb", two, false, func(r *repository) { r.write("s.yaml", r.read("s.yaml")+"x: &x [*x]\n") }, "does not render"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			if test.macOnly {
				r.sealMACOnly("s.yaml", test.text)
			} else {
				r.sealManifest("s.yaml", test.text)
			}
			r.write("kustomization.yaml", "resources: [s.yaml]\n")
			test.change(r)
			sealed, rendered := r.build()
			_, err := Objects(t.Context(), sealed, rendered, secrets.Expectations{}, r.keys, Options{Accept: acceptAll})
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v", err)
			case test.want == "does not render":
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v", err)
				}
			case test.want != "":
				refused(t, err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "c4nary") {
				t.Errorf("the error quotes a value: %v", err)
			}
		})
	}
}

// The type oracle (a value of type int whose text is none is quoted in sops'
// error) and the panic on type:bytes, where only a whole file is decrypted.
func TestTypeOracle(t *testing.T) {
	for _, kind := range []string{"int", "float", "bool", "time", "bytes"} {
		r := newRepository(t)
		r.seal("v.yaml", "a: c4nary\n")
		r.write("kustomization.yaml", "secretGenerator: [{name: g, files: [v.yaml]}]\n")
		r.edit("v.yaml", ",type:str]", ",type:"+kind+"]")
		_, err := r.try(Options{Accept: acceptAll})
		refused(t, err, string(CodeValue))
		if err != nil && !strings.Contains(err.Error(), "v.yaml /a:") {
			t.Errorf("%s: the error does not name the key: %v", kind, err)
		}
	}
}

// A planted Vault, KMS or PGP key is refused by its kind. Where that is waived,
// it is still not asked: nothing dials.
func TestPlantedKeys(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var dialled atomic.Int32
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			_ = c.Close()
		}
	}()
	address := "http://" + listener.Addr().String()
	t.Setenv("VAULT_TOKEN", "c4nary-vault")
	t.Setenv("VAULT_MAX_RETRIES", "0")
	t.Setenv("AWS_ENDPOINT_URL", address)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "c4nary")
	vault := "    hc_vault:\n        - vault_address: " + address + "\n          engine_path: transit\n          key_name: k\n          created_at: \"2026-01-01T00:00:00Z\"\n          enc: vault:v1:AAAA\n"
	kms := "    kms:\n        - arn: arn:aws:kms:eu-west-1:111122223333:key/x\n          created_at: \"2026-01-01T00:00:00Z\"\n          enc: AAAA\n"
	pgp := "    pgp:\n        - fp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21\n          created_at: \"2026-01-01T00:00:00Z\"\n          enc: |\n              -----BEGIN PGP MESSAGE-----\n              AAAA\n              -----END PGP MESSAGE-----\n"
	ageList := regexp.MustCompile(`(?s)    age:\n.*?\n    encrypted_regex`)
	for name, block := range map[string]string{"vault": vault, "kms": kms, "pgp": pgp} {
		r := newRepository(t)
		r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
		r.edit("s.yaml", "\nsops:\n", "\nsops:\n"+block)
		_, err := r.try(Options{})
		refused(t, err, "secret-key-type")
		out, err := r.try(Options{Accept: acceptAll})
		if err != nil || data(t, out, "db")["a"] != "c4nary" {
			t.Errorf("%s beside age: %v", name, err)
		}
		r.write("s.yaml", ageList.ReplaceAllString(r.read("s.yaml"), "    encrypted_regex"))
		_, err = r.try(Options{Accept: acceptAll})
		refused(t, err, string(CodeKeyType))
		_, err = r.tryWith(secrets.Expectations{}, nil, Options{Accept: acceptAll})
		refused(t, err, string(CodeNoIdentity))
		_, err = r.try(Options{Accept: acceptAll, Keys: []Key{{secrets.PGP, "85D77543B3D624B63CEA9E6DBC17301B491B3F21"}, {secrets.Vault, "http://other/v1/transit/keys/k"}}})
		refused(t, err, string(CodeKeyType))
	}
	if n := dialled.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
	// The other way round: it is the list that keeps them from being asked.
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	r.write("s.yaml", ageList.ReplaceAllString(r.read("s.yaml"), vault+"    encrypted_regex"))
	_, err = r.try(Options{Accept: acceptAll, Keys: []Key{{secrets.Vault, address + "/v1/transit/keys/k"}}})
	refused(t, err, string(CodeNoKey))
	if dialled.Load() == 0 {
		t.Error("the listed key was not asked")
	}
}

// A recipient that the creation rules do not name is refused.
func TestPlantedRecipient(t *testing.T) {
	r := newRepository(t)
	rules := "creation_rules: [{age: " + r.recipient + "}]\n"
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	r.write(".sops.yaml", rules)
	sealed, _ := r.build()
	e := secrets.Expectations{Creation: secrets.CreationFor(sealed)}
	if _, err := r.tryWith(e, r.keys, Options{}); err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?s)        - (?:enc|recipient): .*?END AGE ENCRYPTED FILE-----\n(?:          recipient: [^\n]*\n)?`).FindString(r.read("s.yaml"))
	planted, err := age.GenerateX25519Identity()
	if err != nil || entry == "" {
		t.Fatalf("%v, entry %q", err, entry)
	}
	r.edit("s.yaml", entry, entry+strings.Replace(entry, r.recipient, planted.Recipient().String(), 1))
	_, err = r.tryWith(e, r.keys, Options{})
	refused(t, err, "secret-recipients")
}

// Without identities nothing is looked for: a key in the environment or at home
// that would open the file is not used.
func TestNoIdentities(t *testing.T) {
	r := newRepository(t)
	r.sealManifest("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	t.Setenv("SOPS_AGE_KEY", keyText(r.keys))
	t.Setenv("SOPS_AGE_KEY_CMD", "touch "+r.dir+"/ran")
	for name, keys := range map[string]*Identities{"nil": nil, "empty": {}, "joined": Join()} {
		if _, err := r.tryWith(secrets.Expectations{}, keys, Options{}); codeOf(t, err) != CodeNoIdentity {
			t.Errorf("%s: got %v", name, err)
		}
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.tryWith(secrets.Expectations{}, identities(t, other.String()), Options{})
	refused(t, err, string(CodeNoKey))
	if strings.Contains(strings.Join(list(t, r.dir), " "), "ran") {
		t.Error("a command was run")
	}
}

// A value of a Secret that stands in another object as well is found in every
// common form, unless it is a name, or known to be public.
func TestValueElsewhere(t *testing.T) {
	const value = "c4nary-Zx9+/?&=\"<q"
	for _, test := range []struct {
		name, value, elsewhere string
		want                   bool
	}{
		{"raw", value, "x" + value + "y", true},
		{"base64", value, b64(value), true},
		{"aligned", value, b64("ab" + value + "c"), true},
		{"hex", value, hexOf(value), true},
		{"short", "c4nary", "c4nary", false},
		{"host", "db-01.shop.svc.cluster.local", "db-01.shop.svc.cluster.local", false},
		{"mail", "ops@example.com", "ops@example.com", false},
		{"token", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			r.sealManifest("s.yaml", secret("db", "stringData:\n  a: '"+test.value+"'\n"))
			r.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  k: '"+test.elsewhere+"'\n")
			r.write("kustomization.yaml", "resources: [s.yaml, c.yaml]\n")
			_, err := r.try(Options{Accept: acceptAll})
			if (err != nil) != test.want {
				t.Fatalf("got %v", err)
			}
			if test.want {
				refused(t, err, string(CodeLeak))
				public := func(file, key string) bool { return file == "s.yaml" && key == "/stringData/a" }
				if _, err := r.try(Options{Accept: acceptAll, Public: public}); err != nil {
					t.Errorf("public: %v", err)
				}
			}
		})
	}
}

// A render that somebody masked before is refused: the mask would be applied.
// So is the value of a Secret in plaintext, which the sealed render does not have.
func TestMasksAreNotApplied(t *testing.T) {
	r := newRepository(t)
	r.write("s.yaml", secret("db", "stringData: {a: c4nary}\n"))
	_, err := r.try(Options{})
	refused(t, err, "secret-plaintext")
	_, err = r.try(Options{Accept: acceptAll})
	refused(t, err, string(CodeRemains))

	r = newRepository(t)
	r.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  k: "+keyText(r.keys)+"\n")
	sealed, rendered := r.build()
	sealed.CheckRendered(rendered) // masks
	_, err = Objects(t.Context(), sealed, rendered, secrets.Expectations{}, nil, Options{Accept: acceptAll})
	refused(t, err, string(CodeRemains))
	// Where it is waived, a fresh render keeps what the check of Objects masks.
	out, err := r.try(Options{Accept: acceptAll})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Objects[0].Object["data"].(map[string]any)["k"].(string); got != keyText(r.keys) {
		t.Error("the ConfigMap would be applied with a mask")
	}
}

// Each value in a file that becomes a Secret as a whole is looked for, too.
func TestPartOfFileElsewhere(t *testing.T) {
	r := newRepository(t)
	r.seal("v.yaml", "a: {b: c4nary-Part-0f-a-file}\n")
	r.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: c4nary-Part-0f-a-file}\n")
	r.write("kustomization.yaml", "resources: [c.yaml]\nsecretGenerator: [{name: g, files: [v.yaml]}]\n")
	_, err := r.try(Options{Accept: acceptAll})
	refused(t, err, string(CodeLeak))
	if err != nil && !strings.Contains(err.Error(), "v.yaml /a/b") {
		t.Errorf("the error does not name the value: %v", err)
	}
}
