package render

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// Options of a Builder. The zero value is right for a gate: no network.
type Options struct {
	AllowNetwork bool
	Library      *Library // shared with others; nil takes one of its own
}

// Builder builds targets of one tree. It is safe for concurrent use: targets
// build side by side, those with an openapi field alone. Each kustomization is
// parsed once, each file checked once, however many targets share it.
type Builder struct {
	tree     repo.Tree
	opts     Options
	parsed   sync.Map // directory -> *parsed
	verdicts sync.Map // file -> *verdict
	sources  *sources
}

// NewBuilder returns a builder of the targets of one tree, which must not
// change while the builder is in use.
func NewBuilder(tree repo.Tree, opts Options) *Builder {
	if opts.Library == nil {
		opts.Library = &Library{}
	}
	return &Builder{tree: tree, opts: opts, sources: &sources{tree: tree}}
}

// load returns the kustomization of a directory, as [Library.load] does.
func (b *Builder) load(dir string) (*kustomization, error) {
	entry, _ := b.parsed.LoadOrStore(dir, &parsed{})
	p := entry.(*parsed)
	p.once.Do(func() { p.k, p.err = b.opts.Library.load(b.tree, dir) })
	return p.k, p.err
}

// Build renders one target. What is wrong in the repository is in the Findings
// and the Reason of the result; the error is that of the context.
func (b *Builder) Build(ctx context.Context, t Target) (*Rendered, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("render %s: %w", t.Path, err)
	}
	tree := record(b.tree)
	r := &Rendered{Target: t, original: originals(b.tree)}
	switch {
	case t.Kind == Directory:
		b.buildDirectory(tree, r, filesIn(b.tree, t.Path))
	case t.Delivery != nil && t.Delivery.Plain != nil:
		b.buildPlain(tree, r)
	default:
		b.buildKustomization(tree, r)
	}
	r.Reads = tree.reads()
	if r.Reason == "" {
		r.trace = sync.OnceValue(func() *trace { return b.sources.follow(r) })
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("render %s: %w", t.Path, err)
	}
	return r, nil
}

func (b *Builder) buildKustomization(tree *recorder, r *Rendered) {
	p := b.planOf(tree, r.Target)
	if r.root, r.added = p.root, p.added; r.added != nil {
		r.original = r.added.original(r.original, b.tree)
	}
	if len(p.faults) == 0 {
		b.run(tree, p, r)
	}
	for _, f := range p.warnings {
		r.Findings = append(r.Findings, f.placed(r.original).finding(r.Target.Path))
	}
	r.fail(p.faults...)
	r.Findings = finding.Merge(r.Findings)
}

// fail records why the target has no objects.
func (r *Rendered) fail(faults ...*fault) {
	for _, f := range faults {
		f = f.placed(r.original)
		if r.Reason == "" {
			r.Reason = f.Error()
		}
		r.Findings = append(r.Findings, f.finding(r.Target.Path))
	}
	if len(faults) > 0 {
		r.Objects = nil
	}
}

// run lets kustomize build a target whose plan has no faults, and adds to the
// plan what kustomize finds wrong.
func (b *Builder) run(tree *recorder, p *plan, r *Rendered) {
	objects, err := b.attempt(tree, p, r.Target.dir())
	if err != nil && !p.unrestricted && strings.Contains(err.Error(), "security; file '") {
		// A plugin names a file that no plan foresees.
		p.unrestricted = true
		p.warnings = append(p.warnings, &fault{
			Rule: ruleLoadRestriction, Message: "a generator or transformer reads a file outside the directory of its kustomization",
			Help: "Flux builds this; kustomize and Argo CD refuse it", Span: finding.Span{File: p.root.Path},
		})
		objects, err = b.attempt(tree, p, r.Target.dir())
	}
	if err != nil {
		p.faults = append(p.faults, explain(err, tree, p))
		return
	}
	r.Objects = objects
}

// attempt runs kustomize once.
func (b *Builder) attempt(tree *recorder, p *plan, dir string) (objects []*Object, err error) {
	fsys := &treeFS{tree: tree, plan: p, check: func(file string, data []byte) *fault {
		fatal, _ := b.check(file, data)
		return fatal
	}}
	if p.network {
		if fsys.clone, err = newCloneFS(); err != nil {
			return nil, fmt.Errorf("temporary directory: %w", err)
		}
	}
	opts := krusty.MakeDefaultOptions()
	opts.Reorder = krusty.ReorderOptionUnspecified // what the binary does, and not the default of the API
	if p.unrestricted {
		opts.LoadRestrictions = types.LoadRestrictionsNone
	}
	build := func() {
		defer func() {
			if v := recover(); v != nil {
				err = errPanicked
			}
		}()
		var resources resmap.ResMap
		if resources, err = krusty.MakeKustomizer(opts).Run(fsys, path.Join(mount, dir)); err == nil {
			err = p.root.sign(resources)
		}
		if err == nil && p.added != nil {
			err = p.added.finish(resources)
		}
		if err == nil {
			objects, err = objectsOf(resources)
		}
	}
	if p.openAPI || p.plugins || p.network {
		process.alone(p.network, build)
	} else {
		process.share(build)
	}
	if fsys.fault != nil && err != nil {
		return nil, fsys.fault
	}
	return objects, err
}

// errPanicked stands for a panic of kustomize's, whose text may hold anything.
var errPanicked = errors.New("kustomize panicked")
