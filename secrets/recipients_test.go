package secrets

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/peer"
)

const plainSecret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\nstringData:\n  password: c4nary\n  user: c4nary\n"

// A workshop is a directory in which the real sops works.
type workshop struct {
	t        testing.TB
	dir      string
	identity string // file
}

// newWorkshop has creation rules and one file, secret.yaml, encrypted by them.
// The recipient may stand in the rules as OWN.
func newWorkshop(t testing.TB, rules, text string) (w workshop, own string) {
	t.Helper()
	own, identity := peer.NewAgeKey(t)
	w = workshop{t, t.TempDir(), identity}
	w.write(CreationRulesName, strings.ReplaceAll(rules, "OWN", own))
	w.write("secret.yaml", text)
	w.sops("encrypt", "--in-place", "secret.yaml")
	return w, own
}

func (w workshop) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w workshop) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func (w workshop) sops(args ...string) {
	w.t.Helper()
	cmd := peer.Command(w.t, "sops", w.dir, args...)
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY_FILE="+w.identity)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("sops %v: %v\n%s", args, err, out)
	}
}

// tree holds the rules and the file as they are.
func (w workshop) tree() memTree {
	return memTree{CreationRulesName: w.read(CreationRulesName), "secret.yaml": w.read("secret.yaml")}
}

