package render

import (
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// originals returns how to go from a span of the text that a tree gives to that
// of the text in the repository. A tree whose text differs, as a sealed one
// does, has a method Original for it. Every span is translated once, when it
// leaves this package: inside, spans are those of the tree.
func originals(tree repo.Tree) func(finding.Span) finding.Span {
	if t, ok := tree.(interface {
		Original(finding.Span) finding.Span
	}); ok {
		return t.Original
	}
	return func(span finding.Span) finding.Span { return span }
}

// placed is the fault with places of the repository. Targets share faults, so it
// is a copy.
func (f *fault) placed(original func(finding.Span) finding.Span) *fault {
	out := *f
	out.Span, out.Related = original(f.Span), relatedIn(f.Related, original)
	return &out
}

// in is the place with spans of the repository.
func (p Place) in(original func(finding.Span) finding.Span) Place {
	p.Span, p.Related = original(p.Span), relatedIn(p.Related, original)
	return p
}

func relatedIn(related []finding.Related, original func(finding.Span) finding.Span) []finding.Related {
	out := slices.Clone(related)
	for i := range out {
		out[i].Location = original(out[i].Location)
	}
	return out
}
