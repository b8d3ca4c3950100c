package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/validate"
)

// changeEvidence is what merging the shards of a run about a change needs beside
// the targets: what the change does not affect, and what follows from all of them.
type changeEvidence struct {
	Since, Every string
	Skipped      []render.Target
	Touched      []string // files with findings that the change touches; of the first shard
	Readers      *secrets.ReadersEvidence
	Elsewhere    []finding.Finding // references, where this shard had to look at every target
	Looked       bool              // Elsewhere is the verdict
}

// changeEvidence is nil where the run is about no change.
func (g *gate) changeEvidence(d *done) *changeEvidence {
	if g.base == nil {
		return nil
	}
	c := &changeEvidence{Since: g.opts.ChangedSince, Every: g.base.every, Readers: g.readers.Evidence(), Looked: d.looked}
	for _, t := range g.base.skipped {
		c.Skipped = append(c.Skipped, render.Target{Path: t.Path, Kind: t.Kind})
	}
	for _, f := range d.files {
		if file := f.Location.File; g.base.changed[file] && !slices.Contains(c.Touched, file) {
			c.Touched = append(c.Touched, file)
		}
	}
	if d.looked {
		c.Elsewhere = d.across.Findings
	}
	return c
}

// everyReference reports whether all targets of the repository are in the run, so
// that a name which none of them defines is defined nowhere.
func (g *gate) everyReference() bool {
	if g.base == nil {
		return !g.partial()
	}
	return len(g.base.skipped) == 0 && !g.narrowed()
}

// joinChange takes in what the shards know of the change.
func (g *gate) joinChange(d *done, parts []shardEvidence) {
	first := parts[0].Change
	if first == nil {
		return
	}
	g.opts.ChangedSince = first.Since
	g.base = &base{every: first.Every, skipped: first.Skipped, changed: map[string]bool{}}
	for _, file := range first.Touched {
		g.base.changed[file] = true
	}
	var readers []*secrets.ReadersEvidence
	for _, p := range parts {
		if p.Change == nil {
			continue
		}
		readers = append(readers, p.Change.Readers)
		if p.Change.Looked {
			d.across = validate.Result{Findings: p.Change.Elsewhere}
		}
	}
	all := secrets.ConcludeReaders(secrets.Expectations{Environments: g.environments()}, readers)
	d.readers = all.Findings()
	d.notChecked = slices.Concat(all.NotChecked(), d.notChecked)
}

// referencesOfShard is [gate.referencesElsewhere] for one of several shards. A name
// that is missed over all shards is missed in one of them; that one looks at every
// target, as the whole run would, and what it finds is the verdict of all.
func (g *gate) referencesOfShard(ctx context.Context, d *done) error {
	if len(g.base.skipped) == 0 {
		return nil // merging follows all names
	}
	before, err := g.referencesBefore(ctx)
	if err != nil {
		return err
	}
	if !changesNames(before, namedIn(d.outcomes)) {
		return nil
	}
	others := make([]outcome, len(g.others))
	err = g.each(ctx, len(others), func(i int) error {
		r, err := g.builder.Build(ctx, g.others[i])
		if err != nil {
			return fmt.Errorf("render %s: %w", g.others[i].Path, err)
		}
		others[i] = outcome{target: g.others[i]}
		if r.Reason == "" {
			others[i].references = g.validator.Collect(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	whole := &done{outcomes: slices.Concat(d.outcomes, others)}
	slices.SortFunc(whole.outcomes, func(a, b outcome) int { return cmp.Compare(a.target.Path, b.target.Path) })
	if d.looked, err = g.lookElsewhere(ctx, whole); d.looked {
		d.across = whole.across
	}
	return err
}

// referencesBefore collects the names of this shard's targets before the change,
// and of those that it takes away.
func (g *gate) referencesBefore(ctx context.Context) ([]*validate.Evidence, error) {
	leave := map[string]bool{}
	for _, t := range slices.Concat(g.base.skipped, g.others) {
		leave[t.Path] = true
	}
	return g.collectBase(ctx, leave)
}

// namedIn are the references of targets, nothing of those that do not render.
func namedIn(outcomes []outcome) []*validate.Evidence {
	out := make([]*validate.Evidence, len(outcomes))
	for i, o := range outcomes {
		if out[i] = o.references; out[i] == nil {
			out[i] = &validate.Evidence{}
		}
	}
	return out
}
