package secrets

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/source"
)

// Public recipients that nobody has the key of: the one of age's test kit, and
// one with another checksum.
const testRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

func parseCreation(t *testing.T, path, text string) *CreationRules {
	t.Helper()
	rules, err := ParseCreationRules(path, []byte(strings.ReplaceAll(text, "RECIPIENT", testRecipient)))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// The first rule that fits counts, and path_regex is found anywhere in the path
// from the directory of the rules on.
func TestCreationRuleFor(t *testing.T) {
	const text = "creation_rules:\n- {path_regex: 'prod/.*\\.ya?ml$'}\n- {path_regex: ^base}\n- {path_regex: prod}\n"
	for _, c := range []struct {
		at, file string
		want     int // line of the rule, 0 for none
	}{
		{".sops.yaml", "overlays/prod/db.yaml", 2},
		{".sops.yaml", "overlays/prod/db.yaml.bak", 4},
		{".sops.yaml", "base/db.env", 3},
		{".sops.yaml", "overlays/base/db.env", 0},
		{"overlays/.sops.yaml", "overlays/base/db.env", 3},
		{"overlays/.sops.yaml", "overlays/prod.env", 4},
		{"prod/.sops.yaml", "prod/db.yaml", 0},
	} {
		rule, ok := parseCreation(t, c.at, text).For(c.file)
		if ok != (c.want > 0) || ok && rule.Span.Start.Line != c.want {
			t.Errorf("%s, %s: got %v %v, want line %d", c.at, c.file, rule, ok, c.want)
		}
	}
	if rule, ok := parseCreation(t, ".sops.yaml", "creation_rules: [{age: RECIPIENT}, {path_regex: x}]").For("x"); !ok || rule.PathRegex != "" {
		t.Error("a rule without path_regex is for every file")
	}
	for _, empty := range []string{"", "# nothing\n", "creation_rules:\n", "creation_rules: []\n", "stores: {}\n"} {
		if _, ok := parseCreation(t, ".sops.yaml", empty).For("x"); ok {
			t.Errorf("%q has a rule", empty)
		}
	}
}

// Recipients are read in all the ways in which sops takes them.
func TestCreationRecipients(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"age: RECIPIENT", "0 age RECIPIENT"},
		{"age: [RECIPIENT]", "0 age RECIPIENT"},
		{"age: 'RECIPIENT, RECIPIENT,'", "0 age RECIPIENT"},
		{"age: >-\n      RECIPIENT,\n      RECIPIENT\n", "0 age RECIPIENT"},
		{"age: \"\"", ""},
		{"age: ~", ""},
		{"pgp: 'A, B', age: [RECIPIENT]", "0 pgp A; 0 pgp B; 0 age RECIPIENT"},
		{"pgp: [A]", "0 pgp A"},
		{"kms: 'arn:a+role,arn:b', aws_profile: x", "0 kms arn:a+role; 0 kms arn:b"},
		{"gcp_kms: projects/x", "0 gcp_kms projects/x"},
		{"hckms: [a]", "0 hckms a"},
		{"azure_keyvault: 'https://v/k'", "0 azure_kv https://v/k"},
		{"hc_vault_transit_uri: ['https://v/k']", "0 hc_vault https://v/k"},
		{"age: RECIPIENT, key_groups: []", "0 age RECIPIENT"},
		{"age: RECIPIENT, key_groups: [{pgp: [A]}]", "0 pgp A"},
		{"key_groups: [{age: [RECIPIENT]}, {age: ['RECIPIENT,RECIPIENT'], merge: [{pgp: [A]}, {merge: [{pgp: [A, B]}]}]}]",
			"0 age RECIPIENT; 1 age RECIPIENT; 1 pgp A; 1 pgp B"},
		{"key_groups: [{kms: [{arn: a, role: r, context: {a: b}, aws_profile: p}], gcp_kms: [{resource_id: b}], hckms: [{key_id: c}], azure_keyvault: [{vaultUrl: d, key: k, version: v}], hc_vault: [e]}]",
			"0 kms a; 0 gcp_kms b; 0 hckms c; 0 azure_kv d; 0 hc_vault e"},
	} {
		text := "creation_rules:\n  - {" + c.rule + "}\n"
		if strings.Contains(c.rule, ">-") {
			text = "creation_rules:\n  - " + c.rule
		}
		var got []string
		for _, r := range parseCreation(t, ".sops.yaml", text).Rules[0].Recipients {
			got = append(got, fmt.Sprintf("%d %s %s", r.Group, r.Kind, strings.ReplaceAll(r.ID, testRecipient, "RECIPIENT")))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, got, c.want)
		}
	}
}