// says lists "rule severity line: message" of what CheckRecipients finds.
func says(t testing.TB, tree memTree, e Expectations) []finding.Finding {
	t.Helper()
	found, err := seal(t, tree).CheckRecipients(context.Background(), "", e)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// expect wants one finding of a rule at a line that starts with a text.
func expect(t testing.TB, tree memTree, found []finding.Finding, rule string, severity finding.Severity, line, message string) {
	t.Helper()
	for _, f := range found {
		if f.Rule != rule || f.Severity != severity || !strings.Contains(f.Message, message) {
			continue
		}
		lines := strings.Split(tree[f.Location.File], "\n")
		if at := f.Location.Start.Line; at > 0 && at <= len(lines) && strings.HasPrefix(strings.TrimLeft(lines[at-1], " -"), line) {
			return
		}
	}
	t.Errorf("no %s %s %q at %q in %v", severity, rule, message, line, found)
}

func sshKey(t testing.TB) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	blob := append([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"), public...)
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob)
}

func hybridKey(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pq.txt")
	out, err := peer.Command(t, "age-keygen", filepath.Dir(file), "-pq", "-o", file).CombinedOutput()
	if err != nil {
		t.Fatalf("age-keygen: %v\n%s", err, out)
	}
	public, err := peer.Command(t, "age-keygen", filepath.Dir(file), "-y", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(public))
}

// Files that the real sops encrypted by the rules are silent, whatever the kinds
// of keys and the groups; and each is reported once the rules say otherwise.
func TestRecipientsOfSops(t *testing.T) {
	ssh, hybrid := sshKey(t), hybridKey(t)
	group := func(ids ...string) string { return "  - age: ['" + strings.Join(ids, "', '") + "']\n" }
	for _, test := range []struct {
		name, rules string
		e           Expectations
	}{
		{"X25519", "creation_rules:\n- age: OWN\n", Expectations{}},
		{"post-quantum", "creation_rules:\n- age: " + hybrid + "\n", Expectations{}},
		{"ssh", "creation_rules:\n- age: " + ssh + " me@example.com,OWN\n", Expectations{}},
		{"all groups", "creation_rules:\n- key_groups:\n" + group("OWN") + group(ssh), Expectations{}},
		{"one of two groups", "creation_rules:\n- shamir_threshold: 2\n  key_groups:\n" + group("OWN") + group(ssh) + group(exampleStranger), Expectations{}},
		{"selection", "creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: OWN\n", Expectations{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, own := newWorkshop(t, test.rules, plainSecret+"---\n"+plainSecret)
			tree := w.tree()
			test.e.Creation = CreationFor(tree)
			if found := says(t, tree, test.e); len(found) > 0 {
				t.Errorf("got %v", found)
			}
			tree[CreationRulesName] = strings.NewReplacer(own, exampleRecipient, hybrid, exampleRecipient).Replace(tree[CreationRulesName])
			test.e.Creation = CreationFor(tree)
			found := says(t, tree, test.e)
			expect(t, tree, found, ruleRecipients, finding.Error, "sops:", "recipient "+shortID(Recipient{Kind: AgeX25519, ID: exampleRecipient})+" of the creation rule cannot open")
			expect(t, tree, found, ruleRecipients, finding.Error, "recipient:", "is not in the creation rule")
			if len(found) != 2 {
				t.Errorf("got %v, want one finding for each, also with two documents", found)
			}
		})
	}
}

// Where the rules of another revision judge, the author of an honest change is told
// to change them first; who adds a recipient to the file alone is not.
func TestRecipientsOfTheBase(t *testing.T) {
	w, own := newWorkshop(t, "creation_rules:\n- "+encSecret, plainSecret)
	base := CreationFor(memTree{CreationRulesName: w.read(CreationRulesName)})
	before := w.read(CreationRulesName)
	w.write(CreationRulesName, strings.ReplaceAll(before, own, own+","+exampleRecipient))
	w.sops("updatekeys", "--yes", "secret.yaml")
	for rules, want := range map[string]string{w.read(CreationRulesName): "merge the change of .sops.yaml first", before: helpRecipients} {
		tree := memTree{CreationRulesName: rules, "secret.yaml": w.read("secret.yaml")}
		found, err := seal(t, tree).CheckRecipients(context.Background(), "", Expectations{Creation: base, From: "main"})
		if err != nil || len(found) != 1 || !strings.Contains(found[0].Help, want) ||
			!strings.Contains(found[0].Message, "is not in the creation rule of main") {
			t.Errorf("got %v %v, want %q", found, err, want)
		}
	}
}

// The groups and how many of them open a file are part of the rule.
func TestRecipientsInGroups(t *testing.T) {
	rules := "creation_rules:\n- shamir_threshold: 2\n  key_groups:\n  - age: [OWN]\n  - age: [" + exampleRecipient + "]\n  - age: [" + exampleStranger + "]\n"
	w, own := newWorkshop(t, rules, plainSecret)
	for _, test := range []struct{ name, old, with, line, message string }{
		{"threshold", "shamir_threshold: 2", "shamir_threshold: 3", "sops:", "2 groups of recipients can open the file, the creation rule asks for 3 groups"},
		{"a group less", "  - age: [" + exampleStranger + "]\n", "", "sops:", "has 3 groups of recipients, the creation rule has 2 groups"},
		{"swapped", "[" + exampleRecipient + "]", "[" + own + "]", "recipient:", "is not in the creation rule"},
	} {
		tree := w.tree()
		tree[CreationRulesName] = strings.Replace(tree[CreationRulesName], test.old, test.with, 1)
		found := says(t, tree, Expectations{Creation: CreationFor(tree)})
		expect(t, tree, found, ruleRecipients, finding.Error, test.line, test.message)
	}
	planted := w.tree()
	planted["secret.yaml"] = strings.Replace(planted["secret.yaml"], "shamir_threshold: 2", "shamir_threshold: 1", 1)
	expect(t, planted, says(t, planted, Expectations{Creation: CreationFor(planted)}), ruleRecipients, finding.Error, "sops:", "1 group of recipients can open")
}

// The attacks on the list of recipients, none of which breaks the MAC.
func TestRecipientsPlanted(t *testing.T) {
	w, own := newWorkshop(t, "creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: OWN\n", plainSecret)
	text := w.read("secret.yaml")
	at := strings.Index(text, "        - recipient:")
	if at < 0 {
		at = strings.Index(text, "        - enc:")
	}
	plant := func(entry string) string { return text[:at] + entry + text[at:] }
	before := strings.LastIndex(text[:at], "    age:")
	key := func(entry string) string { return text[:before] + entry + text[before:] }
	garbage := "        - recipient: " + exampleStranger + "\n          enc: c4nary\n"
	for _, test := range []struct {
		name, text, rule, line, message string
		blind                           bool // found without any rules
	}{
		{"label with garbage", plant(garbage), ruleRecipients, "recipient:", "enc is no armored age file", true},
		{"label with garbage, against the rule", plant(garbage), ruleRecipients, "recipient:", "is not in the creation rule", false},
		{"vault", key("    hc_vault:\n        - vault_address: https://u:c4nary@vault.example.com\n          engine_path: e\n          key_name: k\n          enc: x\n"), ruleKeyType, "vault_address:", "of the kind hc_vault", true},
		{"kms", key("    kms:\n        - arn: arn:aws:kms:x:1:key/c\n          enc: x\n"), ruleKeyType, "arn:", "of the kind kms", true},
		{"gcp", key("    gcp_kms:\n        - resource_id: projects/p/k\n          enc: x\n"), ruleKeyType, "resource_id:", "of the kind gcp_kms", true},
		{"azure", key("    azure_kv:\n        - vault_url: https://v.example.com\n          name: n\n          version: 1\n          enc: x\n"), ruleKeyType, "vault_url:", "of the kind azure_kv", true},
		{"pgp", key("    pgp:\n        - fp: 0508677DD04952D06A943D5B4DC4116D360E3276\n          enc: x\n"), ruleKeyType, "fp:", "of the kind pgp", true},
		{"no pgp key at all", key("    pgp:\n        - fp: c4nary\n          enc: x\n"), ruleKeyType, "fp:", "of the kind pgp", true},
		{"plugin", plant("        - recipient: " + examplePlugin + "\n          enc: x\n"), ruleKeyType, "recipient:", "of the kind age-plugin:yubikey", true},
		{"post-quantum beside classic", plant("        - recipient: " + hybridKey(t) + "\n          enc: x\n"), ruleRecipients, "recipient: " + own, "not post-quantum safe", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree := memTree{"secret.yaml": test.text}
			severity := finding.Error
			if strings.Contains(test.message, "post-quantum") {
				severity = finding.Warning
			}
			if test.blind {
				expect(t, tree, says(t, tree, Expectations{}), test.rule, severity, test.line, test.message)
			}
			rules := memTree{CreationRulesName: w.read(CreationRulesName)}
			found := says(t, tree, Expectations{Creation: CreationFor(rules)})
			expect(t, tree, found, test.rule, severity, test.line, test.message)
			for _, f := range found {
				if strings.Contains(f.Message+f.Help, canary) {
					t.Errorf("quotes what was planted: %s", f.Message)
				}
			}
		})
	}
}

