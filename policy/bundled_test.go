package policy

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/policies"
)

// everyRule loads the bundled rules, those that are off by default included.
func everyRule(t testing.TB) *Set {
	t.Helper()
	set, err := Load(t.Context(), Options{Bundled: policies.FS, Enable: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func decode(t testing.TB, manifest string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := util.Unmarshal([]byte(manifest), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// rulesHit returns the names of the rules that have something to say.
func rulesHit(t testing.TB, set *Set, object map[string]any) map[string]bool {
	t.Helper()
	hits, err := set.evaluate(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, h := range hits {
		names[h.verdict.id()] = true
	}
	return names
}

func TestBundledExamples(t *testing.T) {
	set := everyRule(t)
	for _, rule := range set.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, manifest := range rule.Bad {
				if !rulesHit(t, set, decode(t, manifest))[rule.Name] {
					t.Error("the bad example is not reported")
				}
			}
			for _, manifest := range rule.Good {
				if rulesHit(t, set, decode(t, manifest))[rule.Name] {
					t.Error("the good example is reported")
				}
			}
		})
	}
}

func TestBundledRulesAreDocumented(t *testing.T) {
	for _, rule := range everyRule(t).Rules() {
		if strings.Contains(rule.Name, "/") {
			t.Errorf("%s has no custom.id", rule.Name)
		}
		if rule.Title == rule.Name || strings.HasSuffix(rule.Title, ".") {
			t.Errorf("%s: title %q: one line, no full stop", rule.Name, rule.Title)
		}
		if rule.Doc == "" || rule.Fix == "" || len(rule.Bad) == 0 || len(rule.Good) == 0 {
			t.Errorf("%s lacks a description, a help text, or an example", rule.Name)
		}
		if !strings.Contains(rule.Doc, "https://") {
			t.Errorf("%s has no link", rule.Name)
		}
	}
}

// A finding points at a field, or at one that is missing from something that is
// there: the place is that thing's.
func TestBundledPointersResolve(t *testing.T) {
	set := everyRule(t)
	for _, rule := range set.Rules() {
		for _, manifest := range rule.Bad {
			object := decode(t, manifest)
			hits, err := set.evaluate(t.Context(), object)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range hits {
				at := h.pointer
				for at != "" && at != "/" && !resolves(object, at) {
					at = path.Dir(at)
				}
				if at == "" || at == "/" {
					t.Errorf("%s: pointer %q leads nowhere in the bad example", h.verdict.id(), h.pointer)
				}
			}
		}
	}
}

func resolves(object any, pointer string) bool {
	for _, key := range strings.Split(pointer, "/")[1:] {
		switch o := object.(type) {
		case map[string]any:
			next, ok := o[key]
			if !ok {
				return false
			}
			object = next
		case []any:
			if len(key) != 1 || int(key[0]-'0') >= len(o) {
				return false
			}
			object = o[key[0]-'0']
		default:
			return false
		}
	}
	return true
}

func TestBundledUnitTests(t *testing.T) {
	report, err := Test(t.Context(), Options{Bundled: policies.FS})
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range report.Tests {
		if result.Status != TestPassed {
			t.Errorf("%s: %s %s %s\n%s", result.Span, result.Name, result.Status, result.Message, result.Output)
		}
	}
	if len(report.Tests) < 40 {
		t.Errorf("%d unit tests ran, want at least 40", len(report.Tests))
	}
	for _, file := range report.Files {
		if file.Percent() < 100 {
			t.Errorf("%s: %.0f %% covered, missed lines %v", file.File, file.Percent(), file.Missed)
		}
	}
}

func TestBundledFormat(t *testing.T) {
	err := fs.WalkDir(policies.FS, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(file) != regoExt {
			return err
		}
		data, err := fs.ReadFile(policies.FS, file)
		if err != nil {
			return err
		}
		formatted, err := format.Source(file, data)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, formatted) {
			t.Errorf("%s is not formatted as opa fmt does", file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBundledSeverities(t *testing.T) {
	want := map[string]finding.Severity{
		"host-access":           finding.Error,
		"image-digest":          finding.Warning,
		"image-latest":          finding.Warning,
		"ingress-tls":           finding.Warning,
		"namespace-default":     finding.Warning,
		"privileged":            finding.Error,
		"probes-missing":        finding.Warning,
		"rbac-wildcard":         finding.Error,
		"resources-missing":     finding.Warning,
		"run-as-root":           finding.Warning,
		"secret-env-privileged": finding.Error,
	}
	rules := everyRule(t).Rules()
	for _, rule := range rules {
		if want[rule.Name] != rule.Severity {
			t.Errorf("%s: severity %s, want %s", rule.Name, rule.Severity, want[rule.Name])
		}
	}
	if len(rules) != len(want) {
		t.Errorf("%d rules, want %d", len(rules), len(want))
	}
}