// Anchors and merge keys are common in files with many rules.
func TestCreationAnchors(t *testing.T) {
	rules := parseCreation(t, ".sops.yaml", `keys:
  - &ops RECIPIENT
  - team:
    - &team FINGERPRINT
creation_rules:
  - &prod
    path_regex: prod
    encrypted_regex: ^data$
    mac_only_encrypted: true
    key_groups: [{age: [*ops], pgp: [*team]}]
  - <<: *prod
    path_regex: test
  - <<: [{encrypted_suffix: ""}, *prod]
    mac_only_encrypted: false
stores: {yaml: {indent: 2}, json: {indent: 4}, json_binary: {indent: 1}, dotenv: {}, ini: }
destination_rules: [{path_regex: x, s3_bucket: y, recreation_rule: {pgp: A}}]
`)
	var got []string
	for _, r := range rules.Rules {
		got = append(got, fmt.Sprintf("%s %s %v %d", r.PathRegex, r.Selection.EncryptedRegex, r.MACOnlyEncrypted, len(r.Recipients)))
	}
	want := []string{"prod ^data$ true 2", "test ^data$ true 2", "prod ^data$ false 2"}
	if !slices.Equal(got, want) || rules.Indent != (Indent{2, 4, 1}) {
		t.Errorf("got %q %v, want %q", got, rules.Indent, want)
	}
}

// Whatever sops would pass over in silence is an error, at its place, that
// quotes no value.
func TestCreationRulesAreStrict(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"creation_rule: []", `.sops.yaml:1:1: unknown field "creation_rule"`},
		{"creation_rules:\n- path_regx: c4nary\n", `.sops.yaml:2:3: unknown field "path_regx"`},
		{"creation_rules:\n- age: RECIPIENT\n  Encrypted_Regex: c4nary\n", `.sops.yaml:3:3: unknown field "Encrypted_Regex"`},
		{"creation_rules: [{key_groups: [{ages: [RECIPIENT]}]}]", `unknown field "ages"`},
		{"creation_rules: [{key_groups: [{kms: [{arn: a, rolle: c4nary}]}]}]", `unknown field "rolle"`},
		{"creation_rules: [{<<: {agee: c4nary}}]", `unknown field "agee"`},
		{"stores: {yaml: {indentation: 2}}", `unknown field "indentation"`},
		{"destination_rules: [{recreation_rule: {x: 1}}]", `unknown field "x"`},
		{"creation_rules: [{age: RECIPIENT, age: RECIPIENT}]", `.sops.yaml:1:`},
		{"creation_rules: {age: c4nary}", ".sops.yaml:1:17: must be a list"},
		{"creation_rules: [c4nary]", ".sops.yaml:1:18: must be a mapping"},
		{"- c4nary", ".sops.yaml:1:1: must be a mapping"},
		{"creation_rules: [{age: {a: c4nary}}]", "must be a list"},
		{"creation_rules: [{age: [[c4nary]]}]", "must be a string"},
		{"creation_rules: [{path_regex: [c4nary]}]", "must be a string"},
		{"creation_rules: [{key_groups: [{age: RECIPIENT}]}]", "must be a list"},
		{"creation_rules: [{key_groups: [{kms: [{role: x}]}]}]", "the key has no arn"},
		{"creation_rules: [{mac_only_encrypted: c4nary}]", "must be true or false"},
		{"creation_rules: [{shamir_threshold: c4nary}]", "must be a number"},
		{"creation_rules: [{path_regex: 'c4nary('}]", ".sops.yaml:1:31: path_regex is not a valid regular expression"},
		{"creation_rules: [{encrypted_regex: 'c4nary('}]", "encrypted_regex is not a valid regular expression"},
		{"creation_rules: [{encrypted_regex: a, encrypted_suffix: c4nary}]", ".sops.yaml:1:57: a rule can have one of the fields"},
		{"creation_rules: [{age: age1c4nary}]", ".sops.yaml:1:24: is not an age recipient"},
		{"creation_rules: [{age: AGE-SECRET-KEY-1C4NARY}]", "is a private key"},
		{"creation_rules: []\n---\ncreation_rules: []\n", ".sops.yaml:3:1: a second document"},
		{"creation_rules: [c4nary", ".sops.yaml:1:"},
		{"a: &a [*a]", ".sops.yaml:1:"},
	} {
		_, err := ParseCreationRules(".sops.yaml", []byte(strings.ReplaceAll(c.text, "RECIPIENT", testRecipient)))
		var place *source.Error
		if !errors.As(err, &place) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.text, err, c.want)
		} else if strings.Contains(strings.ToLower(err.Error()), "c4nary") {
			t.Errorf("%s: a value is quoted: %v", c.text, err)
		}
	}
}

func TestFindCreationRules(t *testing.T) {
	tree := memTree{".sops.yaml": "creation_rules: [{}]", "a/b/.sops.yaml": "creation_rules: [{}]", "c/.sops.yaml": "x", "d/.sops.yml": ""}
	for file, want := range map[string]string{"x": ".sops.yaml", "a/x": ".sops.yaml", "a/b/x": "a/b/.sops.yaml", "a/b/c/x": "a/b/.sops.yaml", "d/x": ".sops.yaml"} {
		if rules, err := FindCreationRules(tree, file); err != nil || rules.Path != want {
			t.Errorf("%s: got %v, %v, want %s", file, rules, err, want)
		}
	}
	if _, err := FindCreationRules(tree, "c/x"); err == nil {
		t.Error("a broken file is passed over")
	}
	if rules, err := FindCreationRules(memTree{"d/.sops.yml": ""}, "d/x"); rules != nil || err != nil {
		t.Errorf("got %v, %v for no rules", rules, err)
	}
}
