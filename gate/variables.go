package gate

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport/sallyport/render"
)

// variablesElsewhere completes the Flux variables of a run that looks at some
// targets only: the Flux Kustomization that builds a target, and the Secret that
// it takes variables from, are usually in others. Only targets whose files
// mention them are rendered, and none where no object has a variable.
func (g *gate) variablesElsewhere(ctx context.Context) error {
	if !g.partial() || !g.variables.InUse() {
		return nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("variables elsewhere", time.Since(start)) }()
	all, err := render.Discover(ctx, g.sealed, render.DiscoverOptions{Library: g.library, Notes: g.fileNotes})
	if err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	seen := map[string]bool{}
	for _, t := range g.discovery.Targets {
		seen[t.Path] = true
	}
	rest := slices.DeleteFunc(all.Targets, func(t render.Target) bool { return seen[t.Path] })
	if rest, err = g.define(ctx, rest, []string{"substituteFrom"}); err != nil {
		return err
	}
	_, err = g.define(ctx, rest, g.variables.Sources())
	return err
}

// define takes the definitions of variables from the targets that have a file
// with one of the words. It returns the other targets.
func (g *gate) define(ctx context.Context, targets []render.Target, words []string) (rest []render.Target, err error) {
	mentions := map[string]bool{} // by file
	mention := func(file string) bool {
		found, known := mentions[file]
		if !known {
			data, _ := g.sealed.ReadFile(file) // what cannot be read does not render
			found = slices.ContainsFunc(words, func(word string) bool { return bytes.Contains(data, []byte(word)) })
			mentions[file] = found
		}
		return found
	}
	for _, t := range targets {
		if reads, _ := g.builder.Reads(t); !slices.ContainsFunc(reads.Files, mention) {
			rest = append(rest, t)
			continue
		}
		r, err := g.builder.Build(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", t.Path, err)
		}
		g.defined = append(g.defined, g.variables.Define(r))
	}
	return rest, nil
}
