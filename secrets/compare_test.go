package secrets

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
)

func compare(t testing.TB, before, now memTree, e Expectations) []finding.Finding {
	t.Helper()
	found, err := seal(t, now).Compare(context.Background(), seal(t, before), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if strings.Contains(f.Message+f.Help, canary) {
			t.Errorf("a message quotes a value: %s", f.Message)
		}
	}
	return found
}

// lineOf returns a whole line, with its break.
func lineOf(text, start string) string {
	at := strings.Index(text, start)
	return text[at : at+strings.IndexByte(text[at:], '\n')+1]
}

// What people do with sops every day is silent.
func TestCompareHonest(t *testing.T) {
	for name, do := range map[string]func(w workshop, own string){
		"nothing":          func(workshop, string) {},
		"a value changed":  func(w workshop, _ string) { w.sops("set", "secret.yaml", `["stringData"]["user"]`, `"new"`) },
		"a key added":      func(w workshop, _ string) { w.sops("set", "secret.yaml", `["stringData"]["more"]`, `"new"`) },
		"a key removed":    func(w workshop, _ string) { w.sops("unset", "secret.yaml", `["stringData"]["user"]`) },
		"rotated":          func(w workshop, _ string) { w.sops("rotate", "-i", "secret.yaml") },
		"recipient added":  func(w workshop, _ string) { w.sops("rotate", "-i", "--add-age", exampleStranger, "secret.yaml") },
		"removed, rotated": func(w workshop, _ string) { w.sops("rotate", "-i", "--rm-age", exampleRecipient, "secret.yaml") },
		"encrypted anew": func(w workshop, _ string) {
			w.write("secret.yaml", plainSecret)
			w.sops("encrypt", "--in-place", "secret.yaml")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, own := newWorkshop(t, "creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: OWN,"+exampleRecipient+"\n", plainSecret)
			before := w.tree()
			do(w, own)
			now := w.tree()
			if name != "nothing" && before["secret.yaml"] == now["secret.yaml"] {
				t.Fatal("the file did not change")
			}
			if found := compare(t, before, now, Expectations{}); len(found) > 0 {
				t.Errorf("got %v", found)
			}
		})
	}
}

// What an author without a key can do to an encrypted file.
func TestCompareAttacks(t *testing.T) {
	w, own := newWorkshop(t, "creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: OWN,"+exampleRecipient+"\n", plainSecret)
	old := w.read("secret.yaml")
	time.Sleep(1100 * time.Millisecond) // lastmodified counts seconds
	w.sops("set", "secret.yaml", `["stringData"]["user"]`, `"new"`)
	text := w.read("secret.yaml")
	w.write(CreationRulesName, strings.Replace(w.read(CreationRulesName), ","+exampleRecipient, "", 1))
	w.sops("updatekeys", "--yes", "secret.yaml")
	updated := w.read("secret.yaml")
	if strings.Contains(updated, exampleRecipient) || !strings.Contains(updated, own) {
		t.Fatalf("updatekeys did not take the recipient out:\n%s", updated)
	}
	user := lineOf(text, "    user:")
	password := lineOf(text, "    password:")
	_, ciphertext, _ := strings.Cut(password, ":")
	modified := regexp.MustCompile(`lastmodified: "2...`)
	for _, test := range []struct {
		name, text, rule, line, message string
		severity                        finding.Severity
	}{
		{"type changed", strings.Replace(text, user, strings.Replace(user, "type:str", "type:int", 1), 1), ruleTypeChanged, "user:", `"user" was changed from str to int, its ciphertext was not`, finding.Error},
		{"old file", old, ruleRollback, "lastmodified:", "lastmodified goes back", finding.Error},
		{"old value", strings.Replace(text, user, lineOf(old, "    user:"), 1), ruleRollback, "user:", `"user" was changed and the mac was not`, finding.Error},
		{"moved to another key", strings.Replace(text, user, "    user:"+ciphertext, 1), ruleMetadata, "user:", `the one that was under "stringData.password"`, finding.Error},
		{"key renamed", strings.Replace(text, password, "    passphrase:"+ciphertext, 1), ruleMetadata, "passphrase:", `the one that was under "stringData.password"`, finding.Error},
		{"lastmodified", modified.ReplaceAllString(text, `lastmodified: "2999`), ruleMetadata, "lastmodified:", "and the mac was not", finding.Error},
		{"older sops", strings.Replace(text, "version: 3.13.3", "version: 3.7.3", 1), ruleRollback, "version:", "version of sops goes back", finding.Warning},
		{"updatekeys only", updated, ruleUnrotated, "sops:", "the data key was kept", finding.Error},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree := memTree{"secret.yaml": test.text}
			found := compare(t, memTree{"secret.yaml": text}, tree, Expectations{})
			expect(t, tree, found, test.rule, test.severity, test.line, test.message)
			if len(found) != 1 {
				t.Errorf("got %v", found)
			}
		})
	}
}

