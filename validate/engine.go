package validate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// engine compiles embedded schemas when they are first needed and keeps them.
//
// One compiler serves all Kubernetes versions: definitions that are the same
// in several versions have one name, so they are compiled once, and a verdict
// about one holds for the others. A compiled shape is read without the lock.
type engine struct {
	bundle *bundle

	mu       sync.Mutex // guards compiler, which is not safe for concurrent use
	compiler *jsonschema.Compiler
	shapes   sync.Map // of *shape, by definition name or by custom gvk
}

// embeddedBase is the address below which definitions refer to each other.
const embeddedBase = "embedded:///"

func newEngine(b *bundle) *engine {
	e := &engine{bundle: b}
	e.compiler = newCompiler(func(url string) (any, error) {
		name, ok := strings.CutPrefix(url, embeddedBase)
		if !ok {
			return nil, errors.New("a $ref leads out of the embedded schemas")
		}
		schema, ok, err := b.definition(name)
		if err == nil && !ok {
			err = fmt.Errorf("no embedded schema %s", name)
		}
		return schema, err
	})
	return e
}

// builtin returns the shape of a kind as one Kubernetes version knows it, nil
// if it does not. Equal shapes of several versions are one value.
func (e *engine) builtin(minor, gvk string) (*shape, error) {
	name, ok := e.bundle.kind(minor, gvk)
	if !ok {
		return nil, nil
	}
	if s, ok := e.shapes.Load(name); ok {
		return s.(*shape), nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.shapes.Load(name); ok {
		return s.(*shape), nil
	}
	schema, err := e.compiler.Compile(embeddedBase + name)
	if err != nil {
		return nil, fmt.Errorf("embedded schema of %s: %w", gvk, err)
	}
	s := newShape(schema)
	e.shapes.Store(name, s)
	return s, nil
}

// custom is the embedded schema of a custom resource. Deprecated is whether its
// project says so of this version.
type custom struct {
	shape      *shape
	source     string // "cert-manager v1.21.2"
	deprecated bool
}

// custom returns the embedded schema of a custom resource, nil if there is none.
func (e *engine) custom(gvk string) (*custom, error) {
	if c, ok := e.shapes.Load(gvk); ok {
		return c.(*custom), nil
	}
	version, source, ok, err := e.bundle.crd(gvk)
	if err != nil || !ok {
		return nil, err
	}
	s, err := compile(embeddedBase+gvk, version.Schema, refuse)
	if err != nil {
		return nil, fmt.Errorf("embedded schema of %s: %w", gvk, err)
	}
	s.defaults = version.Structural
	c, _ := e.shapes.LoadOrStore(gvk, &custom{s, source, version.Deprecated})
	return c.(*custom), nil
}

// successors lists the embedded versions of a deprecated custom resource that
// are not deprecated, as "group/version/Kind", in order.
func (e *engine) successors(gvk string) []string {
	group, kind := groupOf(gvk), gvk[strings.LastIndexByte(gvk, '/'):]
	var out []string
	for other, entry := range e.bundle.crds {
		if !entry.deprecated && groupOf(other) == group && strings.HasSuffix(other, kind) {
			out = append(out, other)
		}
	}
	slices.Sort(out)
	return out
}
