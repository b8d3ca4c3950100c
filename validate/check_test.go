package validate

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// check renders every target of a tree and checks it. Findings are merged as in
// a report.
func check(t testing.TB, tree repo.Tree, opts Options) Result {
	t.Helper()
	v, err := New(tree, opts)
	if err != nil {
		t.Fatal(err)
	}
	discovery, err := render.Discover(t.Context(), tree, render.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	builder := render.NewBuilder(tree, render.Options{})
	var all Result
	for _, target := range discovery.Targets {
		rendered, err := builder.Build(t.Context(), target)
		if err != nil || rendered.Reason != "" {
			t.Fatalf("%s: %v %s %v", target.Path, err, rendered.Reason, rendered.Findings)
		}
		result, err := v.Check(t.Context(), rendered)
		if err != nil {
			t.Fatal(err)
		}
		all.Findings = append(all.Findings, result.Findings...)
		all.NotChecked = append(all.NotChecked, result.NotChecked...)
		all.Checked += result.Checked
	}
	end := v.Conclude()
	all.Findings = finding.Merge(append(all.Findings, end.Findings...))
	all.NotChecked = append(all.NotChecked, end.NotChecked...)
	return all
}

// want is a comment at the end of a line: # want rule "part of the message".
var want = regexp.MustCompile(`# want ((?:[a-z-]+ "[^"]*"\s*)+)$`)
var wantOne = regexp.MustCompile(`([a-z-]+) "([^"]*)"`)

// wanted lists the expectations of a tree as `file:line rule`, with the part of
// the message that must appear.
func wanted(tree memory) map[string][]string {
	out := map[string][]string{}
	for path, text := range tree {
		for i, line := range strings.Split(text, "\n") {
			if m := want.FindStringSubmatch(line); m != nil {
				for _, one := range wantOne.FindAllStringSubmatch(m[1], -1) {
					key := fmt.Sprintf("%s:%d %s", path, i+1, one[1])
					out[key] = append(out[key], one[2])
				}
			}
		}
	}
	return out
}

// TestFixtures checks the repositories under testdata: each finding stands at
// the line that says so, and nowhere else. A first line "# kubernetes: 1.29
// 1.35" in a file names the versions.
func TestFixtures(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			tree := load(t, filepath.Join("testdata", entry.Name()))
			result := check(t, tree, Options{Versions: fixtureVersions(tree)})
			expect := wanted(tree)
			for _, f := range result.Findings {
				key := fmt.Sprintf("%s:%d %s", f.Location.File, f.Location.Start.Line, f.Rule)
				i := slices.IndexFunc(expect[key], func(part string) bool {
					return strings.Contains(strings.ReplaceAll(f.Message, `"`, `'`), part)
				})
				if i < 0 {
					t.Errorf("not wanted: %s: %s [%s] at %s %s", key, f.Message, f.Help, f.Pointer, f.Unplaced)
					continue
				}
				expect[key] = slices.Delete(expect[key], i, i+1)
			}
			for _, key := range slices.Sorted(maps.Keys(expect)) {
				for _, part := range expect[key] {
					t.Errorf("missing: %s %q", key, part)
				}
			}
		})
	}
}

func fixtureVersions(tree memory) []string {
	for _, text := range tree {
		first, _, _ := strings.Cut(text, "\n")
		if versions, ok := strings.CutPrefix(first, "# kubernetes: "); ok {
			return strings.Fields(versions)
		}
	}
	return []string{"1.35"}
}

// TestRules runs both examples of every rule.
func TestRules(t *testing.T) {
	for _, rule := range Rules() {
		opts := Options{Strict: rule.Name == ruleMissing}
		count := func(example finding.Example) (n int) {
			for _, f := range check(t, sealed(example), opts).Findings {
				if f.Rule == rule.Name {
					n++
					if f.Severity != rule.Severity {
						t.Errorf("%s: severity %s, documented %s", rule.Name, f.Severity, rule.Severity)
					}
				} else {
					t.Errorf("%s: the example also gives %s: %s", rule.Name, f.Rule, f.Message)
				}
			}
			return n
		}
		if count(rule.Bad) == 0 {
			t.Errorf("%s: the bad example gives no finding", rule.Name)
		}
		if count(rule.Good) != 0 {
			t.Errorf("%s: the good example gives a finding", rule.Name)
		}
		for _, text := range []string{rule.Title, rule.Doc, rule.Fix} {
			if text == "" {
				t.Errorf("%s: a text is missing", rule.Name)
			}
		}
	}
}

// sealed is an example as the seal hands it on: a token for each encrypted value,
// and no sops block.
func sealed(example finding.Example) memory {
	tree := memory{}
	for path, text := range example {
		text, _, _ = strings.Cut(text, "\nsops:\n")
		tree[path] = strings.ReplaceAll(text, exampleValue, sealedToken+strings.Repeat("0", 56)) + "\n"
	}
	return tree
}

// TestCancelled stops between objects.
func TestCancelled(t *testing.T) {
	v, err := New(memory{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	object := &render.Object{Object: finding.Object{APIVersion: "v1", Kind: "ConfigMap", Name: "a"}}
	if _, err := v.Check(ctx, &render.Rendered{Objects: []*render.Object{object}}); err == nil {
		t.Error("a cancelled check gave a result")
	}
}