// A number that becomes a string with its value is a change that somebody may
// want to know of, no attack.
func TestCompareTypeWithValue(t *testing.T) {
	w, _ := newWorkshop(t, "creation_rules:\n- age: OWN\n", "port: 5\n")
	before := w.tree()
	w.sops("set", "secret.yaml", `["port"]`, `"five"`)
	found := compare(t, before, w.tree(), Expectations{})
	if len(found) != 1 || found[0].Rule != ruleTypeChanged || found[0].Severity != finding.Warning {
		t.Errorf("got %v", found)
	}
}

// A value that is encrypted no longer is found where the file by itself does not
// show it, in every format, and its line is masked.
func TestCompareDecrypted(t *testing.T) {
	values := "a: c4nary value\nb: [c4nary value]\nc: open\n"
	for _, test := range []struct {
		name, file, plain string
		now               func(sealed string) string
		want              string
	}{
		{"the whole file", "values.yaml", values, func(string) string { return values }, "secret-plaintext values.yaml:1 secret-plaintext values.yaml:2"},
		{"one value, and a narrower rule", "values.yaml", values, func(sealed string) string {
			narrow := strings.Replace(sealed, "encrypted_regex: ^(a|b)$", "encrypted_regex: ^b$", 1)
			return strings.Replace(narrow, lineOf(narrow, "a:"), "a: c4nary value\n", 1)
		}, "secret-rollback values.yaml:1"},
		{"a manifest, reported by itself", "values.yaml", plainSecret, func(string) string { return plainSecret }, ""},
		{"dotenv", "app.env", "a=c4nary value\nc=open\n", func(string) string { return "a=c4nary value\nc=open\n" }, "secret-plaintext app.env:1"},
		{"JSON", "values.json", `{"a": "c4nary value"}`, func(string) string { return `{"a": "c4nary value"}` }, "secret-plaintext values.json:1"},
		{"a reference instead", "values.yaml", values, func(string) string { return "a: ${A}\nb: ['']\nc: open\n" }, ""},
		{"deleted", "values.yaml", values, func(string) string { return "c: open\n" }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			rule := "- encrypted_regex: ^(a|b)$\n  age: OWN\n"
			if strings.HasPrefix(test.plain, "apiVersion") {
				rule = "- " + encSecret
			}
			w, _ := newWorkshop(t, "creation_rules:\n"+rule, plainSecret)
			w.write(test.file, test.plain)
			w.sops("encrypt", "--in-place", test.file)
			before, now := memTree{test.file: w.read(test.file)}, memTree{}
			now[test.file] = test.now(before[test.file])
			s := seal(t, now)
			found, err := s.Compare(context.Background(), seal(t, before), Expectations{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range finding.Merge(found) {
				got = append(got, f.Rule+" "+f.Location.File+":"+strings.Split(f.Location.String(), ":")[1])
				if f.Rule == rulePlaintext && strings.Contains(s.Masked(test.file)[f.Location.Start.Line-1], canary) {
					t.Errorf("line %d is not masked", f.Location.Start.Line)
				}
			}
			if strings.HasPrefix(test.want, ruleRollback) {
				if count(found, ruleIncomplete) != 1 {
					t.Errorf("got %q", got)
				}
				return
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Creation rules that let more people in than those of the trusted revision.
func TestCompareRules(t *testing.T) {
	w, own := newWorkshop(t, "creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: OWN\n", plainSecret)
	before := w.tree()
	for _, test := range []struct{ name, old, with, line, message string }{
		{"recipient added", own, own + "," + exampleStranger, "age:", "is new in the creation rule for secret.yaml"},
		{"narrower", "^(data|stringData)$", "^data$", "encrypted_regex:", "encrypts other values than before"},
		{"earlier catch-all", "creation_rules:\n", "creation_rules:\n- age: " + exampleStranger + "\n", "age:", "is new in the creation rule"},
		{"a comment", "creation_rules:", "# hello\ncreation_rules:", "", ""},
		{"recipient replaced by nobody", "  age: " + own + "\n", "", "", ""},
	} {
		now := memTree{"secret.yaml": before["secret.yaml"], CreationRulesName: strings.Replace(before[CreationRulesName], test.old, test.with, 1)}
		if now[CreationRulesName] == before[CreationRulesName] {
			t.Fatalf("%s: the change did not take", test.name)
		}
		found := compare(t, before, now, Expectations{})
		if test.line == "" {
			if len(found) > 0 {
				t.Errorf("%s: got %v", test.name, found)
			}
			continue
		}
		expect(t, now, found, ruleRecipients, finding.Warning, test.line, test.message)
	}
}

func TestOlder(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{{"3.9.0", "3.13.3", true}, {"3.13.3", "3.9.0", false}, {"3.13.3", "3.13.3", false}, {"", "3.9.0", false}, {"3.7.3-rc", "3.7.4", false}} {
		if got := older(test.a, test.b); got != test.want {
			t.Errorf("%s and %s: got %v", test.a, test.b, got)
		}
	}
}
