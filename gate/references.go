package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/validate"
)

// referencesElsewhere completes the references of a run about a change. A name
// that an affected target leaves open may be defined in one that is not, and what
// the change takes away may be named there. Where there is such a name every
// target is rendered, and else none.
//
// Of what is said about the other targets only the news are kept.
func (g *gate) referencesElsewhere(ctx context.Context, d *done) error {
	if g.base == nil || !g.wants(checkReferences) || g.narrowed() {
		return nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("references elsewhere", time.Since(start)) }()
	if g.opts.Shard != (Shard{}) {
		return g.referencesOfShard(ctx, d)
	}
	_, err := g.lookElsewhere(ctx, d)
	return err
}

// lookElsewhere says whether it had to look.
func (g *gate) lookElsewhere(ctx context.Context, d *done) (looked bool, err error) {
	now := namedIn(d.outcomes)
	if len(g.base.skipped) > 0 {
		if err := g.completeBase(ctx); err != nil {
			return false, err
		}
		if !changesNames(g.base.evidence, now) {
			return false, nil
		}
	}
	rest, err := g.collectSkipped(ctx)
	if err != nil {
		return false, err
	}
	after, err := g.allReferences(g.sealed, slices.Concat(now, rest))
	if err != nil {
		return false, err
	}
	d.across = validate.Result{Findings: after.Findings()}
	if len(g.base.skipped) == 0 {
		return true, nil
	}
	before, err := g.allReferences(g.base.sealed, slices.Concat(g.base.evidence, rest))
	if err != nil {
		return false, err
	}
	d.across.Findings = g.ofChange(d, before.Findings(), d.across.Findings)
	return true, nil
}

// completeBase takes in the targets that the change removes, and those that it
// affects: what they defined and left open before.
func (g *gate) completeBase(ctx context.Context) error {
	skipped := map[string]bool{}
	for _, t := range g.base.skipped {
		skipped[t.Path] = true
	}
	evidence, err := g.collectBase(ctx, skipped)
	g.base.evidence = evidence
	return err
}

// collectBase takes the references of the targets of the base, without some. What
// was rendered there to be compared is not rendered again.
func (g *gate) collectBase(ctx context.Context, leave map[string]bool) ([]*validate.Evidence, error) {
	var paths []string
	for path := range g.base.targets {
		if !leave[path] {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	out := make([]*validate.Evidence, len(paths))
	return out, g.each(ctx, len(paths), func(i int) error {
		if known, ok := g.base.collected.Load(paths[i]); ok {
			out[i] = known.(*validate.Evidence)
			return nil
		}
		r, err := g.base.builder.Build(ctx, g.base.targets[paths[i]])
		if err != nil {
			return fmt.Errorf("render %s at the base: %w", paths[i], err)
		}
		out[i] = g.base.collector.Collect(r)
		return nil
	})
}

// collectSkipped takes the references of the targets that the change does not
// affect: they are the same on both sides.
func (g *gate) collectSkipped(ctx context.Context) ([]*validate.Evidence, error) {
	out := make([]*validate.Evidence, len(g.base.skipped))
	err := g.each(ctx, len(out), func(i int) error {
		t := g.base.skipped[i]
		if g.memory != nil {
			if e := g.memory.recalled(t); e != nil && e.References != nil {
				out[i] = e.References
				return nil
			}
		}
		r, err := g.builder.Build(ctx, t)
		if err != nil {
			return fmt.Errorf("render %s: %w", t.Path, err)
		}
		out[i] = g.validator.Collect(r)
		return nil
	})
	return out, err
}

// allReferences follows what all targets of a tree name.
func (g *gate) allReferences(tree repo.Tree, all []*validate.Evidence) (*validate.References, error) {
	x, err := validate.NewReferences(tree, validate.ReferenceOptions{External: g.config.Secrets.External})
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		x.Admit(e)
	}
	return x, nil
}

// changesNames reports whether a change leaves a name open, or takes away one that
// another target may use.
func changesNames(before, now []*validate.Evidence) bool {
	had, have := namesOf(before), namesOf(now)
	for name := range had.defined {
		if !have.defined[name] {
			return true
		}
	}
	for name := range have.open {
		if !had.open[name] {
			return true
		}
	}
	return false
}

// referenceNames are the names that targets define, and those that they leave to
// others.
type referenceNames struct{ defined, open map[string]bool }

func namesOf(all []*validate.Evidence) referenceNames {
	n := referenceNames{map[string]bool{}, map[string]bool{}}
	for _, e := range all {
		for _, k := range e.Known {
			at := strings.Join([]string{k.Kind, k.Namespace, k.Name}, "\x00")
			n.defined[at] = true
			for _, key := range k.Keys {
				n.defined[at+"\x00"+key] = true
			}
			if k.Open {
				n.defined[at+"\x00"] = true
			}
		}
		for _, p := range e.Patterns {
			n.defined[strings.Join([]string{"pattern", p.Kind, p.Namespace, p.Name}, "\x00")] = true
		}
		for _, o := range e.Open {
			n.open[strings.Join([]string{o.Kind, o.Namespace, o.Name, o.Key}, "\x00")] = true
		}
		for _, s := range e.Sealed {
			n.open[fmt.Sprint(s.Name)] = true
		}
	}
	return n
}

// ofChange leaves what concerns an affected target, and what was not so before.
func (g *gate) ofChange(d *done, before, after []finding.Finding) []finding.Finding {
	affected, known := map[string]bool{}, map[string]bool{}
	for _, o := range d.outcomes {
		affected[o.target.Path] = true
	}
	for _, f := range before {
		known[f.Fingerprint] = true
	}
	return slices.DeleteFunc(after, func(f finding.Finding) bool {
		return known[f.Fingerprint] && !slices.ContainsFunc(f.Targets, func(t string) bool { return affected[t] })
	})
}
