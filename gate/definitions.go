package gate

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/validate"
)

// definitions finds what a change does to the definitions of custom kinds whose
// objects stay: of kinds that a target delivered before, and none does now; and of
// those that only lay in the repository, to be judged by.
//
// Without a base nothing is lost: an object that has no definition is not checked,
// and said to be.
type definitions struct {
	*comparer
	since string          // names the base to a reader
	files map[string]bool // that speak of definitions, on either side
}

// definitionsLost judges the objects whose definition a change takes away. What
// targets lose together is said by the first shard; every shard says which of its
// own objects are not checked any more.
func (g *gate) definitionsLost(ctx context.Context, d *done) ([]finding.Finding, error) {
	if !g.wants(checkSchema) || g.own != nil {
		return nil, nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("definitions", time.Since(start)) }()
	x, err := g.definitionsBefore(ctx)
	if x == nil || err != nil {
		return nil, err
	}
	lost, err := x.lost(ctx)
	if err != nil {
		return nil, err
	}
	var out []finding.Finding
	if len(lost) > 0 && g.opts.Shard.Index <= 1 {
		if out, err = x.stranded(ctx, lost); err != nil {
			return nil, err
		}
	}
	unchecked, err := x.unchecked(ctx, d, lost)
	return append(out, unchecked...), err
}

// definitionsBefore opens the state before the change; nil where there is none, it
// is the same, or it defines nothing.
func (g *gate) definitionsBefore(ctx context.Context) (*definitions, error) {
	switch {
	case g.base != nil:
		return newDefinitions(g.comparerOfChange(), g.opts.ChangedSince), nil
	case g.opts.PolicyFrom == "":
		return nil, nil
	}
	before := g.beforeJudging(ctx)
	if len(definingFiles(before, func(name string) bool { return holdsCRD(before, name) })) == 0 {
		return nil, nil
	}
	c, err := g.comparer(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("--policy-from: %w", err)
	}
	return newDefinitions(c, g.opts.PolicyFrom), nil
}

func newDefinitions(c *comparer, since string) *definitions {
	x := &definitions{comparer: c, since: since, files: definingFiles(c.old.sealed, func(name string) bool { return c.definedBefore(c.old.sealed, name, c.changed) })}
	if len(x.files) == 0 || len(c.changed) == 0 {
		return nil
	}
	for file := range c.changed {
		x.files[file] = x.files[file] || holdsCRD(c.now.sealed, file)
	}
	return x
}

// definingFiles are the files of a tree that speak of definitions, as defines tells.
func definingFiles(tree repo.Tree, defines func(name string) bool) map[string]bool {
	out := map[string]bool{}
	for _, e := range tree.Files() {
		if e.Mode <= repo.Executable && defines(e.Path) {
			out[e.Path] = true
		}
	}
	return out
}

// offer is one definition that a target delivers.
type offer struct {
	validate.Definition
	from   *render.Rendered
	object *render.Object
}

// place is where the definition is set.
func (o offer) place() finding.Span { return o.from.Place(o.object, "").Span }

// loss is a version of a kind that was delivered before the change. Left is the
// definition where the kind is delivered still.
type loss struct {
	was  offer
	left *offer
}

// lost are the versions of custom kinds that some target delivered before the
// change and none does now, by "group/version/Kind". A target that does not render
// any more takes nothing away: that it does not render is said.
func (x *definitions) lost(ctx context.Context) (map[string]loss, error) {
	tasks, err := x.pairs(ctx)
	if err != nil {
		return nil, err
	}
	before, after := make([][]offer, len(tasks)), make([][]offer, len(tasks))
	collect := func(affected bool) error {
		return x.each(ctx, len(tasks), func(i int) (err error) {
			if tasks[i].affected == affected {
				before[i], after[i], err = x.sides(ctx, tasks[i])
			}
			return err
		})
	}
	if err := collect(true); err != nil || len(missing(before, after)) == 0 {
		return nil, err
	}
	err = collect(false) // what the change takes from one target another may have
	return missing(before, after), err
}

// pairs lists the targets that deliver definitions, and those that the change
// affects among them. What the run is narrowed to does not matter: a definition is
// delivered all the same.
func (x *definitions) pairs(ctx context.Context) ([]task, error) {
	at := map[string]*task{}
	for _, s := range []*side{x.old, x.now} {
		found, err := render.Discover(ctx, s.sealed, render.DiscoverOptions{
			Include: x.config.abs(x.config.Targets.Include), Exclude: x.config.abs(x.config.Targets.Exclude), Library: x.library, Notes: s.notes,
		})
		if err != nil {
			return nil, fmt.Errorf("discover: %w", err)
		}
		for _, t := range found.Targets {
			if known := at[t.Path] != nil; !known && !s.reads(t, func(file string) bool { return x.files[file] }) {
				continue
			} else if !known {
				at[t.Path] = &task{path: t.Path}
			}
			if s == x.old {
				at[t.Path].old = &t
			} else {
				at[t.Path].now = &t
			}
		}
	}
	var out []task
	for _, path := range slices.Sorted(maps.Keys(at)) {
		t := *at[path]
		t.affected = x.affects(t) || !reflect.DeepEqual(t.old.Delivery, t.now.Delivery)
		out = append(out, t)
	}
	return out, nil
}

// reads reports whether a target reads one of the wanted files, or may.
func (s *side) reads(t render.Target, wanted func(file string) bool) bool {
	reads, exact := s.builder.Reads(t)
	return !exact || slices.ContainsFunc(reads.Files, wanted)
}

// sides are the definitions that a target delivers before and after the change.
func (x *definitions) sides(ctx context.Context, t task) (before, after []offer, err error) {
	if t.now != nil {
		r, err := x.now.builder.Build(ctx, *t.now)
		if err != nil {
			return nil, nil, err
		}
		if r.Reason != "" {
			return nil, nil, nil
		}
		after = offersOf(r)
	}
	if t.old == nil || !t.affected {
		return nil, after, nil
	}
	r, err := x.old.builder.Build(ctx, *t.old)
	if err != nil {
		return nil, nil, fmt.Errorf("at the base: %w", err)
	}
	return offersOf(r), after, nil
}

func offersOf(r *render.Rendered) []offer {
	var out []offer
	for _, o := range r.Objects {
		if d, ok := validate.DefinitionOf(o); ok {
			out = append(out, offer{d, r, o})
		}
	}
	return out
}

// missing are the versions that are offered before and not after. Of several
// targets that offered one, the first by path counts.
func missing(before, after [][]offer) map[string]loss {
	have, left := map[string]bool{}, map[string]*offer{}
	for _, o := range slices.Concat(after...) {
		for _, version := range o.Versions {
			have[version+"/"+o.Kind] = true
		}
		if kind := o.Group + "/" + o.Kind; left[kind] == nil {
			left[kind] = &o
		}
	}
	out := map[string]loss{}
	for _, o := range slices.Concat(before...) {
		for _, version := range o.Versions {
			at := version + "/" + o.Kind
			if _, known := out[at]; !known && !have[at] {
				out[at] = loss{o, left[o.Group+"/"+o.Kind]}
			}
		}
	}
	return out
}

// kindOf is how definitions are known: "group/version/Kind".
func kindOf(o finding.Object) string { return o.APIVersion + "/" + o.Kind }
