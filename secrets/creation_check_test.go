package secrets

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// A plugin in any rule is a program that somebody will run, whether a file
// matches yet or not.
func TestCreationRulesPlugin(t *testing.T) {
	key := "age: " + exampleRecipient
	for _, test := range []struct {
		name, text string
		allowed    []string
		want       int
	}{
		{"no plugin", "creation_rules:\n- " + key + "\n", nil, 0},
		{"beside another", "creation_rules:\n- " + key + "," + examplePlugin + "\n", nil, 1},
		{"for files to come", "creation_rules:\n- {path_regex: ^later/, age: " + examplePlugin + "}\n- " + key + "\n", nil, 1},
		{"in a group", "creation_rules:\n- key_groups:\n  - age: [" + examplePlugin + "]\n  - age: [" + exampleRecipient + "]\n", nil, 1},
		{"for what is published", "creation_rules:\n- " + key + "\ndestination_rules:\n- s3_bucket: b\n  recreation_rule: {age: " + examplePlugin + "}\n", nil, 1},
		{"by an anchor, in two rules", "keys:\n- &k " + examplePlugin + "\ncreation_rules:\n- path_regex: ^a/\n  age: [*k]\n- path_regex: ^b/\n  age: [*k]\n", nil, 1},
		{"allowed", "creation_rules:\n- age: " + examplePlugin + "\n", []string{"age-plugin:yubikey"}, 0},
		{"a key that the rule names", "creation_rules:\n- pgp: 0508677DD04952D06A943D5B4DC4116D360E3276\n", nil, 0},
	} {
		tree := memTree{CreationRulesName: test.text}
		found, err := seal(t, tree).CheckRecipients(context.Background(), "", Expectations{KeyTypes: test.allowed})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != test.want {
			t.Errorf("%s: got %v", test.name, found)
		} else if test.want > 0 {
			expect(t, tree, found, ruleKeyType, finding.Error, "", "runs the program age-plugin-yubikey")
		}
	}
}

// Creation rules that no parser may see are unsafe, like any other file.
func TestCreationRulesUnsafe(t *testing.T) {
	found, err := seal(t, memTree{CreationRulesName: "a: &a [*a]\n"}).CheckRecipients(context.Background(), "", Expectations{})
	if err != nil || len(found) != 1 || found[0].Rule != "yaml-unsafe" {
		t.Errorf("got %v, %v", found, err)
	}
}

// A kind of key that no rule had before is one that nobody said may be used.
func TestCompareRulesKinds(t *testing.T) {
	rules := func(keys string) memTree { return memTree{CreationRulesName: "creation_rules:\n- " + keys + "\n"} }
	before, kms := rules("age: "+exampleRecipient), rules("age: "+exampleRecipient+"\n  kms: arn:aws:kms:x:1:key/c")
	found := compare(t, before, kms, Expectations{})
	expect(t, kms, found, ruleKeyType, finding.Error, "kms:", "of the kind kms, which no rule had before")
	for name, found := range map[string][]finding.Finding{
		"known":      compare(t, kms, rules("kms: arn:aws:kms:x:1:key/d"), Expectations{}),
		"allowed":    compare(t, before, kms, Expectations{KeyTypes: []string{"kms"}}),
		"first ones": compare(t, memTree{}, kms, Expectations{}),
	} {
		if count(found, ruleKeyType) > 0 {
			t.Errorf("%s: got %v", name, found)
		}
	}
}

// What is planted with garbage is one finding at its recipient.
func TestPlantedGarbageIsSaidOnce(t *testing.T) {
	text := strings.Replace(exampleSecret(exampleEnc, exampleBlock()), "  lastmodified:",
		"  - recipient: "+exampleStranger+"\n    enc: garbage\n  lastmodified:", 1)
	tree := memTree{"secret.yaml": text}
	found := says(t, tree, Expectations{Creation: CreationFor(memTree{CreationRulesName: exampleCreation(exampleRecipient)})})
	expect(t, tree, found, ruleRecipients, finding.Error, "", "is not in the creation rule, and its enc is no armored age file")
	if len(found) != 1 {
		t.Errorf("got %v", found)
	}
}
