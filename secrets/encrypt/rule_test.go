package encrypt

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/sallyport/sallyport/repo"
)

const (
	pluginRecipient = "age1yubikey1qpzry9x8gf2tvdw0s3jn54khce6mua7lqpzry9x8gf2tvdw0s3jnqa5vvur"
	fingerprint     = "0508677DD04952D06A943D5B4DC4116D360E3276"
)

// Each refusal says what is wrong, where, and what to do; nothing is written.
func TestSealRefuses(t *testing.T) {
	secret := head + "stringData: {a: c4nary}\n"
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, rules, text string
		opts              Options
		want, hint        string
	}{
		{"no rules", "-", secret, Options{}, "s.yaml: there is no .sops.yaml at or above it", "--age"},
		{"no rule", "creation_rules: [{path_regex: ^other, age: RECIPIENT}]", secret, Options{}, "s.yaml: no rule in .sops.yaml is for it", "path_regex"},
		{"no recipient", "creation_rules: [{path_regex: s}]", secret, Options{}, ".sops.yaml:1:18: the rule names no recipient", "age:"},
		{"empty group", "creation_rules: [{key_groups: [{age: [RECIPIENT]}, {}]}]", secret, Options{}, "a key group without a recipient", ""},
		{"threshold", "creation_rules: [{age: RECIPIENT, shamir_threshold: 2}]", secret, Options{}, "shamir_threshold is more", ""},
		{"pgp", "creation_rules: [{pgp: " + fingerprint + "}]", secret, Options{}, ".sops.yaml:1:24: recipient of kind pgp: sealing for it would run gpg", "sops encrypt"},
		{"kms", "creation_rules: [{age: RECIPIENT, kms: 'arn:aws:kms:x'}]", secret, Options{}, "recipient of kind kms: sealing for it would contact a key service", "sops encrypt"},
		{"vault", "creation_rules: [{hc_vault_transit_uri: 'https://v.example/v1/t/keys/k'}]", secret, Options{}, "kind hc_vault", "sops encrypt"},
		{"post-quantum with classic", "creation_rules: [{age: ['RECIPIENT', '" + hybrid.Recipient().String() + "']}]", secret, Options{}, "mixes post-quantum recipients with others", "only"},
		{"malformed recipient", "creation_rules: [{age: age1c4nary}]", secret, Options{}, ".sops.yaml:1:24: is not an age recipient", ""},
		{"private key", "creation_rules: [{age: " + other.String() + "}]", secret, Options{}, "is a private key, where a recipient belongs", ""},
		{"unknown field", "creation_rules:\n- age: RECIPIENT\n  encrypted_regx: ^a$", secret, Options{}, `.sops.yaml:3:3: unknown field "encrypted_regx"`, ""},
		{"not pinned", "", secret, Options{Recipients: []string{other.Recipient().String()}}, "is not pinned", "--age"},
		{"given is malformed", "-", secret, Options{Recipients: []string{"age1c4nary"}}, "is not an age recipient", ""},
		{"narrow rule", "creation_rules: [{age: RECIPIENT, encrypted_suffix: _enc}]", head + "stringData: {a_enc: c4nary, b: c4nary}\n", Options{}, "it would still be reported", "encrypted_regex"},
		{"rule for manifests", "creation_rules: [{age: RECIPIENT, encrypted_regex: ^data$}]", "a: c4nary\n", Options{}, "holds no value that the rule at .sops.yaml:1:18 selects", "of their own"},
		{"everything of a manifest", "creation_rules: [{age: RECIPIENT, unencrypted_regex: ^kind$}]", secret, Options{}, `s.yaml:1:13: "apiVersion" would be encrypted too`, "encrypted_regex"},
		{"no secret", "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", Options{}, "holds nothing to seal: no Secret", ""},
		{"empty secret", "", head, Options{}, "holds nothing to seal", ""},
		{"config map", "", "apiVersion: v1\nkind: ConfigMap\ndata: {a: c4nary}\n", Options{}, `s.yaml:3:11: "data.a" would be encrypted too`, "file of its own"},
		{"beside a config map", "", secret + "---\nkind: ConfigMap\ndata: {a: c4nary}\n", Options{}, `s.yaml:8:11: "data.a" would be encrypted too`, "file of its own"},
		{"number", "", head + "stringData:\n  port: 5432\n", Options{}, `s.yaml:6:9: "stringData.port" is no string`, ""},
		{"timestamp", "", head + "stringData:\n  day: 2024-01-01\n", Options{}, `"stringData.day" is no string`, ""},
		{"tag", "", head + "stringData:\n  a: !!str c4nary\n", Options{}, `s.yaml:6:12: "stringData.a" has a YAML tag`, ""},
		{"alias in the open", "", head + "stringData: {a: &x c4nary}\ntype: *x\n", Options{}, "s.yaml:6:7: an alias stands in the open", ""},
		{"merged", "", head + "x: &x {a: c4nary}\nstringData: {<<: *x}\n", Options{}, "copies values of an anchor", ""},
		{"not YAML", "", head + "stringData: {a: c4nary\n", Options{}, "not valid YAML", ""},
		{"alias bomb", "", bomb(), Options{}, "s.yaml:", ""},
		{"duplicate key", "", head + "stringData:\n  a: c4nary\n  a: c4nary\n", Options{}, "s.yaml:7:3: ", ""},
		{"list", "", "- a\n", Options{}, "not a mapping", ""},
		{"own key sops", "", "sops: c4nary\n", Options{}, "has a key sops", ""},
		{"number as key", "", "1: c4nary\n", Options{}, "s.yaml:1:1: ", ""},
		{"empty", "", "", Options{}, "s.yaml: is empty", ""},
		{"comments only", "", "# c4nary\n", Options{}, "s.yaml: holds nothing", ""},
		{"first document is empty", "", "---\n---\n" + secret, Options{}, "s.yaml: ", ""},
		{"half encrypted", "", head + "stringData: {a: 'ENC[AES256_GCM,data:QQ==]'}\n", Options{}, `s.yaml:5:17: "stringData.a" is encrypted already`, "last good commit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"s.yaml": c.text}
			if c.rules != "" {
				files[".sops.yaml"] = c.rules + "\n"
			}
			r := newRepository(t, files)
			if c.rules == "-" {
				if err := os.Remove(filepath.Join(r.dir, ".sops.yaml")); err != nil {
					t.Fatal(err)
				}
			}
			_, err := r.prepare(c.opts, "s.yaml")
			var refused *Error
			if !errors.As(err, &refused) || !strings.Contains(refused.Error(), c.want) || !strings.Contains(refused.Hint, c.hint) {
				t.Fatalf("got %v, want %q with hint %q", err, c.want, c.hint)
			}
			if text := refused.Error() + refused.Hint; strings.Contains(text, "c4nary") || strings.Contains(text, "AGE-SECRET-KEY") {
				t.Errorf("a value is quoted: %s", text)
			}
		})
	}
}

