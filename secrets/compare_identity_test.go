package secrets

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// What an encrypted Secret is, and who acts on it, is compared while its values
// stay: none of this breaks the mac of a file with mac_only_encrypted.
func TestCompareIdentity(t *testing.T) {
	before := generation(1, 11, 1)
	edit := func(pairs ...string) string {
		after := strings.NewReplacer(pairs...).Replace(before)
		if after == before {
			t.Fatalf("%q does not change the file", pairs)
		}
		return after
	}
	const name, copies, harmlessly = "  name: db\n", "replicator.v1.mittwald.de/replicate-to: x", "shop.example/owner: x"
	written := []string{encNumber(11), encNumber(12), "2026-01-01", "2026-01-02"} // as sops would
	for _, test := range []struct {
		name, text string
		e          Expectations
		severity   finding.Severity
		message    string
	}{
		{"copier", edit(name, name+"  annotations: {"+copies+"}\n"), Expectations{}, finding.Error, "makes a controller copy"},
		{"copier, allowed", edit(name, name+"  annotations: {"+copies+"}\n"), Expectations{Metadata: []string{"replicator.v1.mittwald.de/*"}}, 0, ""},
		{"copier, written by sops", edit(append(written, name, name+"  annotations: {"+copies+"}\n")...), Expectations{}, finding.Warning, "makes a controller copy"},
		{"credential of Argo CD", edit(name, name+"  labels: {argocd.argoproj.io/secret-type: cluster}\n"), Expectations{}, finding.Error, "makes a controller use"},
		{"the author's own", edit(name, name+"  annotations: {"+harmlessly+"}\n  labels: {app: shop}\n"), Expectations{}, 0, ""},
		{"type", edit("kind: Secret\n", "kind: Secret\ntype: kubernetes.io/service-account-token\n"), Expectations{}, finding.Error, "type of an encrypted Secret"},
		{"the type it has anyway", edit("kind: Secret\n", "kind: Secret\ntype: Opaque\n"), Expectations{}, 0, ""},
		{"kind", edit("kind: Secret\n", "kind: ConfigMap\n"), Expectations{}, finding.Error, "changed to ConfigMap"},
		{"kind, written by sops", edit(append(written, "kind: Secret\n", "kind: ConfigMap\n")...), Expectations{}, 0, ""},
		{"namespace", edit(name, name+"  namespace: other\n"), Expectations{}, finding.Warning, `moved to the namespace "other"`},
		{"namespace of a bound file", edit(name, name+"  namespace: other\n"), Expectations{Bind: []Binding{{Files: "*.yaml"}}}, 0, ""},
		{"name", edit(name, "  name: books\n"), Expectations{}, finding.Warning, `renamed from "db" to "books"`},
		{"name, written by sops", edit(append(written, name, "  name: books\n")...), Expectations{}, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := compare(t, memTree{"secret.yaml": before}, memTree{"secret.yaml": test.text}, test.e)
			if test.severity == 0 {
				if len(found) > 0 {
					t.Errorf("got %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Rule != ruleMetadata || found[0].Severity != test.severity || !strings.Contains(found[0].Message, test.message) {
				t.Errorf("got %v", found)
			}
		})
	}
}

// The name of a file that the configuration binds is bound too, as it is at the base.
func TestCompareRenamedBound(t *testing.T) {
	before := generation(1, 11, 1)
	tree := memTree{"secret.yaml": strings.Replace(before, "  name: db\n", "  name: books\n", 1)}
	found := compare(t, memTree{"secret.yaml": before}, tree, Expectations{Bind: []Binding{{Files: "*.yaml"}}})
	expect(t, tree, found, ruleMoved, finding.Error, "name: books", `renamed from "db" to "books"`)
}
