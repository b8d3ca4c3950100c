package policy

import (
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/policies"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/peer"
)

// On repositories that somebody runs in earnest the default rules have at most
// one thing to say for every ten objects, few of them errors, each with a place.
func TestRealRepositoriesAreNotFlooded(t *testing.T) {
	set := load(t, Options{Bundled: policies.FS})
	for _, name := range []string{"onedr0p-home-ops", "gitops-catalog"} {
		t.Run(name, func(t *testing.T) {
			found, objects := judge(t, set, peer.Corpus(t, name))
			failing := 0
			for _, f := range found {
				if f.Location.IsZero() {
					t.Errorf("%s of %s has no place: %s", f.Rule, f.Object, f.Unplaced)
				}
				if f.Severity == finding.Error {
					failing++
				}
			}
			if objects == 0 || len(found) > objects/10 || failing > objects/100 {
				t.Errorf("%d findings, %d of them errors, on %d objects", len(found), failing, objects)
			}
		})
	}
}

// judge checks every target of a repository. Equal findings are one.
func judge(t *testing.T, set *Set, root string) (found []finding.Finding, objects int) {
	t.Helper()
	snapshot, err := repo.Open(t.Context(), root, repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	discovery, err := render.Discover(t.Context(), snapshot, render.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	builder := render.NewBuilder(snapshot, render.Options{})
	for _, target := range discovery.Targets {
		rendered, err := builder.Build(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		hits, err := set.Check(t.Context(), rendered)
		if err != nil {
			t.Fatal(err)
		}
		found, objects = append(found, hits...), objects+len(rendered.Objects)
	}
	return finding.Merge(found), objects
}
