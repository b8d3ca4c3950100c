package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSchemasOfTheBase holds that a change cannot weaken the schema which judges
// it: with PolicyFrom the schemas of that revision count, and the change to them
// is told.
func TestSchemasOfTheBase(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := newCheckout(t, map[string]string{
		".sallyport.yaml":     "apiVersion: sallyport.dev/v1\nkind: Config\nschemas: ['schemas/{{.ResourceKind}}.json']\n",
		"schemas/widget.json": `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}`,
		"app/widget.yaml":     "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\nspec: {size: 1}\n",
	})
	c.git("branch", "base")
	c.write(map[string]string{
		"schemas/widget.json": `{"type": "object"}`,
		"app/widget.yaml":     "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\nspec: {size: large}\n",
	})
	c.commit("weaker")
	if r := c.check(Options{}); r.Failed {
		t.Errorf("by its own schema: %v", rulesOf(r))
	}
	r := c.check(Options{PolicyFrom: "base"})
	if got := strings.Join(rulesOf(r), " "); !r.Failed || !strings.Contains(got, "schema-invalid") || !strings.Contains(got, "policy-changed") {
		t.Errorf("by the base's: %s", got)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "sallyport-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	listed, err := Targets(t.Context(), Options{Path: c.dir, Files: []string{"schemas/widget.json"}})
	if err != nil || len(listed.Targets) != 1 {
		t.Errorf("a schema affects what it judges: %v", err)
	}
}
