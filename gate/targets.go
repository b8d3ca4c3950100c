package gate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Listing is what a repository offers to check. Edges says for each target, in
// the same order, which kustomizations it is made of. Every says why all targets
// are listed although a change was asked about, where that is so.
type Listing struct {
	Targets  []render.Target
	Edges    [][]render.Edge
	Skipped  []render.Skipped
	Findings []finding.Finding
	Every    string
}

// Targets lists the targets that Check would check: all, those that the change
// since opts.ChangedSince can affect, or those that opts.Files can.
func Targets(ctx context.Context, opts Options) (*Listing, error) {
	g, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := g.discover(ctx); err != nil {
		return nil, err
	}
	if err := g.compare(ctx); err != nil {
		return nil, err
	}
	out := &Listing{Skipped: g.discovery.Skipped, Findings: finding.Merge(g.discovery.Findings)}
	if g.base != nil {
		out.Every = g.base.every
	}
	if len(opts.Files) > 0 {
		if out.Every, err = g.keepAffected(ctx); err != nil {
			return nil, err
		}
	}
	out.Targets = g.discovery.Targets
	for _, t := range out.Targets {
		out.Edges = append(out.Edges, g.builder.Edges(t))
	}
	return out, nil
}

// keepAffected leaves the targets that the named files can affect. A file that
// does not exist any more counts as one that was looked for.
func (g *gate) keepAffected(ctx context.Context) (string, error) {
	changed := map[string]bool{}
	for _, file := range g.opts.Files {
		if inside, ok := within(g.snap, file); ok {
			changed[inside] = true
		}
		changed[path.Clean(file)] = true
	}
	affected, every, err := g.affected(ctx, changed, nil)
	g.discovery.Targets = slices.DeleteFunc(g.discovery.Targets, func(t render.Target) bool { return !affected[t.Path] })
	return every, err
}

// discover finds the targets and applies the patterns of configuration and
// command line.
func (g *gate) discover(ctx context.Context) error {
	start := time.Now()
	found, err := render.Discover(ctx, g.sealed, render.DiscoverOptions{
		Scope:   g.snap.Scope(),
		Include: g.config.abs(g.config.Targets.Include),
		Exclude: g.config.abs(g.config.Targets.Exclude),
		Library: g.library,
		Notes:   g.fileNotes,
	})
	if err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	if g.memory != nil {
		g.memory.match(found.Targets)
	}
	g.opts.Trace("discover", time.Since(start))
	total := len(found.Targets)
	if err := g.narrow(found); err != nil {
		return err
	}
	g.discovery = found
	if len(found.Targets) > 0 || g.opts.AllowEmpty || total == 0 && g.targetless() {
		return nil
	}
	if total > 0 {
		return &UsageError{fmt.Errorf("%w: none of the %d targets matches %s", ErrNoTargets, total, strings.Join(g.opts.Targets, ", "))}
	}
	if t, ok := render.Named(g.sealed, g.snap.Scope()); ok && g.snap.Scope() != "" {
		return &UsageError{fmt.Errorf("%w: %s is no target by itself, other kustomizations take it in: check those, or print it with sallyport render %s",
			ErrNoTargets, t.Path, t.Path)}
	}
	if len(g.snap.Files()) == 0 {
		return &UsageError{fmt.Errorf("%w: %s has no file", ErrNoTargets, g.place())}
	}
	if len(found.Skipped) > 0 {
		return &UsageError{fmt.Errorf("%w: nothing in %s is a target: %s", ErrNoTargets, g.place(), skippedNames(found.Skipped))}
	}
	return &UsageError{fmt.Errorf("%w: %s has no kustomization and no Kubernetes manifest that the configuration includes", ErrNoTargets, g.place())}
}

// maxSkippedNames is how many of those that are no target an error names.
const maxSkippedNames = 3

// skippedNames names what looks deployable and is no target, with the reason.
func skippedNames(skipped []render.Skipped) string {
	var names []string
	for _, s := range skipped[:min(len(skipped), maxSkippedNames)] {
		names = append(names, s.Path+" ("+s.Reason+")")
	}
	if more := len(skipped) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// narrow keeps the targets that match --target. A pattern matches the whole
// path, relative to the repository root or to the checked directory.
func (g *gate) narrow(found *render.Discovery) error {
	if len(g.opts.Targets) == 0 {
		return nil
	}
	for _, pattern := range g.opts.Targets {
		if !doublestar.ValidatePattern(pattern) {
			return &UsageError{fmt.Errorf("--target %q is not a valid pattern", pattern)}
		}
	}
	found.Targets = slices.DeleteFunc(found.Targets, func(t render.Target) bool { return !g.wanted(t.Path) })
	return nil
}

func (g *gate) wanted(target string) bool {
	for _, pattern := range g.opts.Targets {
		pattern = path.Clean(pattern)
		for _, p := range []string{pattern, path.Join(g.snap.Scope(), pattern)} {
			if ok, _ := doublestar.Match(p, target); ok {
				return true
			}
		}
	}
	return false
}

// place names what is checked in messages.
func (g *gate) place() string {
	if g.opts.Snapshot != nil { // a commit that was fetched lies in no directory
		return "the repository"
	}
	return place(g.opts.Path)
}

// place names the checked directory in messages.
func place(dir string) string {
	if dir == "" || dir == "." {
		return "the current directory"
	}
	return dir
}
