package secrets

import (
	"context"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Each rule's bad example gives the finding, and the good one gives nothing.
func TestRulesExamples(t *testing.T) {
	for _, rule := range Rules() {
		if rule.Title == "" || rule.Doc == "" || rule.Fix == "" {
			t.Errorf("%s: documentation is missing", rule.Name)
		}
		if found := judge(t, memTree(rule.Bad)); count(found, rule.Name) == 0 {
			t.Errorf("%s: the bad example gives only %v", rule.Name, found)
		}
		if found := judge(t, memTree(rule.Good)); len(found) > 0 {
			t.Errorf("%s: the good example gives %v", rule.Name, found)
		}
	}
}

func count(found []finding.Finding, rule string) int {
	n := 0
	for _, f := range found {
		if f.Rule == rule {
			n++
		}
	}
	return n
}

// judge runs all checks of this package over a tree and every target in it.
func judge(t testing.TB, tree memTree) []finding.Finding {
	t.Helper()
	ctx := context.Background()
	s := seal(t, tree)
	found, err := s.CheckFiles(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range build(t, s) {
		found = append(found, s.CheckRendered(r)...)
	}
	return finding.Merge(found)
}

// build renders every target of a sealed tree.
func build(t testing.TB, s *Sealed) []*render.Rendered {
	t.Helper()
	ctx := context.Background()
	d, err := render.Discover(ctx, s, render.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	builder := render.NewBuilder(s, render.Options{})
	var out []*render.Rendered
	for _, target := range d.Targets {
		r, err := builder.Build(ctx, target)
		if err != nil {
			t.Fatal(err)
		}
		if r.Reason != "" {
			t.Fatalf("%s does not render: %s %v", target.Path, r.Reason, r.Findings)
		}
		out = append(out, r)
	}
	return out
}
