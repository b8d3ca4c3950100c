package validate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// pending is a reference that its own target does not resolve.
type pending struct {
	kind, namespace, name, key string

	manner manner
	way    string
	near   *near           // what was probably meant; nil where nothing is near
	placed finding.Finding // object and place
}

// verdict is what all targets together say about the references that are open.
type verdict struct {
	findings []finding.Finding
	missing  []pending       // what nobody defines
	trodden  map[string]bool // ways on which some reference leads to something
}

func (x *References) verdict() verdict {
	v := verdict{trodden: maps.Clone(x.trodden)}
	for _, p := range x.pending {
		found := x.known.find(p.kind, p.name, p.namespace)
		if len(found) > 0 {
			v.trodden[p.way] = true
		}
		switch {
		case answered(found, p.key):
		case len(found) > 0:
			v.findings = append(v.findings, p.keyMissing(found))
		case p.near != nil && p.near.alone && !x.partial:
			v.findings = append(v.findings, p.nearMiss())
		case x.known.mayBeMade(p.kind, p.name, p.namespace):
		case p.near != nil && p.near.message != "" && !x.partial:
			v.findings = append(v.findings, p.nearMiss())
		case p.manner == expected:
			v.missing = append(v.missing, p)
		}
	}
	slices.SortFunc(v.missing, func(a, b pending) int {
		return cmp.Or(finding.Compare(a.placed, b.placed), cmp.Compare(a.key, b.key))
	})
	return v
}

// untroddenNames is the number of names from which a way that never leads to
// anything is a practice: all its names are then one finding.
const untroddenNames = 10

// groups puts together what one decision settles: the references to one name, in
// whatever namespace, and all of a way that leads nowhere in the repository.
func (v verdict) groups() [][]pending {
	names := map[string]map[kindName]bool{} // by way
	for _, p := range v.missing {
		if names[p.way] == nil {
			names[p.way] = map[kindName]bool{}
		}
		names[p.way][kindName{p.kind, p.namespace + "/" + p.name}] = true
	}
	groups := map[[2]string][]pending{}
	for _, p := range v.missing {
		at := [2]string{p.kind, p.name}
		if !v.trodden[p.way] && len(names[p.way]) >= untroddenNames {
			at = [2]string{p.kind, " " + p.way}
		}
		groups[at] = append(groups[at], p)
	}
	return slices.Collect(maps.Values(groups))
}

// answered reports whether one of the objects that are meant has the key.
func answered(found []*known, key string) bool {
	return slices.ContainsFunc(found, func(k *known) bool { return key == "" || k.has(key) })
}

func (p pending) nearMiss() finding.Finding {
	f := p.placed
	f.Severity, f.Message, f.Help = finding.Error, p.near.message, p.near.help
	return f
}

// keyMissing is about a key that the objects of other targets lack. It is a
// warning: which of the targets are deployed together is not known.
func (p pending) keyMissing(found []*known) finding.Finding {
	f := p.placed
	f.Severity = finding.Warning
	f.Message, f.Help = keyText(p.kind, p.name, p.key, found)
	f.Help += "; it is defined by " + found[0].target
	return f
}

// maxRelated bounds how many further places one finding lists: they are there
// to recognise what is missing, not to be visited one by one.
const maxRelated = 5

// undefined is the finding about what nobody defines, at the first place of its
// group. Elsewhere are the files that no target is made of, by the names in them.
func (x *References) undefined(group []pending, elsewhere map[uint64]string) finding.Finding {
	p := group[0]
	f := p.placed
	f.Severity = finding.Warning
	f.Message = fmt.Sprintf("no target of the repository defines %s %q", p.kind, p.name)
	f.Help = x.hint(p, elsewhere) + fmt.Sprintf("define it, or declare %s external in the configuration", pattern(group))
	if slices.ContainsFunc(group, func(other pending) bool { return other.name != p.name }) {
		f.Message = fmt.Sprintf("no target of the repository defines any %s that is named at %s", p.kind, p.way)
		f.Help = fmt.Sprintf("declare them external in the configuration, by patterns or as %s", pattern(group[:1]))
	}
	f.Targets, f.Related = nil, nil
	for i, other := range group {
		f.Targets = append(f.Targets, other.placed.Targets...)
		at := other.placed.Location
		if i > 0 && len(f.Related) < maxRelated && !at.IsZero() && at != f.Location {
			f.Related = append(f.Related, finding.Related{Message: "named here too", Location: at})
		}
	}
	return f
}

// pattern is how the configuration names what a group lacks.
func pattern(group []pending) string {
	p := group[0]
	namespace := p.namespace
	for _, other := range group {
		if other.namespace != namespace || namespace == "" {
			namespace = "*"
		}
	}
	return p.kind + "/" + namespace + "/" + p.name
}

// hint says what there is instead of the object.
func (x *References) hint(p pending, elsewhere map[uint64]string) string {
	if others := x.known.others(p.kind, p.name); len(others) > 0 {
		return fmt.Sprintf("%s defines one in namespace %s; ", others[0].target, others[0].namespace)
	}
	if p.near != nil {
		return p.near.help + "; "
	}
	if file := elsewhere[x.hash(p.name)]; file != "" {
		return file + ", of which no rendered target is made, names it; "
	}
	return ""
}

// maxKeys bounds how many keys a help text lists.
const maxKeys = 8

// keyText says that a key is missing, and what could have been meant.
func keyText(kind, name, key string, found []*known) (message, help string) {
	var keys []string
	for _, k := range found {
		keys = append(keys, k.keys...)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	message = fmt.Sprintf("%s %q has no key %q", kind, name, key)
	if meant := nearest(key, keys); meant != "" {
		return message, fmt.Sprintf("did you mean %q?", meant)
	}
	if len(keys) > maxKeys {
		return message, fmt.Sprintf("it has %d other keys", len(keys))
	}
	return message, fmt.Sprintf("its keys are %q", keys)
}
