package gate

import (
	"fmt"

	"github.com/sallyport/sallyport/render"
)

// Shard is one of Count parts of the targets; Index counts from 1.
type Shard struct{ Index, Count int }

func (s Shard) check(o Options) error {
	switch {
	case s == Shard{}:
		return nil
	case s.Count < 1 || s.Index < 1 || s.Index > s.Count:
		return &UsageError{fmt.Errorf("--shard %d/%d: the first number is from 1 to the second", s.Index, s.Count)}
	}
	return nil
}

// takeShard leaves every Count-th target, of those that a change affects where the
// run is about one. They are sorted by path, so that each
// part is as large as the next, and neighbours, which tend to cost the same, are
// spread over all parts.
func (g *gate) takeShard() {
	s := g.opts.Shard
	if s.Count < 2 {
		return
	}
	var mine []render.Target
	for i, t := range g.discovery.Targets {
		if i%s.Count == s.Index-1 {
			mine = append(mine, t)
		} else {
			g.others = append(g.others, t)
		}
	}
	g.discovery.Targets = mine
}
