package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/secrets"
)

const (
	keyA = "age1ph34eeqaryqmuhxm03dezqhju98x4x5ktt23l34k8w4u3e726ucs7htpuq"
	keyB = "age1jc5fqq22deuhfjh5ara6wjt4ln2pk9j4r6a234gh2d34umjzrv3q6a6mxw"
)

func encrypted(path, regex string, ids ...string) secrets.Encrypted {
	f := secrets.Encrypted{Path: path, Metadata: secrets.Metadata{Selection: secrets.Selection{EncryptedRegex: regex}}}
	for _, id := range ids {
		f.Metadata.Recipients = append(f.Metadata.Recipients, secrets.Recipient{Kind: secrets.AgeX25519, ID: id})
	}
	return f
}

// Whatever is encrypted, the rules that init drafts name, for every file, the
// recipients that the file itself names.
func TestCreationRulesFitTheFiles(t *testing.T) {
	for name, files := range map[string][]secrets.Encrypted{
		"one circle":          {encrypted("a/db.yaml", "", keyA, keyB), encrypted("b/app.env", "", keyB, keyA)},
		"by directory":        {encrypted("a/db.yaml", "", keyA), encrypted("b/db.yaml", "", keyB), encrypted("b/key.pem", "", keyB)},
		"one inside another":  {encrypted("a/db.yaml", "", keyA), encrypted("a/b/c/db.yml", "", keyB), encrypted("a/b/app.env", "", keyA)},
		"in one directory":    {encrypted("a/db.yaml", "", keyA), encrypted("a/x.yaml", "", keyB), encrypted("a/x.env", "", keyB)},
		"at the root":         {encrypted("db.yaml", "", keyA), encrypted("a/db.yaml", "", keyB)},
		"signs of a pattern":  {encrypted("a+(b)/it's [x].yaml", "", keyA), encrypted("aab/it.yaml", "", keyB)},
		"selections disagree": {encrypted("a/db.yaml", "^data$", keyA), encrypted("b/db.yaml", "^(password)$", keyA)},
	} {
		for _, age := range [][]string{nil, {keyA}, {keyB, keyA}} {
			text, missing := creationRules(files, age)
			rules, err := secrets.ParseCreationRules(secrets.CreationRulesName, []byte(text))
			if missing != "" || err != nil {
				t.Errorf("%s: %v %s\n%s", name, err, missing, text)
				continue
			}
			for _, f := range files {
				want, _ := ageRecipients(f)
				rule, ok := rules.For(f.Path)
				if !ok || !slices.Equal(ids(rule), want) {
					t.Errorf("%s: %s is for others than %v:\n%s", name, f.Path, want, text)
				}
				if strings.HasSuffix(f.Path, "ml") == (rule.Selection.EncryptedRegex == "") {
					t.Errorf("%s: %s has encrypted_regex %q:\n%s", name, f.Path, rule.Selection.EncryptedRegex, text)
				}
			}
			if rule, ok := rules.For("new/file.env"); len(age) > 0 && (!ok || !slices.Equal(ids(rule), slices.Sorted(slices.Values(age)))) {
				t.Errorf("%s: a new file is not for the recipients given:\n%s", name, text)
			}
		}
	}
}

func ids(rule *secrets.CreationRule) []string {
	var out []string
	for _, r := range rule.Recipients {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

// A rule for keys that init cannot name is not guessed.
func TestCreationRulesOfOtherKeys(t *testing.T) {
	kms := encrypted("a/db.yaml", "")
	kms.Metadata.Recipients = []secrets.Recipient{{Kind: secrets.AWSKMS, ID: "arn"}}
	grouped := encrypted("a/db.yaml", "", keyA, keyB)
	grouped.Metadata.Recipients[1].Group = 1
	for _, f := range []secrets.Encrypted{kms, grouped, encrypted("a/db.yaml", "")} {
		if text, missing := creationRules([]secrets.Encrypted{f}, []string{keyA}); text != "" || !strings.Contains(missing, "by hand") {
			t.Errorf("%q, %q", text, missing)
		}
	}
}

func TestHostOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:pass@gitlab.shop.example:8443/x.git": "gitlab.shop.example",
		"git@github.com:shop/gitops.git":                   "github.com",
		"ssh://git@github.com/shop/gitops":                 "github.com",
		"/srv/github/gitops.git":                           "",
		"../gitlab:x":                                      "",
	} {
		if got := hostOf(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestReleaseRef(t *testing.T) {
	for want, b := range map[string]build{
		"v0.1.0": {Version: "0.1.0", Commit: "abc", Modified: true},
		"abc":    {Version: "0.1.1-0.20260101000000-abcabcabcabc", Commit: "abc"},
		"main":   {Version: "devel", Commit: "abc", Modified: true},
	} {
		if got := releaseRef(b); got != want {
			t.Errorf("%+v: %s, want %s", b, got, want)
		}
	}
}

// pre-commit takes what init writes and what we offer.
func TestPreCommitTakesTheFiles(t *testing.T) {
	program, err := exec.LookPath("pre-commit")
	if err != nil {
		t.Skip("pre-commit is not installed: apt-get install pre-commit")
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("repos:\n"+hookEntry("v0.1.0")), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"validate-config", file}, {"validate-manifest", "../../.pre-commit-hooks.yaml"}} {
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			t.Errorf("pre-commit %v: %v\n%s", args, err, out)
		}
	}
}
