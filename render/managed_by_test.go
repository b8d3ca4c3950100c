package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/peer"
)

// The label names the kustomize whose bytes we promise, and only where the leaf
// asks for it.
func TestManagedByLabel(t *testing.T) {
	m := memory{
		"app/kustomization.yaml":  "resources: [a.yaml, ../base]\nbuildMetadata: [originAnnotations, managedByLabel]\n",
		"app/a.yaml":              strings.Replace(deployment, "  name: web\n", "  name: web\n  labels: {b: \"1\", app.kubernetes.io/managed-by: me}\n", 1),
		"base/kustomization.yaml": "resources: [b.yaml]\n", "base/b.yaml": configMap,
		"over/kustomization.yaml": "resources: [../app]\n",
	}
	got, err := built(t, m, "app").YAML()
	if err != nil || strings.Count(string(got), "app.kubernetes.io/managed-by: kustomize-"+kustomizeVersion+"\n") != 2 {
		t.Errorf("%v\n%s", err, got)
	}
	if over, _ := built(t, m, "over").YAML(); strings.Contains(string(over), "managed-by: kustomize") {
		t.Errorf("the option of a base counts:\n%s", over)
	}
	kustomize := peer.Binary(t, "kustomize")
	dir := t.TempDir()
	for name, text := range m {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := exec.CommandContext(t.Context(), kustomize, "build", filepath.Join(dir, "app")).Output()
	if err != nil || string(want) != string(got) {
		t.Errorf("%v: got\n%swant\n%s", err, got, want)
	}
}

// outside is a tree outside Git.
type outside struct{ memory }

func (outside) InGit() bool { return false }

// Outside Git the message says why nothing above is read.
func TestOutsideGit(t *testing.T) {
	m := memory{"kustomization.yaml": "resources: [../b]\n"}
	r := built(t, outside{m}, ".")
	want := []string{"path-escape kustomization.yaml:1:13 resources names ../b, which leads out of the checked directory; this is no Git repository, so nothing above it is read"}
	if got := lines(r.Findings); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// A second document is no error to kustomize, and surely a mistake.
func TestSecondDocument(t *testing.T) {
	r := built(t, memory{"app/kustomization.yaml": "resources: [a.yaml]\n---\nresources: [b.yaml]\n---\n# nothing\n", "app/a.yaml": configMap}, "app")
	want := []string{"render-error app/kustomization.yaml:3:1 kustomize ignores every document of a kustomization but the first"}
	if got := lines(r.Findings); !slices.Equal(got, want) || r.Findings[0].Severity != finding.Warning || len(r.Objects) != 1 {
		t.Errorf("got %q", got)
	}
}
