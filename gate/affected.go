package gate

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/validate"
)

// base is the state that a change is compared with.
type base struct {
	snap    *repo.Snapshot
	sealed  *secrets.Sealed
	changed map[string]bool // paths that differ, on either side
	every   string          // why every target is affected; "" where it can be told which are
	skipped []render.Target // discovered, and not affected
	builder *render.Builder
	targets map[string]render.Target // of the base, by path

	evidence  []*validate.Evidence // of the targets that the change removes or affects, before it
	collector *validate.References // takes their references; nil where nobody asks for them
	collected sync.Map             // by path of a target that was rendered: what it took
}

// collect takes the references of a target, as it was before the change.
func (b *base) collect(r *render.Rendered) {
	if b.collector != nil {
		b.collected.Store(r.Target.Path, b.collector.Collect(r))
	}
}

// compare opens the base and leaves only the affected targets, where the run is
// about a change.
func (g *gate) compare(ctx context.Context) error {
	if g.opts.ChangedSince == "" {
		return nil
	}
	if g.snap.Revision() == "" && g.opts.ChangedSince == "HEAD" {
		return nil // before the first commit everything is the change
	}
	start := time.Now()
	snap, err := g.snap.Base(ctx, g.opts.ChangedSince)
	if err != nil {
		return fmt.Errorf("--changed-since: %w", err)
	}
	changes, err := g.snap.Changed(ctx, snap)
	if err != nil {
		return fmt.Errorf("--changed-since: %w", err)
	}
	b := &base{snap: snap, changed: map[string]bool{}}
	for _, c := range changes {
		b.changed[c.Path] = true
	}
	if b.sealed, err = g.sealBase(ctx, snap, b.changed); err != nil {
		return err
	}
	b.builder = render.NewBuilder(b.sealed, render.Options{AllowNetwork: g.opts.AllowNetwork, Library: g.library})
	found, err := render.Discover(ctx, b.sealed, render.DiscoverOptions{Library: g.library, Notes: g.notesBefore(b.sealed, b.changed)})
	if err != nil {
		return fmt.Errorf("discover the base: %w", err)
	}
	b.targets = map[string]render.Target{}
	for _, t := range found.Targets {
		b.targets[t.Path] = t
	}
	affected, every, err := g.affected(ctx, b.changed, b)
	if err != nil {
		return err
	}
	g.base, b.every = b, every
	var kept []render.Target
	for _, t := range g.discovery.Targets {
		if affected[t.Path] {
			kept = append(kept, t)
		} else {
			b.skipped = append(b.skipped, t)
		}
	}
	g.discovery.Targets = kept
	if len(b.skipped) > 0 && g.wants(checkReferences) && !g.narrowed() {
		if b.collector, err = validate.NewReferences(b.sealed, validate.ReferenceOptions{}); err != nil {
			return err
		}
	}
	g.opts.Trace("affected", time.Since(start))
	return nil
}

// affected tells which targets a change of paths can affect: those that ask for
// one of them, or look for it in vain, and those that are new. One side is
// enough to tell: if no answer that the tree gives to a build has changed, the
// build without the change asks the same. before is the state without the
// change; nil leaves that side out. The text says why all are, where that is so.
func (g *gate) affected(ctx context.Context, changed map[string]bool, before *base) (map[string]bool, string, error) {
	targets, out := g.discovery.Targets, map[string]bool{}
	if every := g.globalInput(before, changed); every != "" {
		for _, t := range targets {
			out[t.Path] = true
		}
		return out, every, nil
	}
	touched := make([]bool, len(targets))
	err := g.each(ctx, len(targets), func(i int) error {
		t := targets[i]
		known := true
		if before != nil {
			// What delivers may itself be changed by what it is made of.
			var was render.Target
			was, known = before.targets[t.Path]
			known = known && reflect.DeepEqual(was.Delivery, t.Delivery)
		}
		touched[i] = !known || len(changed) > 0 && touches(t, changed, g.reads)
		return nil
	})
	for i, t := range targets {
		out[t.Path] = touched[i]
	}
	return out, "", err
}

// touches reports whether a target asks for one of the changed paths, or may.
func touches(t render.Target, changed map[string]bool, read func(render.Target) (render.Reads, bool)) bool {
	for p := range changed {
		// The directory that is delivered counts as a whole: a kustomization that
		// is empty now is not read as one that is not.
		if t.Lists(p) || t.Delivery != nil && strings.HasPrefix(p, t.Delivery.Dir+"/") {
			return true
		}
	}
	reads, exact := read(t)
	if !exact {
		return true
	}
	hit := func(p string) bool { return changed[p] }
	if slices.ContainsFunc(reads.Files, hit) || slices.ContainsFunc(reads.Missing, hit) {
		return true
	}
	// What was looked for in vain as a file may since have become a directory,
	// and the other way round.
	for p := range changed {
		below := func(dir string) bool { return strings.HasPrefix(p, dir+"/") }
		if slices.ContainsFunc(reads.Missing, below) {
			return true
		}
	}
	return false
}

// globalInput names the first changed file that every verdict may depend on.
func (g *gate) globalInput(before *base, changed map[string]bool) string {
	for _, p := range slices.Sorted(maps.Keys(changed)) {
		switch {
		case path.Base(p) == ConfigName, p == g.config.file:
			return p + " configures the run"
		case path.Base(p) == secrets.CreationRulesName:
			return p + " says how files are encrypted"
		case path.Ext(p) == ".rego", g.isPolicyInput(p):
			return p + " is a policy, or data of one"
		case holdsCRD(g.sealed, p), before != nil && holdsCRD(before.sealed, p):
			return p + " defines custom resources"
		}
	}
	return ""
}

func (g *gate) isPolicyInput(p string) bool {
	inputs := slices.Concat(g.config.policyDirs(), g.config.dataPaths(), g.config.schemaDirs())
	named := slices.Concat(g.opts.Policies, g.opts.Data)
	for _, at := range g.opts.Schemas {
		named = append(named, fixed(filepath.ToSlash(at)))
	}
	for _, named := range named {
		if at, ok := within(g.snap, named); ok {
			inputs = append(inputs, at)
		}
	}
	return inside(p, inputs)
}

func holdsCRD(tree repo.Tree, p string) bool {
	data, err := tree.ReadFile(p)
	return err == nil && bytes.Contains(data, []byte("CustomResourceDefinition"))
}
