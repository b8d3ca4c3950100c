package validate

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// ciphertext is an encrypted value; a token takes its place, as behind the seal.
var ciphertext = regexp.MustCompile(`ENC\[AES256_GCM,[^\]]*\]`)

// sealedCorpus is an archive of a public repository with tokens.
func sealedCorpus(t testing.TB, name string) frozen {
	t.Helper()
	tree := corpus(t, name)
	for path, text := range tree {
		if strings.Contains(text, "ENC[") {
			tree[path] = ciphertext.ReplaceAllString(text, sealedToken+strings.Repeat("0", 56))
		}
	}
	return freeze(tree)
}

// TestReferencesOfRealRepositories counts the findings. Every one was read: there
// is no error, and each warning is about a name that the repository really does
// not define.
func TestReferencesOfRealRepositories(t *testing.T) {
	if testing.Short() {
		t.Skip("judges whole repositories in one goroutine")
	}
	for name, want := range map[string]int{
		"argocd-example-apps": 0, "flux2-kustomize-helm-example": 0, "flux2-multi-tenancy": 0, "gitops-catalog": 9,
		"microservices-demo": 0, "onedr0p-home-ops": 0, "onedr0p-home-ops-2022-08": 1, "operate-first-apps": 11,
	} {
		t.Run(name, func(t *testing.T) {
			tree := sealedCorpus(t, name)
			x, err := NewReferences(tree, ReferenceOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range renderCorpus(t, tree.memory) {
				x.Collect(r)
			}
			found := x.Findings()
			for _, f := range found {
				if f.Rule != ruleReference || f.Severity != finding.Warning || f.Location.IsZero() {
					t.Errorf("%s: %s %s: %s", f.Location, f.Severity, f.Rule, f.Message)
				}
			}
			if len(found) != want {
				t.Errorf("%d findings, want %d: %v", len(found), want, found)
			}
		})
	}
}

// BenchmarkReferences collects a real repository, places of what is missing
// included, and reports the time for one object.
func BenchmarkReferences(b *testing.B) {
	tree := sealedCorpus(b, "operate-first-apps")
	var targets []*render.Rendered
	objects := 0
	for _, r := range renderCorpus(b, tree.memory) {
		targets = append(targets, r)
		objects += len(r.Objects)
	}
	for b.Loop() {
		x, err := NewReferences(tree, ReferenceOptions{})
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range targets {
			x.Collect(r)
		}
		if len(x.Findings()) == 0 {
			b.Fatal("nothing found")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*objects), "µs/object")
}
