package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
)

// compareTarget takes who reads Secrets in a target, now and at the base, and
// finds the Secrets that it calls otherwise than there.
func (g *gate) compareTarget(ctx context.Context, r *render.Rendered, e secrets.Expectations) ([]finding.Finding, error) {
	if g.base == nil {
		return nil, nil
	}
	before, ok := g.base.targets[r.Target.Path]
	if !ok {
		g.readers.Collect(r, nil)
		return nil, nil
	}
	old, err := g.base.builder.Build(ctx, before)
	switch {
	case err != nil:
		return nil, err
	case old.Reason != "":
		g.readers.Failed(before.Path)
		return nil, nil
	}
	g.base.collect(old)
	g.readers.Collect(r, secrets.AccessOf(old))
	return g.sealed.CompareRendered(r, g.base.sealed, old, e), nil
}

// readersElsewhere completes the base where a change reads, or lets somebody read,
// Secrets that may be those of targets which the change does not touch.
func (g *gate) readersElsewhere(ctx context.Context) error {
	if g.base == nil {
		return nil
	}
	wanted, open := g.readers.Open()
	if !open {
		return nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("readers elsewhere", time.Since(start)) }()
	rest := maps.Clone(g.base.targets)
	for _, t := range slices.Concat(g.discovery.Targets, g.others) {
		delete(rest, t.Path) // they are collected, here or by another shard
	}
	mentions := g.mentions(rest, wanted)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.jobs())
	for _, path := range slices.Sorted(maps.Keys(rest)) {
		reads, exact := g.base.builder.Reads(rest[path])
		if exact && !slices.ContainsFunc(reads.Files, func(file string) bool { return mentions[file] }) {
			continue
		}
		group.Go(func() error {
			r, err := g.base.builder.Build(ctx, rest[path])
			switch {
			case err != nil:
				return fmt.Errorf("render %s at the base: %w", path, err)
			case r.Reason != "":
				g.readers.Failed(path)
			default:
				g.readers.Before(secrets.AccessOf(r))
			}
			return nil
		})
	}
	return group.Wait()
}

// mentions tells which of the files that targets of the base read are wanted.
func (g *gate) mentions(targets map[string]render.Target, wanted func(data []byte) bool) map[string]bool {
	out := map[string]bool{}
	for _, t := range targets {
		reads, _ := g.base.builder.Reads(t)
		for _, file := range reads.Files {
			if _, known := out[file]; !known {
				data, _ := g.base.sealed.ReadFile(file) // what cannot be read does not render
				out[file] = wanted(data)
			}
		}
	}
	return out
}
