package secrets

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// Lines that are shown hold no credential beside the one that a finding is about.
func TestMaskedBeside(t *testing.T) {
	auth := "dXNlcjpjNG5hcnk=" // user:c4nary
	for name, text := range map[string]string{
		"docker config":         "apiVersion: v1\nkind: ConfigMap\ndata:\n  config: '{\"auths\":{\"r\":{\"auth\":\"" + auth + "\",\"password\":\"c4nary\",\"identitytoken\":\"c4nary\"}}}'\n",
		"escaped docker config": `{"apiVersion":"v1","kind":"ConfigMap","data":{"c":"{\"auths\":{\"r\":{\"auth\":\"` + auth + `\",\"password\":\"c4nary\",\"registrytoken\":\"c4nary\"}}}"}}`,
		"equals":                "kind: Pod\nspec: {containers: [{args: [\"--password=c4nary\", --db-token=c4nary]}]}\n",
		"next item":             "kind: Pod\nargs:\n- --token\n- c4nary\nmore: [\"--api-key\", \"c4nary\"]\n",
		"one word":              "command: [sh, -c, \"psql --password c4nary -h db\"]\n",
		"assignment":            "command:\n- sh\n- -c\n- PGPASSWORD=c4nary psql && MY_TOKEN='c4nary' run\n",
		"block":                 "a:\n  adminPassword: c4nary # note\n  apiKey: \"c4nary\"\nb: {password: c4nary, token: c4nary}\n",
	} {
		t.Run(name, func(t *testing.T) {
			shown := strings.Join(seal(t, memTree{"a.yaml": text}).Masked("a.yaml"), "\n")
			if strings.Contains(shown, canary) || strings.Contains(shown, auth) {
				t.Errorf("shown:\n%s", shown)
			}
			if strings.Count(shown, "\n") != strings.Count(text, "\n")-strings.Count(text[len(text)-1:], "\n") {
				t.Errorf("lines moved:\n%s", shown)
			}
		})
	}
}

// What is no credential stays to be read.
func TestMaskedKeepsTheRest(t *testing.T) {
	for _, text := range []string{
		"secretName: web-tls", "passwordSecretRef: {name: db, key: x}", "args: [--port=80, --tokens]",
		"value: $(PASSWORD)", "password: ${PASSWORD}", "password: op://vault/item/field", "args: [\"--token-file=/run/token\"]", "automountServiceAccountToken: false",
	} {
		if got := seal(t, memTree{"a.yaml": text}).Masked("a.yaml")[0]; got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

// kustomize refuses a literal without a key, and it may be the value.
func TestLiteralWithoutKey(t *testing.T) {
	text := "secretGenerator:\n- name: g\n  literals:\n  - c4nary\n  - \"more c4nary\"\n  - a=c4nary\n"
	s := seal(t, memTree{"kustomization.yaml": text})
	for _, shown := range []string{strings.Join(s.Masked("kustomization.yaml"), "\n"), read(t, s, "kustomization.yaml")} {
		if strings.Contains(shown, canary) {
			t.Errorf("shown:\n%s", shown)
		}
	}
}

// A place that only the render showed is hidden by its column in the file, also
// where other values on its line are shorter once they are hidden.
func TestMaskedHiddenBehindAnother(t *testing.T) {
	text := "kind: Secret\napiVersion: v1\nstringData: {a: \"c4nary-that-is-much-longer-than-the-dots\"}\nx: {p: y, q: c4nary}\n"
	s := seal(t, memTree{"a.yaml": text})
	s.Hide(finding.Span{File: "a.yaml", Start: finding.Position{Line: 4, Column: 14}})
	flow := seal(t, memTree{"b.json": `{"kind":"Secret","stringData":{"a":"c4nary-that-is-much-longer-than-the-dots"},"q":"c4nary"}`})
	flow.Hide(finding.Span{File: "b.json", Start: finding.Position{Line: 1, Column: 84}})
	for _, shown := range []string{strings.Join(s.Masked("a.yaml"), "\n"), strings.Join(flow.Masked("b.json"), "\n")} {
		if strings.Contains(shown, canary) {
			t.Errorf("shown:\n%s", shown)
		}
	}
}
