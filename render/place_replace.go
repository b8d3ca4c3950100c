package render

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/kyaml/utils"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// replacements is the replacements field: entries, or files that hold them.
func (t *tracer) replacements(l *layer, objects []*origin) {
	list := deref(l.field("replacements"))
	if list == nil || list.Kind != yaml.SequenceNode {
		return
	}
	for _, entry := range list.Content {
		t.replacement(l.File, deref(entry), objects)
	}
	for _, ref := range l.refs(roleReplacement) {
		f := t.file(ref.Path)
		if f == nil || ref.Remote {
			continue
		}
		for _, doc := range f.Docs {
			entries := []*yaml.Node{doc.Root}
			if doc.Root.Kind == yaml.SequenceNode {
				entries = doc.Root.Content
			}
			for _, entry := range entries {
				t.replacement(f, deref(entry), objects)
			}
		}
	}
}

// replacement adds one replacement to the objects that its targets select.
func (t *tracer) replacement(f *source.File, entry *yaml.Node, objects []*origin) {
	_, targets := pair(entry, "targets")
	if targets = deref(targets); targets == nil || targets.Kind != yaml.SequenceNode {
		return
	}
	from := replacementSource(entry, objects)
	for _, target := range targets.Content {
		_, want := pair(target, "select")
		for _, o := range selected(want, objects) {
			if rejected(target, o) {
				continue
			}
			_, paths := pair(target, "fieldPaths")
			if paths = deref(paths); paths == nil || paths.Kind != yaml.SequenceNode {
				continue
			}
			for _, path := range paths.Content {
				r := &replaced{file: f, path: deref(path), from: from}
				r.tokens = utils.SmarterPathSplitter(r.path.Value, ".")
				o.changes = append(o.changes, r.change)
				o.edits = append(o.edits, r.edit)
				o.indexed = o.indexed || slices.ContainsFunc(r.tokens, isIndex)
			}
		}
	}
}

func rejected(target *yaml.Node, o *origin) bool {
	_, reject := pair(target, "reject")
	if reject = deref(reject); reject == nil || reject.Kind != yaml.SequenceNode {
		return false
	}
	for _, entry := range reject.Content {
		if s, ok := selectorAt(entry); ok && s.selects(o) {
			return true
		}
	}
	return false
}

// replaced is a replacement of one field of one object. What it sets is not
// computed: it comes last in its layer, so it is taken to have set what is there.
type replaced struct {
	file   *source.File
	path   *yaml.Node
	tokens []string // of the path
	from   func() []finding.Related
	steps  []step // the path as items, once the object's layers were replayed
}

// edit changes no list; it notes which items the path names at this time.
func (r *replaced) edit(s *slot) bool {
	if path, ok := s.indices(r.tokens); ok {
		r.steps, _ = s.steps(path)
	}
	return true
}

func (r *replaced) change(q *query, _ *setting) (setting, bool) {
	s := setting{span: r.file.Span(r.path), value: q.value, known: true, related: r.from()}
	switch {
	case !q.exists:
		return s, false
	case q.steps != nil && r.steps != nil:
		return s, slices.Equal(r.steps, q.steps)
	}
	return s, q.matches(r.tokens)
}

// indices turns the parts "[name=x]" of a path into indices. It fails for a
// path that names several fields, or none.
func (s *slot) indices(path []string) ([]string, bool) {
	out := slices.Clone(path)
	for i, token := range path {
		if s == nil || token == "*" {
			return nil, false
		}
		if name, value, ok := strings.Cut(strings.Trim(token, "[]"), "="); ok && s.list {
			at := slices.IndexFunc(s.items, func(item *slot) bool { got, _ := item.text(name); return got == value })
			out[i] = strconv.Itoa(at)
		}
		s = s.child(out[i])
	}
	return out, true
}

// replacementSource tells where the value that a replacement copies is set.
func replacementSource(entry *yaml.Node, objects []*origin) func() []finding.Related {
	_, from := pair(entry, "source")
	path := valueOf(from, "fieldPath")
	if path == "" {
		path = "metadata.name"
	}
	var first *origin
	if s, ok := selectorAt(from); ok && from != nil {
		for _, o := range objects {
			if s.selects(o) {
				first = o
				break
			}
		}
	}
	if first == nil {
		return func() []finding.Related { return nil }
	}
	changes := len(first.changes) // what comes later does not count
	return func() []finding.Related {
		before := &origin{changes: first.changes[:changes:changes]}
		settings := before.settings(newQuery(nil, utils.SmarterPathSplitter(path, ".")))
		if len(settings) == 0 {
			return nil
		}
		return []finding.Related{{Message: "the value is copied from here", Location: settings[len(settings)-1].span}}
	}
}

// matches compares the field with the path of a replacement: "*" is any item
// and "[name=x]" the item with that member.
func (q *query) matches(path []string) bool {
	if len(path) != len(q.tokens) {
		return false
	}
	for i, want := range path {
		if !q.matchesToken(i, want) {
			return false
		}
	}
	return true
}

func (q *query) matchesToken(i int, want string) bool {
	if want == "*" || want == q.tokens[i] {
		return true
	}
	list, ok := q.within[i].([]any)
	if !ok {
		return false
	}
	if name, value, ok := strings.Cut(strings.Trim(want, "[]"), "="); ok && strings.HasPrefix(want, "[") {
		item, _ := child(list, q.tokens[i])
		member, _ := child(item, name)
		return text(member) == value
	}
	return want == "-" && q.tokens[i] == strconv.Itoa(len(list)-1)
}

// text is a scalar as it is written in a path.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
