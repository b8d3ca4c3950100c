package secrets

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Findings is the verdict about everything that was collected: one finding for
// each variable that carries a secret out of a Secret and is not allowed to.
func (x *Substitutions) Findings() []finding.Finding {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []finding.Finding
	escapes := x.escapes()
	for _, variable := range slices.Sorted(maps.Keys(escapes)) {
		if !slices.Contains(x.allowed, variable) {
			out = append(out, x.finding(variable, escapes[variable]))
		}
	}
	return finding.Merge(out)
}

// An escape is one variable outside of Secrets.
type escape struct {
	secrets map[storeName]bool // where its value comes from
	uses    map[int]bool       // of Substitutions.uses
}

// escapes finds the variables that some Flux Kustomization takes from a Secret
// and puts into objects.
func (x *Substitutions) escapes() map[string]*escape {
	out := map[string]*escape{}
	for _, p := range x.builds {
		reach := map[string]bool{} // by target
		for i, u := range x.uses {
			covered, known := reach[u.target]
			if !known {
				covered = x.builtBy(p, u)
				reach[u.target] = covered
			}
			if !covered {
				continue
			}
			from, ok := x.secretOf(p, u.variable)
			if !ok {
				continue
			}
			e := out[u.variable]
			if e == nil {
				e = &escape{map[storeName]bool{}, map[int]bool{}}
				out[u.variable] = e
			}
			e.secrets[from], e.uses[i] = true, true
		}
	}
	return out
}

// builtBy reports whether a Flux Kustomization builds the target of a use, or
// what the target is made of. Where its path has no kustomization, Flux makes
// one of all manifests below, down to directories that have their own.
func (x *Substitutions) builtBy(p postBuild, u variableUse) bool {
	if slices.Contains(u.made, p.path) {
		return true
	}
	if p.path != "." && u.target != p.path && !strings.HasPrefix(u.target, p.path+"/") {
		return false
	}
	for dir := u.target; dir != p.path; {
		dir = path.Dir(dir)
		if x.holds(dir) {
			return false
		}
	}
	return true
}

// secretOf names the Secret that a Flux Kustomization takes a variable from; as
// in Flux, substitute wins over substituteFrom, and there the last entry does.
func (x *Substitutions) secretOf(p postBuild, variable string) (storeName, bool) {
	if p.inline[variable] {
		return storeName{}, false
	}
	for _, name := range slices.Backward(p.from) {
		stores := x.find(name)
		has := func(s store) bool { _, ok := s.keys[variable]; return ok }
		lacks := func(s store) bool { return !has(s) }
		switch name.kind {
		case "Secret":
			if slices.ContainsFunc(stores, has) {
				return name, true
			}
		case "ConfigMap": // of several, nobody knows which one a cluster has
			if len(stores) > 0 && !slices.ContainsFunc(stores, lacks) {
				return storeName{}, false
			}
		}
	}
	return storeName{}, false
}

// find returns what a name can mean: what is in the namespace, or else anything
// of that name, since Flux may set the namespace after the render.
func (x *Substitutions) find(name storeName) (found []store) {
	var others []store
	for _, s := range x.stores {
		switch {
		case s.kind != name.kind || s.name != name.name:
		case s.namespace == name.namespace || s.namespace == "" || name.namespace == "":
			found = append(found, s)
		default:
			others = append(others, s)
		}
	}
	if len(found) == 0 {
		return others
	}
	return found
}

// finding says that a variable leaves, at its first use.
func (x *Substitutions) finding(variable string, e *escape) finding.Finding {
	var places []finding.Finding
	var targets []string
	fields := 0
	for i := range e.uses {
		places = append(places, x.uses[i].places...)
		targets = append(targets, x.uses[i].target)
		fields += x.uses[i].fields
	}
	slices.Sort(targets)
	slices.SortFunc(places, finding.Compare)
	secrets := slices.SortedFunc(maps.Keys(e.secrets), func(a, b storeName) int { return cmp.Compare(a.String(), b.String()) })
	names := make([]string, len(secrets))
	for i, name := range secrets {
		names[i] = name.String()
	}
	f := places[0]
	f.Rule, f.Severity, f.Targets = ruleSubstitute, finding.Warning, targets
	f.Message = fmt.Sprintf("variable %s carries a value of %s into %s of %s, outside of Secrets",
		variable, strings.Join(names, " and "), plural(fields, "field"), plural(len(targets), "target"))
	f.Help = fmt.Sprintf("read the Secret where the value is needed, or allow it in .sallyport.yaml, secrets: {substitute: [%s]}; "+
		"what is not allowed is refused when it is applied", variable)
	f.Related = slices.Concat(f.Related, x.keyPlaces(variable, secrets), furtherUses(places))
	return f
}

// furtherUses lists other places of a variable than the first.
func furtherUses(places []finding.Finding) (out []finding.Related) {
	seen := map[finding.Span]bool{places[0].Location: true, {}: true}
	for _, p := range places {
		if len(out) < maxUses && !seen[p.Location] {
			seen[p.Location] = true
			out = append(out, finding.Related{Message: "used here too", Location: p.Location})
		}
	}
	return out
}

// keyPlaces lists where Secrets have the key of a variable.
func (x *Substitutions) keyPlaces(variable string, secrets []storeName) (out []finding.Related) {
	for _, name := range secrets {
		for _, s := range x.find(name) {
			for _, at := range s.places[variable] {
				if !at.IsZero() {
					out = append(out, finding.Related{Message: "the secret value", Location: at})
				}
			}
		}
	}
	return out // Merge sorts
}
