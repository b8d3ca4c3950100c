package secrets

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// Substitutions follows the variables of Flux. A Flux Kustomization whose
// postBuild.substituteFrom names a Secret puts the values of that Secret into
// every object that it builds, behind kustomize and behind the seal. That is a
// wanted way out of a Secret, but it has to be allowed, variable by variable.
//
// The Kustomization, the Secret and the objects are in different targets as a
// rule, so the verdict comes when all are collected. Of a target only names and
// a few places remain. Substitutions is safe for concurrent use, and its verdict
// does not depend on the order of targets.
//
// It knows what the render shows. A path or a name that itself holds a variable,
// and a postBuild that a parent's spec.patches adds, are only known in the
// cluster.
type Substitutions struct {
	sealed  *Sealed               // nil for variables that were collected elsewhere
	holds   func(dir string) bool // whether a directory has a kustomization
	allowed []string

	mu     sync.Mutex
	builds []postBuild
	stores []store
	uses   []variableUse
}

// A variableUse is what one target has of one variable outside of data and stringData
// of Secrets.
type variableUse struct {
	variable string
	target   string
	made     []string // directories of the kustomizations that the target is made of
	fields   int
	places   []finding.Finding // of the first few of the fields
}

// maxUses is how many uses a finding shows beside the first: enough to see what
// a variable is for.
const maxUses = 3

// NewSubstitutions returns an empty collection for the targets of the tree.
func (s *Sealed) NewSubstitutions(e Expectations) *Substitutions {
	return &Substitutions{sealed: s, holds: func(dir string) bool { return hasKustomization(s.tree, dir) }, allowed: e.Substitute}
}

// Collect takes in one rendered target, and returns what it took. One that could
// not be built says nothing.
func (x *Substitutions) Collect(r *render.Rendered) *Variables {
	s := substitution{sealed: x.sealed, rendered: r, uses: map[string]*variableUse{}}
	for _, o := range r.Objects {
		if substitutes(o) {
			s.object, s.path = o, s.path[:0]
			s.walk(o.Value)
		}
	}
	v := x.defined(r)
	v.uses(s.collected())
	x.Admit(v)
	return v
}

// Define takes in what a target that is not judged says about the variables of
// others: its Flux Kustomizations, Secrets and ConfigMaps. It returns what it took.
func (x *Substitutions) Define(r *render.Rendered) *Variables {
	v := x.defined(r)
	x.Admit(v)
	return v
}

// InUse reports whether an object that was collected has a variable.
func (x *Substitutions) InUse() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.uses) > 0
}

// Sources lists the names of the Secrets and ConfigMaps from which the collected
// Flux Kustomizations take variables, sorted.
func (x *Substitutions) Sources() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []string
	for _, p := range x.builds {
		for _, name := range p.from {
			out = append(out, name.name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// substitution is the state of looking for variables in one target.
type substitution struct {
	sealed   *Sealed
	rendered *render.Rendered
	object   *render.Object
	path     []string
	uses     map[string]*variableUse
}

func (s *substitution) walk(node any) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range sortedKeys(node) {
			s.path = append(s.path, key)
			s.text(key)
			if !s.inSecret() {
				s.walk(node[key])
			}
			s.path = s.path[:len(s.path)-1]
		}
	case []any:
		for i, item := range node {
			s.path = append(s.path, strconv.Itoa(i))
			s.walk(item)
			s.path = s.path[:len(s.path)-1]
		}
	case string:
		s.text(node)
	}
}

// inSecret reports whether the path is a value of a v1 Secret, where a secret
// may be.
func (s *substitution) inSecret() bool {
	return s.object.Kind == "Secret" && s.object.APIVersion == "v1" && len(s.path) == 2 &&
		(s.path[0] == "data" || s.path[0] == "stringData")
}

// text records the variables of one key or string. Only the first few of a
// variable are placed.
func (s *substitution) text(text string) {
	if !strings.Contains(text, "${") {
		return
	}
	for _, name := range variablesIn(text) {
		u := s.uses[name]
		if u == nil {
			u = &variableUse{variable: name, target: s.rendered.Target.Path}
			s.uses[name] = u
		}
		if u.fields++; u.fields <= 1+maxUses {
			f := s.rendered.At(s.object, source.Pointer(s.path...), finding.Finding{Rule: ruleSubstitute, Severity: finding.Warning})
			f.Location = s.sealed.variableAt(f.Location, name, strings.Count(text, "\n"))
			u.places = append(u.places, f)
		}
	}
}

// collected returns the uses, with what tells which Flux Kustomizations build
// the target.
func (s *substitution) collected() []variableUse {
	if len(s.uses) == 0 {
		return nil
	}
	var made []string
	for _, file := range s.rendered.Reads.Files {
		if isKustomization(file) {
			made = append(made, path.Dir(file))
		}
	}
	out := make([]variableUse, 0, len(s.uses))
	for _, u := range s.uses {
		u.made = made
		slices.SortFunc(u.places, finding.Compare)
		out = append(out, *u)
	}
	return out
}