// examplePlugin has the form of a recipient of age-plugin-yubikey.
const examplePlugin = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"

// Kinds of keys that the configuration names are silent.
func TestKeyTypesNamed(t *testing.T) {
	if parseAgeRecipient(examplePlugin) != AgePlugin {
		t.Fatal("the plugin recipient of this test is malformed")
	}
	tree := memTree{"secret.yaml": exampleSecret(exampleEnc, strings.ReplaceAll(exampleBlock(), exampleRecipient, examplePlugin))}
	rules := memTree{CreationRulesName: exampleCreation(examplePlugin)}
	for _, test := range []struct {
		e    Expectations
		want finding.Severity
	}{
		{Expectations{}, finding.Error},
		{Expectations{Creation: CreationFor(rules)}, finding.Warning},
		{Expectations{KeyTypes: []string{"age-plugin:other"}}, finding.Error},
		{Expectations{KeyTypes: []string{"age-plugin:yubikey"}}, 0},
	} {
		found := says(t, tree, test.e)
		if test.want == 0 && len(found) > 0 || test.want > 0 && (len(found) != 1 || found[0].Severity != test.want) {
			t.Errorf("%v: got %v, want %v", test.e.KeyTypes, found, test.want)
		}
	}
}

// A key is the same in a rule and in a file, however sops keeps it there.
func TestSameKey(t *testing.T) {
	for _, test := range []struct {
		kind       RecipientKind
		rule, file string
		want       bool
	}{
		{PGP, "0508 677D D049 52D0 6A94  3D5B 4DC4 116D 360E 3276", "0508677dd04952d06a943d5b4dc4116d360e3276", true},
		{PGP, "4DC4116D360E3276", "0508677DD04952D06A943D5B4DC4116D360E3276", true},
		{PGP, "360E3276", "0508677DD04952D06A943D5B4DC4116D360E3276", false},
		{AWSKMS, "arn:aws:kms:eu:1:key/a+arn:aws:iam::1:role/r", "arn:aws:kms:eu:1:key/a", true},
		{AWSKMS, "arn:aws:kms:eu:1:key/a", "arn:aws:kms:eu:1:key/ab", false},
		{AzureKV, "https://v.vault.azure.net/keys/n/1", "https://v.vault.azure.net/keys/n/1", true},
		{AzureKV, "https://v.vault.azure.net/keys/n", "https://v.vault.azure.net/keys/n/1", true},
		{AzureKV, "https://v.vault.azure.net", "https://v.vault.azure.net.evil.example/keys/n/1", false},
		{Vault, "https://v:8200/v1/transit/keys/k", "https://v:8200/v1/transit/keys/k", true},
		{Vault, "https://v:8200/v1/transit/keys/k", "https://v:8200/v1/transit/keys/k2", false},
		{AgeSSH, "ssh-ed25519 AAAA me", "ssh-ed25519 AAAA", true},
	} {
		if got := sameKey(Recipient{Kind: test.kind, ID: test.rule}, Recipient{Kind: test.kind, ID: test.file}); got != test.want {
			t.Errorf("%s: %s and %s: got %v", test.kind, test.rule, test.file, got)
		}
	}
}

