package render

import (
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// Place is where a field of a rendered object is set. Related holds the places
// of the layers underneath, nearest first. A Span that is not zero is in a file
// of the tree and has lines: the place of a file that a generator takes whole is
// where it begins. Why is set where Span is zero.
type Place struct {
	Span    finding.Span
	Related []finding.Related
	Why     string
}

// Place finds where in the repository a field of a rendered object is set. The
// pointer is RFC 6901, into the object; "" is the object itself, whose place is
// its document.
//
// Of the manifest, patches, generators and transformers that touch the field,
// the last one that sets it to the rendered value is the place, and those that
// it overrides are related. A list item is followed by what identifies it (a
// container by its name, a port by its number), not by its index.
//
// A field that is not there has the place of what took it away, a patch that
// removes it for instance, and else of the nearest parent that is there, in the
// layer that brought it in: that is where the field is missing, and it is one
// place for all overlays of a base.
//
// Nothing is computed before the first call for a target.
func (r *Rendered) Place(o *Object, pointer string) Place {
	if r.trace == nil {
		return Place{Why: "the target was not rendered"}
	}
	t := r.trace()
	from := t.origins[o]
	if from == nil {
		return Place{Why: t.why()}
	}
	for tokens := source.Split(pointer); ; tokens = tokens[:len(tokens)-1] {
		q := newQuery(o.Value, tokens)
		q.steps = from.steps(q)
		if settings := from.settings(q); len(settings) > 0 {
			return placeOf(settings, q.decide(settings)).in(r.original)
		}
		if len(tokens) == 0 {
			return Place{Why: t.why()}
		}
	}
}

// At fills a finding about a field of a rendered object: Object, Pointer,
// Location, Related, Unplaced and Targets. What the finding holds of Related
// stays, in front.
func (r *Rendered) At(o *Object, pointer string, f finding.Finding) finding.Finding {
	place := r.Place(o, pointer)
	object := o.Object
	f.Object, f.Pointer = &object, pointer
	f.Location, f.Unplaced = place.Span, place.Why
	f.Related = append(f.Related[:len(f.Related):len(f.Related)], place.Related...)
	f.Targets = []string{r.Target.Path}
	return f
}

// setting is what one layer says about a field.
type setting struct {
	span    finding.Span
	value   any  // what it sets the field to, where known
	known   bool // value is
	removed bool // it takes the field away
	unsure  bool // it may be about another item of a list
	whole   bool // nothing that earlier layers say about the field is left
	related []finding.Related
}

// change is a manifest, or something in a layer that changes an object. It
// returns what it says about a field; before is what was said last, nil where
// nothing was.
type change func(q *query, before *setting) (setting, bool)

// settings asks every change of an object about a field, the earliest first.
func (o *origin) settings(q *query) []setting {
	var out []setting
	for _, change := range o.changes {
		var before *setting
		if len(out) > 0 {
			before = &out[len(out)-1]
		}
		if s, ok := change(q, before); ok {
			out = append(out, s)
		}
	}
	return out
}

// steps are the tokens of a query as items of lists, nil where they are not
// needed or not known.
func (o *origin) steps(q *query) []step {
	if !o.indexed || o.replay == nil {
		return nil
	}
	replayed := o.replay()
	if replayed == nil || !replayed.agrees(q) {
		return nil
	}
	steps, _ := replayed.steps(q.tokens)
	return steps
}

// decide picks the setting that explains the rendered field. One that may be
// about another item comes before one that says something else.
func (q *query) decide(settings []setting) int {
	last := len(settings) - 1
	if !q.exists {
		return last
	}
	for i := last; i >= 0; i-- {
		if settings[i].known && reflect.DeepEqual(settings[i].value, q.value) {
			return i
		}
	}
	for i := last; i >= 0; i-- {
		if !settings[i].removed && (isScalar(q.value) || settings[i].whole) {
			return i
		}
	}
	return 0
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// placeOf makes a place of the chosen setting and those before it.
func placeOf(settings []setting, chosen int) Place {
	place := Place{Span: settings[chosen].span, Related: settings[chosen].related}
	seen := map[finding.Span]bool{place.Span: true}
	for i := chosen - 1; i >= 0; i-- {
		if settings[i].unsure || seen[settings[i].span] {
			continue
		}
		seen[settings[i].span] = true
		message := "set here before"
		if i == 0 {
			message = "set here first"
		}
		place.Related = append(place.Related, finding.Related{Message: message, Location: settings[i].span})
	}
	return place
}

// settingAt is the setting of a value in a file. The place of a scalar is the
// scalar, of a collection its key.
func settingAt(f *source.File, key, value *yaml.Node) setting {
	s := setting{span: f.Span(value)}
	if key != nil && (deref(value).Kind != yaml.ScalarNode || s.span.Start == s.span.End) {
		s.span = f.Span(key)
	}
	if value.Kind == yaml.AliasNode {
		s.related = []finding.Related{{Message: "the value of the alias", Location: f.Span(value.Alias)}}
	}
	if decoded, err := source.Decode(value); err == nil {
		s.value, s.known = decoded, true
	}
	return s
}