// bomb is a document whose aliases multiply.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		n, p := string(rune('0'+i)), string(rune('0'+i-1))
		text += "a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+p+", ", 10), ", ") + "]\n"
	}
	return text
}

// Files are refused for what they are, whatever they hold.
func TestSealRefusesFiles(t *testing.T) {
	r := newRepository(t, map[string]string{
		"k/kustomization.yaml": "secretGenerator:\n- name: a\n  literals: [a=c4nary]\n", "s.env": "A=b\n", "ignored.env": "A=b\n", ".gitignore": "ignored*\n",
	})
	git(t, r.dir, "init", "-q")
	if err := os.Symlink("s.env", filepath.Join(r.dir, "link.env")); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{
		"k/kustomization.yaml": "is a kustomization", "link.env": "is a symbolic link", "ignored.env": "is ignored by Git", "absent.env": "not there",
		"../out.env": "outside the repository",
	} {
		if _, err := r.prepare(Options{}, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// Sealed files, by us and by the real sops, are recognised, and so is a value
// that was added to one by hand.
func TestSealRefusesSealed(t *testing.T) {
	secret := head + "stringData:\n  a: c4nary\n"
	r := newRepository(t, map[string]string{
		"ours.yaml": secret, "ours.env": "A=b\n", "ours.json": `{"a": "b"}`, "ours.ini": "a = b\n", "ours.bin": "b",
		"stock.yaml": secret, "stock.env": "A=b\n", "stock.json": `{"a": "b"}`, "stock.ini": "a = b\n", "stock.bin": "b", "partly.yaml": secret,
	})
	r.seal("ours.yaml", "ours.env", "ours.json", "ours.ini", "ours.bin", "partly.yaml")
	for _, ext := range []string{"yaml", "env", "json", "ini", "bin"} {
		r.sops("encrypt", "--in-place", "stock."+ext)
		for _, path := range []string{"ours." + ext, "stock." + ext} {
			var refused *Error
			if _, err := r.prepare(Options{}, path); !errors.As(err, &refused) || refused.Error() != path+": is sealed already" || !strings.Contains(refused.Hint, "sops edit "+path) {
				t.Errorf("%s: got %v", path, err)
			}
		}
	}
	r.write("partly.yaml", strings.Replace(r.read("partly.yaml"), "\n  a:", "\n  b: c4nary\n  a:", 1))
	_, err := r.prepare(Options{}, "partly.yaml")
	want := `partly.yaml:6:6: is sealed already, but not all of it: Secret value "b" is in plaintext in a file that sops encrypted`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// One file that cannot be sealed stops all of them, and every one is named.
func TestSealAllOrNothing(t *testing.T) {
	r := newRepository(t, map[string]string{"a.env": "A=b\n", "b.env": "c4nary\n", "c.env": "c4nary\n"})
	files, err := r.prepare(Options{}, "a.env", "b.env", "c.env")
	if len(files) > 0 || err == nil || !strings.Contains(err.Error(), "b.env:1:1") || !strings.Contains(err.Error(), "c.env:1:1") {
		t.Errorf("got %v, %v", files, err)
	}
}

// Recipients that are given count where no rule does, or agree with the rule.
func TestSealForGivenRecipients(t *testing.T) {
	r := newRepository(t, map[string]string{"a.env": "A=c4nary\n"})
	if _, err := r.prepare(Options{Recipients: []string{r.recipient}}, "a.env"); err != nil {
		t.Errorf("those of the rule: %v", err)
	}
	r.write(".sops.yaml", "creation_rules: [{path_regex: ^b, age: RECIPIENT}]\n")
	files, err := r.prepare(Options{Recipients: []string{" " + r.recipient}}, "a.env")
	if err != nil {
		t.Fatal(err)
	}
	if files[0].Rule.File != "" || len(files[0].Recipients) != 1 {
		t.Errorf("rule %v, recipients %v", files[0].Rule, files[0].Recipients)
	}
}

// The nearest .sops.yaml counts, and in it the first rule whose path_regex is in
// the path from there on.
func TestNearestRule(t *testing.T) {
	r := newRepository(t, map[string]string{
		".sops.yaml":     "creation_rules: [{path_regex: ^nowhere, age: RECIPIENT}]\n",
		"app/.sops.yaml": "creation_rules:\n- {path_regex: ^app, age: RECIPIENT}\n- {path_regex: /b, age: RECIPIENT}\n- {age: RECIPIENT}\n",
		"app/x/b.env":    "A=c4nary\n", "app/c.env": "A=c4nary\n",
	})
	files := r.seal("app/x/b.env", "app/c.env")
	if got := files[0].Rule.String() + " " + files[1].Rule.String(); got != "app/.sops.yaml:3:3 app/.sops.yaml:4:3" {
		t.Errorf("got %s", got)
	}
}

// Every kind of recipient that needs no more than its public key can open the
// file with the real sops; of several, each can.
func TestRecipients(t *testing.T) {
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rule string
		keys []string // each alone opens the file; with "\n", only together
	}{
		"post-quantum": {"age: " + hybrid.Recipient().String(), []string{hybrid.String()}},
		"two":          {"age: 'RECIPIENT, " + classic.Recipient().String() + "'", []string{"", classic.String()}},
		"groups":       {"key_groups: [{age: [RECIPIENT]}, {age: [" + classic.Recipient().String() + "]}]", []string{"+" + classic.String()}},
		"one of two":   {"shamir_threshold: 2, key_groups: [{age: [RECIPIENT]}, {merge: [{age: [" + classic.Recipient().String() + "]}]}]", []string{"+" + classic.String()}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, map[string]string{".sops.yaml": "creation_rules: [{" + c.rule + "}]\n", "s.yaml": head + "stringData: {a: c4nary}\n"})
			r.seal("s.yaml")
			gateIsSilent(t, r)
			for _, key := range c.keys {
				if own, err := os.ReadFile(r.identities); err != nil {
					t.Fatal(err)
				} else if more, both := strings.CutPrefix(key, "+"); both {
					r.identity(string(own) + more)
				} else if key != "" {
					r.identity(key)
				}
				if got := r.sops("decrypt", "s.yaml"); !strings.Contains(got, "c4nary") {
					t.Errorf("got %s", got)
				}
			}
		})
	}
}

func TestSSHRecipient(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	r := newRepository(t, map[string]string{
		".sops.yaml": "creation_rules: [{age: '" + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + "'}]\n",
		"s.yaml":     head + "stringData: {a: c4nary}\n",
	})
	r.seal("s.yaml")
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	r.identity(string(pem.EncodeToMemory(block)))
	t.Setenv("HOME", t.TempDir())
	cmd := sopsWithSSH(t, r)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "c4nary") {
		t.Errorf("%v\n%s", err, out)
	}
	gateIsSilent(t, r)
}

