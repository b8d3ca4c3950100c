package gate

import (
	"maps"
	"reflect"
	"slices"

	"github.com/sallyport/sallyport/validate"
)

// keptParts are parts in the form in which they are kept: targets ask for the same
// paths again and again, so that each path stands there once.
type keptParts struct {
	Paths     []string
	Files     []keptFile
	Targets   []keptTarget
	CRDs      string
	Encrypted encryptedPart
}

type keptFile struct {
	Path uint32 // among Paths, as all numbers below
	Part filePart
}

// keptTarget is a target without what its questions say already.
type keptTarget struct {
	Path        string
	Key         string
	Plan, Asked keptQuestions
	Planned     bool // as Asked
	Exact       bool
	Evidence    *targetEvidence
	Traced      bool // the references are of the files that were asked for
}

type keptQuestions struct{ Files, Dirs, Missing []uint32 }

// keep is the opposite of parts.
func (p *parts) keep(crds key) *keptParts {
	k := &keptParts{Encrypted: p.Encrypted, CRDs: string(crds[:])}
	paths := pathTable{at: map[string]uint32{}, kept: k}
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		k.Files = append(k.Files, keptFile{paths.of(name), p.Files[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Targets)) {
		t := p.Targets[name]
		kept := keptTarget{Path: name, Key: string(t.Key[:]), Asked: paths.all(t.Asked), Exact: t.Exact, Planned: reflect.DeepEqual(t.Plan, t.Asked)}
		if !kept.Planned {
			kept.Plan = paths.all(t.Plan)
		}
		kept.Evidence, kept.Traced = t.Evidence.slim(t.Asked.Files)
		k.Targets = append(k.Targets, kept)
	}
	return k
}

// slim leaves out the files that were read, and reports whether those of the
// references were the same.
func (e *targetEvidence) slim(read []string) (*targetEvidence, bool) {
	if e == nil {
		return nil, false
	}
	out := *e
	out.Reads = nil
	if e.References == nil || !slices.Equal(e.References.Files, read) {
		return &out, false
	}
	references := *e.References
	references.Files = nil
	out.References = &references
	return &out, true
}

// pathTable gives each path a number.
type pathTable struct {
	at   map[string]uint32
	kept *keptParts
}

func (t pathTable) of(name string) uint32 {
	n, ok := t.at[name]
	if !ok {
		n = uint32(len(t.kept.Paths))
		t.at[name] = n
		t.kept.Paths = append(t.kept.Paths, name)
	}
	return n
}

func (t pathTable) all(q questions) keptQuestions {
	list := func(names []string) []uint32 {
		out := make([]uint32, len(names))
		for i, name := range names {
			out[i] = t.of(name)
		}
		return out
	}
	return keptQuestions{list(q.Files), list(q.Dirs), list(q.Missing)}
}

// parts is what was kept. What does not fit together is left out.
func (k *keptParts) parts() *parts {
	p := &parts{Files: map[string]filePart{}, Targets: map[string]targetPart{}, Encrypted: k.Encrypted}
	crds, ok := keyOf(k.CRDs)
	for _, f := range k.Files {
		if name := k.names([]uint32{f.Path}); name != nil {
			p.Files[name[0]] = f.Part
		}
	}
	for _, t := range k.Targets {
		at, known := keyOf(t.Key)
		if !ok || !known {
			continue
		}
		part := targetPart{Key: at, CRDs: crds, Asked: k.questions(t.Asked), Exact: t.Exact, Evidence: t.Evidence}
		if part.Plan = part.Asked; !t.Planned {
			part.Plan = k.questions(t.Plan)
		}
		if e := t.Evidence; e != nil {
			e.Reads = part.Asked.Files
			if t.Traced {
				if e.References == nil {
					e.References = &validate.Evidence{}
				}
				e.References.Files = part.Asked.Files
			}
		}
		p.Targets[t.Path] = part
	}
	return p
}

func (k *keptParts) questions(q keptQuestions) questions {
	return questions{k.names(q.Files), k.names(q.Dirs), k.names(q.Missing)}
}

// names is nil for numbers that name nothing: an entry is whole or it is not read,
// so that there are none.
func (k *keptParts) names(numbers []uint32) []string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		if int(n) >= len(k.Paths) {
			return nil
		}
		out[i] = k.Paths[n]
	}
	return out
}
