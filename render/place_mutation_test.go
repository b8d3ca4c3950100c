package render

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// edited is a tree in which one file reads differently.
type edited struct {
	repo.Tree
	file string
	data []byte
}

func (e edited) ReadFile(name string) ([]byte, error) {
	if name == e.file {
		return e.data, nil
	}
	return e.Tree.ReadFile(name)
}

const mutant = "mutated-by-test"

// mutate replaces the text at a place.
func mutate(tree repo.Tree, span finding.Span) (edited, bool) {
	data, err := tree.ReadFile(span.File)
	if err != nil || span.Start.Line == 0 || span.Start.Line != span.End.Line {
		return edited{}, false
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	line := []rune(string(lines[span.Start.Line-1]))
	changed := string(line[:span.Start.Column-1]) + mutant + string(line[span.End.Column-1:])
	lines[span.Start.Line-1] = []byte(changed)
	return edited{tree, span.File, bytes.Join(lines, nil)}, true
}

// leaves calls visit for each scalar of an object, in the order of its keys.
func leaves(v any, pointer string, visit func(pointer string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			leaves(v[key], pointer+source.Pointer(key), visit)
		}
	case []any:
		for i, item := range v {
			leaves(item, pointer+source.Pointer(strconv.Itoa(i)), visit)
		}
	case nil:
	default:
		visit(pointer, v)
	}
}

// TestPlaceIsWhereTheValueIsSet changes the text at the place of a field, builds
// again, and sees the field change: the place is where it is set. Fields are
// sampled; those are left out whose change makes the build fail, and those that
// kustomize derives (the hash in a name).
func TestPlaceIsWhereTheValueIsSet(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hundreds of targets")
	}
	for _, corpus := range []struct {
		name  string
		every int // of the fields
	}{{"operate-first-apps", 4001}, {"onedr0p-home-ops", 41}, {"gitops-catalog", 197}, {"microservices-demo", 83}} {
		t.Run(corpus.name, func(t *testing.T) {
			tree := openCorpus(t, corpus.name)
			b := NewBuilder(tree, Options{})
			tried, wrong, n := 0, 0, 0
			untold := map[string]int{}
			for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
				r, err := b.Build(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range r.Objects {
					leaves(o.Value, "", func(pointer string, value any) {
						every := corpus.every
						if target.Delivery != nil {
							every *= 8 // its object is found anew each time
						}
						if n++; n%every != 0 || isIdentity(newQuery(o.Value, source.Split(pointer))) {
							return
						}
						if ok, why := changes(t, tree, r, i, pointer, value); why == "" {
							tried++
							if !ok {
								wrong++
								t.Logf("%s: %s %s: not set at %s", target.Path, o.Object, pointer, r.Place(o, pointer).Span)
							}
						} else {
							untold[why]++
						}
					})
				}
			}
			t.Logf("%d of %d fields are not set at their place; not told: %v", wrong, tried, untold)
			if wrong*100 > tried {
				t.Error("more than 1 %")
			}
		})
	}
}

// changes reports whether the rendered field changes with the text at its
// place, or why that cannot be told.
func changes(t *testing.T, tree repo.Tree, r *Rendered, i int, pointer string, value any) (ok bool, why string) {
	place := r.Place(r.Objects[i], pointer)
	if place.Span.IsZero() {
		return false, ""
	}
	mutated, ok := mutate(tree, place.Span)
	if !ok {
		return false, "the place is no single line"
	}
	target, ok := sameTarget(t, mutated, r.Target)
	if !ok {
		return false, "the change breaks the build"
	}
	again, err := NewBuilder(mutated, Options{}).Build(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if again.Reason != "" || len(again.Objects) != len(r.Objects) {
		return false, "the change breaks the build"
	}
	after := newQuery(again.Objects[i].Value, source.Split(pointer))
	return !after.exists || after.value != value, ""
}

// sameTarget is a target in another tree. What an object delivers is in its target.
func sameTarget(t *testing.T, tree repo.Tree, target Target) (Target, bool) {
	if target.Delivery == nil {
		return target, true
	}
	targets := discovered(t, tree, DiscoverOptions{}).Targets
	i := slices.IndexFunc(targets, func(other Target) bool { return other.Path == target.Path })
	if i < 0 {
		return target, false
	}
	return targets[i], true
}
