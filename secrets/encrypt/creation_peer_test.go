package encrypt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getsops/sops/v3/config"

	"github.com/sallyport/sallyport/secrets"
)

// FuzzCreationRules compares our strict reading of creation rules with sops' own:
// what both accept, they must understand alike. sops accepts more.
//
//	go test ./secrets/encrypt -run '^$' -fuzz FuzzCreationRules -fuzztime 2m
func FuzzCreationRules(f *testing.F) {
	const a = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	for _, text := range []string{
		"creation_rules:\n- path_regex: ^base/\n  encrypted_regex: ^(data|stringData)$\n  age: " + a + "\n- pgp: A,B\n",
		"creation_rules: [{path_regex: x$, age: [" + a + "]}, {key_groups: [{age: [" + a + "], pgp: [A]}, {pgp: [B]}], shamir_threshold: 1}]",
		"keys: [&k " + a + "]\ncreation_rules: [{age: *k, mac_only_encrypted: yes, unencrypted_suffix: _u}]",
		"creation_rules:\n- &r {path_regex: y, age: " + a + ", encrypted_suffix: _e}\n- <<: *r\n  path_regex: ''\n",
		"creation_rules: [{age: '" + a + " , " + a + ",', encrypted_comment_regex: x}]",
		"creation_rules:\n", "stores: {yaml: {indent: 2}}", "creation_rules: [{kms: 'a,b', gcp_kms: [c]}]",
		"creation_rules: [{key_groups: [{merge: [{pgp: [A]}, {merge: [{pgp: [A, C]}]}], pgp: [D]}]}]", "creation_rules: [{path_regex: 1, shamir_threshold: 0x1}]",
	} {
		for _, path := range []string{"base/db.yaml", "x", "y/x"} {
			f.Add(text, path)
		}
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		rules, err := secrets.ParseCreationRules("app/.sops.yaml", []byte(text))
		if err != nil || path == "" || strings.HasPrefix(path, "/") {
			return
		}
		conf := filepath.Join(t.TempDir(), "app", ".sops.yaml")
		if err := os.MkdirAll(filepath.Dir(conf), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		stock, err := config.LoadCreationRuleForFile(conf, filepath.Dir(conf)+"/"+path, nil)
		ours, ok := rules.For("app/" + path)
		switch {
		case err != nil && ok && !onlyLocal(ours):
			return // sops looks closer at the names of keys of services
		case (err == nil && stock != nil) != ok:
			t.Fatalf("a rule here: %v; there: %v, %v", ok, stock, err)
		case ok:
			compareRules(t, ours, stock)
		}
	})
}

// onlyLocal reports whether all recipients are age's or PGP's.
func onlyLocal(rule *secrets.CreationRule) bool {
	return !slices.ContainsFunc(rule.Recipients, func(r secrets.Recipient) bool {
		return r.Kind != secrets.PGP && !strings.HasPrefix(string(r.Kind), "age")
	})
}

func compareRules(t *testing.T, ours *secrets.CreationRule, stock *config.Config) {
	t.Helper()
	groups := make([][]string, ours.Groups)
	for _, r := range ours.Recipients {
		if r.Kind == secrets.PGP {
			r.ID = strings.ReplaceAll(r.ID, " ", "") // as sops writes fingerprints
		}
		groups[r.Group] = append(groups[r.Group], r.ID)
	}
	theirs := make([][]string, len(stock.KeyGroups))
	for i, group := range stock.KeyGroups {
		for _, key := range group {
			if name := key.ToString(); !slices.Contains(theirs[i], name) {
				theirs[i] = append(theirs[i], name)
			}
		}
	}
	if onlyLocal(ours) {
		for i := range groups {
			slices.Sort(groups[i])
			if i < len(theirs) {
				slices.Sort(theirs[i])
			}
		}
		if !slices.EqualFunc(groups, theirs, slices.Equal) {
			t.Errorf("recipients %q, sops has %q", groups, theirs)
		}
	}
	s := ours.Selection
	if s.EncryptedRegex != stock.EncryptedRegex || s.UnencryptedRegex != stock.UnencryptedRegex || s.EncryptedSuffix != stock.EncryptedSuffix ||
		s.UnencryptedSuffix != stock.UnencryptedSuffix || s.EncryptedCommentRegex != stock.EncryptedCommentRegex ||
		s.UnencryptedCommentRegex != stock.UnencryptedCommentRegex || ours.MACOnlyEncrypted != stock.MACOnlyEncrypted || ours.Threshold != stock.ShamirThreshold {
		t.Errorf("got %+v, sops has %+v", ours, stock)
	}
}
