package gate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// targetPart is what was found in a target. Key is of the target with the answers
// to all its questions, CRDs of all definitions of the tree.
type targetPart struct {
	Key, CRDs key
	Plan      questions // what the build was foreseen to ask
	Exact     bool      // and it asks nothing else
	Asked     questions // what the build asked; none without Evidence
	Evidence  *targetEvidence
}

// questions are what the build of one target asks the tree.
type questions struct {
	Files, Dirs, Missing []string
}

func questionsOf(r render.Reads) questions { return questions{r.Files, r.Dirs, r.Missing} }

func (q questions) reads() render.Reads {
	return render.Reads{Files: q.Files, Dirs: q.Dirs, Missing: q.Missing}
}

// match finds the targets whose builds get the answers that they got before.
func (m *memory) match(targets []render.Target) {
	m.same = map[string]targetPart{}
	for _, t := range targets {
		part, ok := m.parts().Targets[t.Path]
		if !ok {
			continue
		}
		if now, ok := m.answers.key(t, part); ok && now == part.Key {
			m.same[t.Path] = part
		}
	}
}

// recalled is what was found in a target that is the same, nil if it is not known.
func (m *memory) recalled(t render.Target) *targetEvidence {
	part, ok := m.same[t.Path]
	if !ok || part.CRDs != m.crds {
		return nil
	}
	return part.Evidence
}

// recallTarget takes over what was found in a target that is the same. A target
// that a change affects is compared with what it was, which is not kept.
func (g *gate) recallTarget(t render.Target) (outcome, bool) {
	if g.memory == nil || g.base != nil {
		return outcome{}, false
	}
	evidence := g.memory.recalled(t)
	if evidence == nil {
		return outcome{}, false
	}
	o := evidence.outcome()
	o.recalled, o.target = true, t
	g.sealed.Hide(o.hidden...)
	if o.references != nil {
		g.validator.Admit(o.references)
	}
	if o.variables != nil {
		g.variables.Admit(o.variables)
	}
	return o, true
}

// reads tells what building a target would ask the tree, as the builder does.
func (g *gate) reads(t render.Target) (render.Reads, bool) {
	if g.memory != nil {
		if part, ok := g.memory.same[t.Path]; ok {
			return part.Plan.reads(), part.Exact
		}
	}
	return g.builder.Reads(t)
}

// keepTargets adds the targets to what is kept: those that were judged, and those
// that a change leaves alone.
func (g *gate) keepTargets(outcomes []outcome) {
	m := g.memory
	if m == nil {
		return
	}
	for _, o := range outcomes {
		g.keepTarget(o.target, &o)
	}
	if g.base != nil {
		for _, t := range g.base.skipped {
			g.keepTarget(t, nil)
		}
	}
	m.stale = m.stale || len(m.parts().Targets) != len(m.next.Targets)
}

// keepTarget keeps what is known of one target. What was found in it is kept where
// it was judged by itself; compared with what it was, it shows more.
func (g *gate) keepTarget(t render.Target, o *outcome) {
	m := g.memory
	part, same := m.same[t.Path]
	if same && part.CRDs != m.crds {
		part.Evidence = nil
	}
	judged := o != nil && !o.recalled && g.base == nil
	if same && !judged {
		m.next.Targets[t.Path] = part
		return
	}
	m.stale = true
	plan, exact := g.reads(t)
	part = targetPart{CRDs: m.crds, Plan: questionsOf(plan), Exact: exact}
	if judged {
		evidence := o.evidence()
		part.Asked, part.Evidence = questionsOf(o.asked), &evidence
	}
	var ok bool
	if part.Key, ok = m.answers.key(t, part); ok {
		m.next.Targets[t.Path] = part
	}
}

// answers remembers what the sealed tree answered: what kustomizations make of a
// file, which says how it is sealed, is part of the answer. It belongs to one goroutine.
type answers struct {
	g     *gate
	known map[string]string // empty where it cannot be named
}

func newAnswers(g *gate) *answers { return &answers{g, map[string]string{}} }

func (a *answers) of(name string) (string, bool) {
	answer, known := a.known[name]
	if !known {
		var ok bool
		if answer, ok = answerOf(a.g.snap, name); !ok {
			answer = ""
		} else if use := a.g.sealed.Use(name); use != "" {
			answer += ", " + use
		}
		a.known[name] = answer
	}
	return answer, answer != ""
}

// still reports whether a file is what it was.
func (a *answers) still(name string, was filePart) bool {
	answer, ok := answerOf(a.g.snap, name)
	return ok && answer == was.Answer && a.g.sealed.Use(name) == was.Use
}

// key names a target by what the tree answers now.
func (a *answers) key(t render.Target, part targetPart) (key, bool) {
	h := newHasher()
	h.add(t.Path, string(t.Kind), t.File, t.Why)
	for _, list := range [][]string{
		part.Asked.Files, part.Asked.Dirs, part.Asked.Missing,
		beyond(part.Plan.Files, part.Asked.Files), beyond(part.Plan.Dirs, part.Asked.Dirs), beyond(part.Plan.Missing, part.Asked.Missing),
	} {
		h.add(strconv.Itoa(len(list)))
		for _, name := range list {
			answer, ok := a.of(name)
			if !ok {
				return key{}, false
			}
			h.add(name, answer)
		}
	}
	if d := t.Delivery; d != nil {
		h.add(d.Dir, d.Text)
	}
	h.add(a.listing(t)...)
	return h.key(), true
}

// beyond is a list, unless it is the same as another.
func beyond(list, other []string) []string {
	if slices.Equal(list, other) {
		return nil
	}
	return list
}

// listing is what directories hold of which a target takes every manifest, with
// the answers.
func (a *answers) listing(t render.Target) []string {
	var out []string
	dir := t.Path
	if t.Delivery != nil {
		dir = t.Delivery.Dir
	}
	files := a.g.snap.Files()
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	start, _ := slices.BinarySearchFunc(files, prefix, func(e repo.Entry, p string) int { return strings.Compare(e.Path, p) })
	for _, e := range files[start:] {
		if !strings.HasPrefix(e.Path, prefix) {
			break
		}
		if t.Lists(e.Path) {
			answer, _ := a.of(e.Path)
			out = append(out, e.Path, answer)
		}
	}
	return out
}