// A file that a commit holds in the open is noted; one that is sealed there is
// not.
func TestCommitted(t *testing.T) {
	r := newRepository(t, map[string]string{"old.env": "A=c4nary\n", "sealed.env": "A=c4nary\n"})
	r.seal("sealed.env")
	git(t, r.dir, "init", "-q")
	git(t, r.dir, "add", ".")
	git(t, r.dir, "commit", "-q", "-m", "x")
	r.write("sealed.env", "A=changed\n")
	r.write("new.env", "A=b\n")
	files, err := r.prepare(Options{}, "old.env", "sealed.env", "new.env")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"HEAD", "", ""} {
		if files[i].Committed != want {
			t.Errorf("%s: %q, want %q", files[i].Path, files[i].Committed, want)
		}
	}
	remote := t.TempDir()
	git(t, remote, "init", "-q", "--bare")
	git(t, r.dir, "remote", "add", "origin", remote)
	git(t, r.dir, "push", "-q", "-u", "origin", "HEAD")
	if files, err = r.prepare(Options{}, "old.env"); err != nil || files[0].Committed != "@{upstream}" {
		t.Errorf("%v, %v", files, err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@t.example",
		"GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@t.example")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

func TestPluginRecipient(t *testing.T) {
	r := newRepository(t, map[string]string{".sops.yaml": "creation_rules: [{age: " + pluginRecipient + "}]\n", "a.env": "A=b\n"})
	_, err := r.prepare(Options{}, "a.env")
	if err == nil || !strings.Contains(err.Error(), "run a plugin program") {
		t.Errorf("got %v", err)
	}
}

var _ repo.Tree = overlay{}
