package secrets

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

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

// judge runs all checks of this package over a tree and every target in it. What
// lies below before/ is the tree that it is compared with.
func judge(t testing.TB, tree memTree) []finding.Finding {
	t.Helper()
	before, tree := split(tree)
	s, e := seal(t, tree), Expectations{Creation: CreationFor(tree), Substitute: allowedIn(t, tree)}
	found := fileFindings(t, s, e)
	readers, old := s.NewReaders(e), map[string]*Access{}
	if before != nil {
		base := seal(t, before)
		for _, r := range build(t, base) {
			old[r.Target.Path] = AccessOf(r)
		}
		compared, err := s.Compare(context.Background(), base, e)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, compared...)
	}
	variables := s.NewSubstitutions(e)
	for _, r := range build(t, s) {
		found = append(found, s.CheckRendered(r)...)
		variables.Collect(r)
		found = append(found, s.CheckBinding(r, e)...)
		if before != nil {
			readers.Collect(r, old[r.Target.Path])
			delete(old, r.Target.Path)
		}
	}
	for _, a := range old {
		readers.Before(a)
	}
	return finding.Merge(slices.Concat(found, variables.Findings(), readers.Findings()))
}

// allowedIn reads the variables that the configuration of an example allows.
func allowedIn(t testing.TB, tree memTree) []string {
	t.Helper()
	var config struct{ Secrets struct{ Substitute []string } }
	if err := yaml.Unmarshal([]byte(tree[".sallyport.yaml"]), &config); err != nil {
		t.Fatal(err)
	}
	return config.Secrets.Substitute
}

// split takes the files below before/ out of a tree; nil where there are none.
func split(tree memTree) (before, now memTree) {
	now = memTree{}
	for path, text := range tree {
		if rest, ok := strings.CutPrefix(path, "before/"); ok {
			if before == nil {
				before = memTree{}
			}
			before[rest] = text
			continue
		}
		now[path] = text
	}
	return before, now
}

func fileFindings(t testing.TB, s *Sealed, e Expectations) []finding.Finding {
	t.Helper()
	ctx := context.Background()
	files, err1 := s.CheckFiles(ctx, "")
	recipients, err2 := s.CheckRecipients(ctx, "", e)
	reused, err3 := s.CheckReuse(ctx, "")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(files, recipients, reused)
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
