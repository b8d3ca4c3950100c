package validate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// Evidence is what remains of one target for the verdict over all of them: names,
// hashes of words, and the places of references that the target leaves open. It
// can be kept and taken in again, with encoding/gob for example, as long as the
// target and the options are the same. It holds no object and no value of one.
type Evidence struct {
	Known    []KnownName
	Patterns []NamePattern
	Trodden  []string // ways on which some reference leads to something; sorted
	Words    []uint64 // hashes of what could be names; sorted
	Open     []OpenReference
	Findings []finding.Finding // what the target shows by itself
	Sealed   []UnnamedSecret
	Files    []string // that the target is made of; sorted
}

// KnownName is an object that references can lead to.
type KnownName struct {
	Kind, Name, Namespace string
	Keys                  []string // sorted
	Open                  bool     // further keys are possible
	Target                string
}

// NamePattern is names that a controller may give, in the syntax of path.Match.
type NamePattern struct{ Kind, Namespace, Name string }

// OpenReference is a reference that its own target does not resolve. Near is what
// was probably meant; nil where nothing is near.
type OpenReference struct {
	Kind, Namespace, Name, Key string
	Manner                     uint8
	Way                        string
	Near                       *NearName
	Placed                     finding.Finding
}

// NearName is the text about a name that was probably meant.
type NearName struct {
	Message, Help string
	Alone         bool
}

// UnnamedSecret is an encrypted Secret that nothing in its own target names.
type UnnamedSecret struct {
	Name   uint64 // hash
	Placed finding.Finding
}

// evidence takes what outlives a target from its survey.
func (s *survey) evidence(words wordSet, open []pending, sealed []sealedSecret) *Evidence {
	e := &Evidence{
		Trodden: slices.Sorted(maps.Keys(s.trodden)), Words: slices.Sorted(maps.Keys(words)),
		Findings: s.findings, Files: s.r.Reads.Files,
	}
	for at, entries := range s.own.names {
		for _, k := range entries {
			e.Known = append(e.Known, KnownName{at.kind, at.name, k.namespace, k.keys, k.open, k.target})
		}
	}
	slices.SortFunc(e.Known, func(a, b KnownName) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	for p := range s.own.patterns {
		e.Patterns = append(e.Patterns, NamePattern{p.kind, p.namespace, p.name})
	}
	slices.SortFunc(e.Patterns, func(a, b NamePattern) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, p := range open {
		o := OpenReference{p.kind, p.namespace, p.name, p.key, uint8(p.manner), p.way, nil, p.placed}
		if p.near != nil {
			o.Near = &NearName{p.near.message, p.near.help, p.near.alone}
		}
		e.Open = append(e.Open, o)
	}
	for _, s := range sealed {
		e.Sealed = append(e.Sealed, UnnamedSecret{s.name, s.placed})
	}
	return e
}

// Admit takes in what remains of one target.
func (x *References) Admit(e *Evidence) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, k := range e.Known {
		x.known.add(kindName{k.Kind, k.Name}, known{namespace: k.Namespace, keys: k.Keys, open: k.Open, target: k.Target})
	}
	for _, p := range e.Patterns {
		x.known.patterns[namePattern{p.Kind, p.Namespace, p.Name}] = true
	}
	for _, way := range e.Trodden {
		x.trodden[way] = true
	}
	for _, word := range e.Words {
		x.words[word] = struct{}{}
	}
	for _, o := range e.Open {
		p := pending{kind: o.Kind, namespace: o.Namespace, name: o.Name, key: o.Key, manner: manner(o.Manner), way: o.Way, placed: o.Placed}
		if o.Near != nil {
			p.near = &near{o.Near.Message, o.Near.Help, o.Near.Alone}
		}
		x.pending = append(x.pending, p)
	}
	for _, s := range e.Sealed {
		x.sealed = append(x.sealed, sealedSecret{s.Name, s.Placed})
	}
	x.findings = append(x.findings, e.Findings...)
	for _, file := range e.Files {
		x.read[file] = true
	}
}
