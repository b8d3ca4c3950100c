package validate

import (
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// survey is the collection of one target.
type survey struct {
	x        *References
	r        *render.Rendered
	own      inventory
	named    map[kindName]bool // what references name, there or not
	open     []reference       // not resolved by the target itself
	trodden  map[string]bool   // ways on which some reference leads to something
	findings []finding.Finding

	arguments wordSet // of containers; nil until asked for
}

// follow resolves the references of an object.
func (s *survey) follow(o *render.Object) {
	w := &walker{}
	w.found = func(f form, value any) {
		for _, ref := range read(w, o, f, value) {
			s.resolve(ref)
		}
	}
	w.visit(s.x.uses.every, o.Value)
	if root := s.x.uses.kinds[groupKindOf(o)]; root != nil {
		w.visit(root, o.Value)
	}
}

// resolve looks a reference up in its own target.
func (s *survey) resolve(ref reference) {
	s.named[kindName{ref.kind, ref.name}] = true
	found := s.own.find(ref.kind, ref.name, ref.namespace)
	if len(found) > 0 {
		s.trodden[ref.way] = true
	}
	switch {
	case answered(found, ref.key):
	case len(found) > 0:
		s.keyMissing(ref, found)
	case !s.x.elsewhere(ref):
		s.open = append(s.open, ref)
	}
}

// elsewhere reports whether the object is not expected in the repository.
func (x *References) elsewhere(ref reference) bool { return wellKnown(ref) || x.isExternal(ref) }

// place finds the places of what is open, while the objects are there.
func (s *survey) place(words wordSet) []pending {
	var out []pending
	for _, ref := range s.open {
		if s.inArguments(ref) {
			continue
		}
		p := pending{kind: ref.kind, namespace: ref.namespace, name: ref.name, key: ref.key, manner: ref.manner, way: ref.way}
		if p.near = s.near(ref, words); p.near == nil && ref.key == "" && ref.manner != expected {
			continue
		}
		if (p.near == nil || !p.near.alone) && s.own.mayBeMade(ref.kind, ref.name, ref.namespace) {
			continue
		}
		p.placed = s.r.At(ref.object, ref.pointer, finding.Finding{Rule: ruleReference, Severity: finding.Warning})
		out = append(out, p)
	}
	return out
}

// inArguments reports whether a container of the target has the name in its
// command line: a controller that is told what to make.
func (s *survey) inArguments(ref reference) bool {
	if s.arguments == nil {
		s.arguments = s.x.arguments(s.r.Objects)
	}
	return s.arguments.has(s.x.hash(ref.name))
}

// keyMissing reports a key that an object of the same target lacks.
func (s *survey) keyMissing(ref reference, found []*known) {
	message, help := keyText(ref.kind, ref.name, ref.key, found)
	f := finding.Finding{Rule: ruleReference, Severity: finding.Error, Message: message, Help: help}
	if at := s.r.Place(found[0].object, "/metadata/name").Span; !at.IsZero() {
		text := ref.kind + " " + ref.name + " is defined here"
		if o := found[0].object; o.Kind != ref.kind {
			text = o.Kind + " " + o.Name + " makes it here"
		}
		f.Related = []finding.Related{{Message: text, Location: at}}
	}
	s.findings = append(s.findings, s.r.At(ref.object, ref.keyAt, f))
}

// groupKindOf is an object's kind without the version.
func groupKindOf(o *render.Object) groupKind { return groupKind{groupOf(gvkOf(o)), o.Kind} }

// templated reports whether a text is filled in later: by Flux, Helm or a
// controller.
func templated(s string) bool {
	return strings.Contains(s, "$") || strings.Contains(s, "{{") || strings.Contains(s, "<")
}
