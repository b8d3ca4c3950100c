package secrets

import (
	"context"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// What is found in real repositories is true: in one, eight files are copies, and
// three lie in a directory that no creation rule is for; in another, two files
// lack a recipient of their rule. Compared with itself, nothing changed.
func TestCorpusRecipients(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes in one goroutine")
	}
	for name, want := range map[string]int{
		"onedr0p-home-ops-2022-08": 11, "onedr0p-home-ops": 0, "operate-first-apps": 2, "gitops-catalog": 0,
		"flux2-kustomize-helm-example": 0, "flux2-multi-tenancy": 0, "argocd-example-apps": 0,
	} {
		t.Run(name, func(t *testing.T) {
			snap, s := corpus(t, name)
			found := boundFindings(t, s, Expectations{Creation: CreationFor(snap)})
			if len(found) != want {
				t.Errorf("got %d findings, want %d", len(found), want)
			}
			for _, f := range found {
				t.Logf("%s %s %s: %s", f.Severity, f.Location, f.Rule, f.Message)
			}
		})
	}
}

// boundFindings runs all checks about who can open and read the secrets of a
// tree.
func boundFindings(t testing.TB, s *Sealed, e Expectations) []finding.Finding {
	t.Helper()
	ctx := context.Background()
	out, err := s.CheckRecipients(ctx, "", e)
	if err != nil {
		t.Fatal(err)
	}
	reused, err := s.CheckReuse(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	compared, err := s.Compare(ctx, s, e)
	if err != nil {
		t.Fatal(err)
	}
	out = append(append(out, reused...), compared...)
	d, err := render.Discover(ctx, s, render.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	builder, readers := render.NewBuilder(s, render.Options{}), s.NewReaders(e)
	for _, target := range d.Targets {
		r, err := builder.Build(ctx, target)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.CheckBinding(r, e)...)
		readers.Collect(r, AccessOf(r))
	}
	return finding.Merge(append(out, readers.Findings()...))
}
