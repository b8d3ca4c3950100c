package render

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/sallyport/sallyport/finding"
)

// maxLayers bounds the kustomizations of one target, counted once for each use.
// The largest real target known has about 200; a chain in which each layer
// takes in the next one twice doubles at every step.
const maxLayers = 10_000

// plan is what a target takes in, found without kustomize: the tree of its
// kustomizations, its files, and what is wrong with either. kustomize runs only
// when there are no faults.
type plan struct {
	root      *layer
	added     *delivered // in place of the kustomization of its directory; nil for none
	layers    int
	manifests map[string]bool // files that kustomize parses
	data      map[string]bool // files that it only copies
	faults    []*fault
	warnings  []*fault

	resources []string       // manifests that become objects, once for each use
	sizes     map[string]int // of what is parsed, in bytes
	generated int            // objects that generators make

	unrestricted bool // a file lies outside its kustomization's directory
	openAPI      bool // changes the schema of the process
	plugins      bool // has configured generators, transformers or validators
	network      bool // has remote references, and they are allowed
}

// knows reports whether the plan foresees that kustomize reads a file.
func (p *plan) knows(file string) bool { return p.manifests[file] || p.data[file] }

// planner walks the kustomizations of one target.
type planner struct {
	*plan
	builder *Builder
	tree    *recorder
	making  *kustomization // whose generators or transformers the walk is in; nil elsewhere
}

// planOf is the plan of a target.
func (b *Builder) planOf(tree *recorder, t Target) *plan {
	var p *plan
	if t.Delivery != nil {
		p = b.planDelivery(tree, t)
	} else {
		p = b.plan(tree, t.Path)
	}
	b.weigh(p)
	return p
}

// planner begins a plan.
func (b *Builder) planner(tree *recorder) *planner {
	return &planner{plan: &plan{manifests: map[string]bool{}, data: map[string]bool{}, sizes: map[string]int{}}, builder: b, tree: tree}
}

// plan walks a target from its leaf.
func (b *Builder) plan(tree *recorder, dir string) *plan {
	w := b.planner(tree)
	k, err := w.load(dir)
	if err != nil {
		w.fail(startFault(dir, err))
		return w.plan
	}
	w.root = w.walk(k, nil, nil)
	return w.plan
}

func startFault(dir string, err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return &fault{Rule: ruleRenderError, Message: "the directory holds no kustomization file", Span: finding.Span{File: dir}}
}

func (w *planner) fail(f *fault) { w.faults = append(w.faults, f) }

// load is Builder.load, with the probes that kustomize makes on the record.
func (w *planner) load(dir string) (*kustomization, error) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file := path.Join(dir, name); w.tree.at(file) == aFile {
			w.manifests[file] = true
		}
	}
	if w.added != nil && dir == w.added.delivery.Dir {
		return w.added.kustomization, nil
	}
	return w.builder.load(dir)
}

// walk visits a kustomization and everything below it. above holds the
// directories on the way from the leaf.
func (w *planner) walk(k *kustomization, via *reference, above []string) *layer {
	l := &layer{kustomization: k, Via: via}
	if w.layers++; w.layers > maxLayers {
		if w.layers == maxLayers+1 {
			w.fail(&fault{Rule: ruleRenderError, Message: fmt.Sprintf("the target takes in more than %d kustomizations", maxLayers), Span: finding.Span{File: k.Path}})
		}
		return l
	}
	w.openAPI = w.openAPI || k.OpenAPI
	w.generated += k.generators()
	w.warnings = append(w.warnings, k.deprecated()...)
	w.warnings = append(w.warnings, k.ignored()...)
	if w.added == nil || !w.added.made || k.Path != w.added.Path {
		w.inspect(k.Path)
	}
	if key, _ := k.fieldPair("replacements"); key != nil && w.making != nil {
		w.fail(madeFault(k.File.Span(key)))
	}
	above = append(slices.Clip(above), k.Dir)
	for i := range k.Refs {
		if below := w.follow(k, &k.Refs[i], above); below != nil {
			l.Below = append(l.Below, below)
		}
	}
	return l
}
