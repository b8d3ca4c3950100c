package gate

import "github.com/sallyport/sallyport/render"

// Reach says what one target is made of: the files that its build read, sorted,
// and which kustomization takes in which.
type Reach struct {
	Target string
	Files  []string
	Edges  []render.Edge
}

// reach lists what the checked targets are made of, in their order.
func (g *gate) reach(d *done) []Reach {
	out := make([]Reach, 0, len(d.outcomes))
	for _, o := range d.outcomes {
		out = append(out, Reach{Target: o.target.Path, Files: o.reads, Edges: g.builder.Edges(o.target)})
	}
	return out
}
