package secrets

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// Variables is what remains of one target for the verdict of [Substitutions]:
// names and places, no value of anything. It can be kept and taken in again, with
// encoding/gob for example, as long as the target is the same.
type Variables struct {
	Builds []VariableBuild
	Stores []VariableStore
	Uses   []VariableUse
}

// VariableBuild is a Flux Kustomization that substitutes variables. Path is of
// what it builds, Inline are the variables that it sets itself, sorted.
type VariableBuild struct {
	Object finding.Object
	Path   string
	Inline []string
	From   []finding.Object // Secrets and ConfigMaps, in order
}

// VariableStore is a Secret or a ConfigMap, with the places of its values by key.
type VariableStore struct {
	Object finding.Object
	Keys   map[string][]finding.Span
}

// VariableUse is what the target has of one variable outside of Secrets.
type VariableUse struct {
	Variable, Target string
	Made             []string // directories of the kustomizations that the target is made of
	Fields           int
	Places           []finding.Finding // of the first few of the fields
}

// defined reads what a target says about variables.
func (x *Substitutions) defined(r *render.Rendered) *Variables {
	v := &Variables{}
	var tokens map[string][]finding.Span
	for _, o := range r.Objects {
		if p, ok := readPostBuild(o); ok {
			v.Builds = append(v.Builds, p.evidence())
		}
		if st, ok := readStore(o); ok {
			if tokens == nil && st.kind == "Secret" {
				tokens = x.sealed.tokenPlaces(r.Reads.Files)
			}
			st.place(r, o, tokens)
			v.Stores = append(v.Stores, st.evidence())
		}
	}
	return v
}

// tokenPlaces tells where files have the values that their tokens stand for.
func (s *Sealed) tokenPlaces(files []string) map[string][]finding.Span {
	out := map[string][]finding.Span{}
	for _, file := range files {
		_, sh, err := s.read(file)
		if err != nil || sh == nil {
			continue
		}
		for _, v := range sh.values {
			if v.token != "" {
				out[v.token] = append(out[v.token], v.span)
			}
		}
	}
	return out
}

func (p postBuild) evidence() VariableBuild {
	b := VariableBuild{Object: p.object, Path: p.path, Inline: slices.Sorted(maps.Keys(p.inline))}
	for _, n := range p.from {
		b.From = append(b.From, finding.Object{Kind: n.kind, Namespace: n.namespace, Name: n.name})
	}
	return b
}

func (s store) evidence() VariableStore {
	out := VariableStore{finding.Object{Kind: s.kind, Namespace: s.namespace, Name: s.name}, map[string][]finding.Span{}}
	for key := range s.keys {
		out.Keys[key] = s.places[key]
	}
	return out
}

func (v *Variables) uses(uses []variableUse) {
	for _, u := range uses {
		v.Uses = append(v.Uses, VariableUse{u.variable, u.target, u.made, u.fields, u.places})
	}
	slices.SortFunc(v.Uses, func(a, b VariableUse) int { return strings.Compare(a.Variable, b.Variable) })
}

// Admit takes in what remains of one target.
func (x *Substitutions) Admit(v *Variables) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, b := range v.Builds {
		p := postBuild{object: b.Object, path: b.Path, inline: map[string]bool{}}
		for _, name := range b.Inline {
			p.inline[name] = true
		}
		for _, o := range b.From {
			p.from = append(p.from, storeName{o.Kind, o.Namespace, o.Name})
		}
		x.builds = append(x.builds, p)
	}
	for _, s := range v.Stores {
		st := store{storeName: storeName{s.Object.Kind, s.Object.Namespace, s.Object.Name}, keys: map[string]string{}, places: s.Keys}
		for key := range s.Keys {
			st.keys[key] = ""
		}
		x.stores = append(x.stores, st)
	}
	for _, u := range v.Uses {
		x.uses = append(x.uses, variableUse{u.Variable, u.Target, u.Made, u.Fields, u.Places})
	}
}

// ConcludeVariables is the verdict of [Substitutions] over what several processes
// collected. Holds reports whether a directory of the repository has a
// kustomization.
func ConcludeVariables(allowed []string, collected []*Variables, holds func(dir string) bool) []finding.Finding {
	x := &Substitutions{holds: holds, allowed: allowed}
	for _, v := range collected {
		x.Admit(v)
	}
	return x.Findings()
}

func hasKustomization(tree repo.Tree, dir string) bool {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if _, ok := tree.Lookup(path.Join(dir, name)); ok {
			return true
		}
	}
	return false
}
