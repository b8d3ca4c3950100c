package secrets

import (
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// A documentOf is where values come from: one document of a file.
type documentOf struct {
	file string
	doc  int
}

// CheckRenamed warns where a secret of a bound file reaches a Secret under a name
// that it did not have in the same target before: by a patch, a prefix or a
// generator, since a new name in the file itself is for [Sealed.Compare]. s and r
// are the state now, base and old the state before.
func (s *Sealed) CheckRenamed(r *render.Rendered, base *Sealed, old *render.Rendered, e Expectations) []finding.Finding {
	if len(e.Bind) == 0 {
		return nil
	}
	before := &bound{sealed: base, rendered: old, e: e, files: map[string][]block{}}
	now := &bound{sealed: s, rendered: r, e: e, files: map[string][]block{}}
	before.arrive()
	now.arrive()
	names := map[documentOf][]string{}
	before.each(func(a arrival) {
		from := documentOf{a.value.file, a.doc()}
		names[from] = append(names[from], addressOf(a.object.Object).name)
	})
	now.each(func(a arrival) {
		from := documentOf{a.value.file, a.doc()}
		had, name := names[from], addressOf(a.object.Object).name
		if len(had) == 0 || slices.Contains(had, name) || !e.binds(from.file) || before.called(from) != now.called(from) {
			return
		}
		f := r.At(a.object, "/metadata/name", finding.Finding{
			Rule: ruleMoved, Severity: finding.Warning, Help: "put the name back, or make sure that whoever reads the old and the new one agrees",
			Message: fmt.Sprintf("a secret of %s would reach the Secret %q, and reaches %q at the base", from.file, name, had[0]),
		})
		relate(&f, "the secret value", a.value.span)
		now.out = append(now.out, f)
	})
	return now.out
}

// called is the name that a document gives its object.
func (b *bound) called(from documentOf) string {
	for _, block := range b.blocks(from.file) {
		if block.doc == from.doc && block.object != nil {
			return block.object.Name
		}
	}
	return ""
}