// A value that the creation rule covers, and the file's own rule does not, is
// plaintext that nobody would see otherwise.
func TestRecipientsNarrowSelection(t *testing.T) {
	w, _ := newWorkshop(t, "creation_rules:\n- encrypted_regex: ^(a|b)$\n  age: OWN\n", "a: c4nary\nb: c4nary\nc: open\n")
	tree := w.tree()
	creation := CreationFor(tree)
	if found := says(t, tree, Expectations{Creation: creation}); len(found) > 0 {
		t.Errorf("got %v", found)
	}
	text := strings.Replace(tree["secret.yaml"], "encrypted_regex: ^(a|b)$", "encrypted_regex: ^a$", 1)
	from := strings.Index(text, "b: ENC")
	tree["secret.yaml"] = text[:from] + "b: c4nary" + text[from+strings.IndexByte(text[from:], '\n'):]
	found := says(t, tree, Expectations{Creation: creation})
	expect(t, tree, found, ruleIncomplete, finding.Error, "b:", `"b" is not encrypted, although the creation rule`)
	if len(found) != 1 {
		t.Errorf("got %v", found)
	}
}

// The creation rules themselves.
func TestCreationRulesJudged(t *testing.T) {
	rule := func(regex, rest string) string { return "- path_regex: " + regex + "\n  " + rest + "\n" }
	key := "age: " + exampleRecipient
	for _, test := range []struct {
		name, text, line, message string
		severity                  finding.Severity
	}{
		{"good", rule("^prod/", key) + rule(".*", key), "", "", 0},
		{"unknown field", rule("x", key+"\n  encrypted_regx: y"), "encrypted_regx:", "unknown field", finding.Error},
		{"private key", rule("x", "age: AGE-SECRET-KEY-1QQQQ"), "age:", "a private key", finding.Error},
		{"catch-all first", rule("'.*'", key) + rule("^prod/", key), "path_regex:", "a later creation rule is never used", finding.Error},
		{"anchored catch-all", rule("^(.*)$", key) + rule("^prod/", key), "path_regex:", "a later creation rule is never used", finding.Error},
		{"without a pattern", "- " + key + "\n" + rule("^prod/", key), "age:", "a later creation rule is never used", finding.Error},
		{"the same twice", rule("^prod/", key) + rule("^prod/", key), "path_regex:", "a later creation rule is never used", finding.Error},
		{"no keys", rule("x", "encrypted_regex: y"), "path_regex:", "names no recipient", finding.Warning},
		{"mixed", rule("x", key+","+hybridKey(t)), "age:", "not post-quantum safe", finding.Warning},
	} {
		tree := memTree{"a/" + CreationRulesName: "creation_rules:\n" + test.text, "a/b/x": ""}
		for _, scope := range []string{"", "a", "a/b"} {
			found, err := seal(t, tree).CheckRecipients(context.Background(), scope, Expectations{})
			if err != nil {
				t.Fatal(err)
			}
			if test.severity == 0 {
				if len(found) > 0 {
					t.Errorf("%s: got %v", test.name, found)
				}
				continue
			}
			expect(t, tree, found, ruleRecipients, test.severity, test.line, test.message)
		}
	}
}

// Without creation rules only the structure is judged; with rules that are for
// other files, it is a warning; where the rules cannot be read, nothing is known.
func TestRecipientsWithoutRule(t *testing.T) {
	w, own := newWorkshop(t, "creation_rules:\n- age: OWN\n", plainSecret)
	for rules, want := range map[string]int{"": 0, "creation_rules:\n- path_regex: other\n  age: " + own + "\n": 1, "creation_rules: 5\n": 0} {
		tree := w.tree()
		if tree[CreationRulesName] = rules; rules == "" {
			delete(tree, CreationRulesName)
		}
		found := says(t, memTree{"secret.yaml": tree["secret.yaml"]}, Expectations{Creation: CreationFor(tree)})
		if len(found) != want || want > 0 && found[0].Severity != finding.Warning {
			t.Errorf("%q: got %v", rules, found)
		}
	}
}
