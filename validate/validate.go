// Package validate holds rendered objects against the shapes that the API
// server accepts: the schemas of built-in kinds for several versions of
// Kubernetes, and those of custom kinds, from CustomResourceDefinitions of the
// render, of the repository, from given schema locations, or embedded.
//
// It judges what kubeconform judges, with the same engine and the same verdict,
// and beyond it base64 of binary fields, object names, removed and deprecated
// API versions, and objects that a target holds twice. What has no schema is
// reported as not checked, never passed over. And it follows the names by which
// objects refer to each other, over all targets: see [References].
//
// No message quotes a scalar of an object: any of them may be a secret.
package validate

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// Options of a Validator. The zero value checks against the newest embedded
// version, without the network.
type Options struct {
	// Versions of Kubernetes, such as "1.35". A patch number may follow; it
	// only fills the templates of Locations. Empty means the newest embedded.
	Versions []string
	// Locations of further schemas in kubeconform's syntax: directories or
	// URLs, plain or with its template variables, tried in order. "default" is
	// the embedded definitions; without it they come last. A relative directory
	// is relative to the process's working directory.
	Locations []string
	// Strict makes a missing schema a finding rather than "not checked".
	Strict bool
	// AllowNetwork lets Locations be URLs.
	AllowNetwork bool
	// CacheDir keeps what is downloaded; empty keeps nothing. It is created.
	CacheDir string
	// MayDefine is false for files of the tree that are known not to speak of
	// CustomResourceDefinitions, so that they need not be read. Nil knows of none.
	MayDefine func(file string) bool
	// References say what objects may name that no target defines.
	References ReferenceOptions
}

// Validator checks the rendered targets of one tree. It is safe for concurrent
// use; schemas are compiled when first needed and kept.
type Validator struct {
	strict    bool
	releases  []release
	kinds     availability
	engine    *engine
	before    *locations // tried before the embedded schemas
	after     *locations // tried after them
	files     *crdFiles
	rendered  sync.Map // of *crd, by digest
	metadata  func() (*shape, error)
	multiples bool // several versions: messages name them

	references *References
}

// Result is what a check of one target found. Checked counts the objects that
// were judged; NotChecked names the others with the reason.
type Result struct {
	Findings   []finding.Finding
	NotChecked []finding.NotChecked
	Checked    int
	Evidence   *Evidence // of one target, for [Validator.Admit]; nil in a conclusion
}

// New returns a validator for the targets of tree. An error is about opts: an
// unknown version, a pattern of an external object, a schema location that
// cannot be used, or one that needs the network while that is off (it wraps
// [ErrNetwork]).
func New(tree repo.Tree, opts Options) (*Validator, error) {
	b, err := loadBundle()
	if err != nil {
		return nil, err
	}
	v := &Validator{strict: opts.Strict, engine: newEngine(b), kinds: newAvailability(b), files: newCRDFiles(tree, opts.MayDefine)}
	if v.releases, err = parseReleases(opts.Versions, b.versions()); err != nil {
		return nil, err
	}
	v.multiples = len(v.releases) > 1
	if opts.CacheDir != "" {
		if err := os.MkdirAll(opts.CacheDir, 0o700); err != nil {
			return nil, fmt.Errorf("schema cache: %w", err)
		}
	}
	first, last := opts.Locations, []string(nil)
	if i := slices.Index(opts.Locations, defaultLocation); i >= 0 {
		first, last = opts.Locations[:i], opts.Locations[i+1:]
	}
	if v.before, err = newLocations(first, opts.AllowNetwork, opts.CacheDir); err != nil {
		return nil, err
	}
	last = slices.DeleteFunc(slices.Clone(last), func(l string) bool { return l == defaultLocation })
	if v.after, err = newLocations(last, opts.AllowNetwork, opts.CacheDir); err != nil {
		return nil, err
	}
	if v.references, err = NewReferences(tree, opts.References); err != nil {
		return nil, err
	}
	v.metadata = sync.OnceValues(compileMetadata)
	return v, nil
}

// compileMetadata is a schema that looks at an object's metadata alone.
func compileMetadata() (*shape, error) {
	doc := map[string]any{"properties": map[string]any{"metadata": objectMeta()}}
	return compile(embeddedBase+"metadata", doc, refuse)
}

// Check judges every object of a rendered target, and remembers what they name
// for [Validator.Conclude]. Findings are sorted. An error
// is a cancelled context or a schema location that cannot be used or reached;
// it names the file or URL.
func (v *Validator) Check(ctx context.Context, r *render.Rendered) (Result, error) {
	p := &pass{v: v, r: r}
	for _, o := range r.Objects {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if err := p.object(o); err != nil {
			return Result{}, fmt.Errorf("check %s in %s: %w", o, r.Target.Path, err)
		}
	}
	p.duplicates()
	p.result.Evidence = v.references.Collect(r)
	slices.SortStableFunc(p.result.Findings, finding.Compare)
	return p.result, nil
}

// Collect remembers what the objects of a target name, without judging them.
func (v *Validator) Collect(r *render.Rendered) *Evidence { return v.references.Collect(r) }

// Admit takes in what an earlier Check left of a target that is the same now, in
// place of checking it again.
func (v *Validator) Admit(e *Evidence) { v.references.Admit(e) }

// Conclude says what is known only when every target is checked: names that lead
// nowhere, and encrypted Secrets that nothing names. Call it once, at the end.
func (v *Validator) Conclude() Result {
	return Result{Findings: v.references.Findings(), NotChecked: v.references.NotChecked()}
}
