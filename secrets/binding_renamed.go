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

// CompareRendered judges what became of the Secrets that encrypted values of a
// target reach: a new name, and a key of their metadata that makes a controller
// copy or use them. s and r are the state now, base and old the state before.
func (s *Sealed) CompareRendered(r *render.Rendered, base *Sealed, old *render.Rendered, e Expectations) []finding.Finding {
	before := &bound{sealed: base, rendered: old, e: e, files: map[string][]block{}}
	now := &bound{sealed: s, rendered: r, e: e, files: map[string][]block{}}
	if now.arrive(); len(now.arrivals) == 0 {
		return nil
	}
	before.arrive()
	if len(e.Bind) > 0 {
		now.renamed(before)
	}
	now.adopted(before)
	return now.out
}

// renamed warns where a secret of a bound file reaches a Secret under a name that
// it did not have in the same target before: by a patch, a prefix or a generator,
// since a new name in the file itself is for [Sealed.Compare].
func (b *bound) renamed(before *bound) {
	names := map[documentOf][]string{}
	before.each(func(a arrival) {
		from := documentOf{a.value.file, a.doc()}
		names[from] = append(names[from], addressOf(a.object.Object).name)
	})
	b.each(func(a arrival) {
		from := documentOf{a.value.file, a.doc()}
		had, name := names[from], addressOf(a.object.Object).name
		if len(had) == 0 || slices.Contains(had, name) || !b.e.binds(from.file) || before.called(from) != b.called(from) {
			return
		}
		f := b.rendered.At(a.object, "/metadata/name", finding.Finding{
			Rule: ruleMoved, Severity: finding.Warning, Help: "put the name back, or make sure that whoever reads the old and the new one agrees",
			Message: fmt.Sprintf("a secret of %s would reach the Secret %q, and reaches %q at the base", from.file, name, had[0]),
		})
		relate(&f, "the secret value", a.value.span)
		b.out = append(b.out, f)
	})
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
