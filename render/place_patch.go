package render

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// patch adds the changes of one patch to the objects that it is for. It returns
// the objects that are left: a patch may delete one.
func (t *tracer) patch(k *kustomization, ref *reference, objects []*origin) []*origin {
	f := t.patchFile(k, ref)
	if f == nil {
		return objects
	}
	targets, targeted := objects, false
	if _, target := pair(ref.Entry, "target"); target != nil && ref.Role != roleStrategicPatch {
		targets, targeted = selected(target, objects), true
	}
	for _, doc := range f.Docs {
		if doc.Root.Kind == yaml.SequenceNode {
			if targeted {
				patchJSON(f, doc.Root, targets)
			}
			continue
		}
		apply := targets
		if !targeted {
			apply = patched(doc.Root, objects)
		}
		objects = patchStrategic(f, doc.Root, apply, objects, allowsRename(ref.Entry))
	}
	return objects
}

// patchFile parses the file or the text of a patch.
func (t *tracer) patchFile(k *kustomization, ref *reference) *source.File {
	if !ref.Inline {
		if ref.Remote {
			return nil
		}
		return t.file(ref.Path)
	}
	f, err := k.File.Embedded(ref.Node)
	if err != nil {
		return nil
	}
	return f
}

func selected(target *yaml.Node, objects []*origin) []*origin {
	s, ok := selectorAt(target)
	if !ok {
		return nil
	}
	var out []*origin
	for _, o := range objects {
		if s.selects(o) {
			out = append(out, o)
		}
	}
	return out
}

func allowsRename(entry *yaml.Node) bool {
	_, options := pair(entry, "options")
	return valueOf(options, "allowNameChange") == "true"
}

// patchStrategic adds a strategic-merge patch to the objects it applies to, and
// returns all objects without those that it deletes.
func patchStrategic(f *source.File, root *yaml.Node, apply, objects []*origin, rename bool) []*origin {
	if valueOf(root, "$patch") == "delete" {
		return slices.DeleteFunc(slices.Clone(objects), func(o *origin) bool { return slices.Contains(apply, o) })
	}
	for _, o := range apply {
		o.changes = append(o.changes, strategicChange(f, root))
		if rename {
			o.rename(scalarAt(root, "/metadata/name"))
		}
		for name, value := range stringsAt(root, "/metadata/labels") {
			o.labels[name] = value
		}
		for name, value := range stringsAt(root, "/metadata/annotations") {
			o.annotations[name] = value
		}
	}
	return objects
}

func strategicChange(f *source.File, root *yaml.Node) change {
	return func(q *query, _ *setting) (setting, bool) {
		if len(q.tokens) == 0 || isIdentity(q) {
			return setting{}, false // it names the object that it is for
		}
		at := q.in(root, 0, true)
		switch {
		case at.removed != nil:
			return setting{span: f.Span(at.removed), removed: true}, true
		case at.value == nil:
			return setting{}, false
		}
		s := settingAt(f, at.key, at.value)
		s.whole = at.whole
		return s, true
	}
}

// isIdentity reports whether a field of a strategic-merge patch says which
// object it is for.
func isIdentity(q *query) bool {
	return q.is("kind") || q.is("apiVersion") || q.is("metadata") || q.is("metadata", "name") || q.is("metadata", "namespace")
}

// patchJSON adds the operations of a JSON patch (RFC 6902).
func patchJSON(f *source.File, operations *yaml.Node, objects []*origin) {
	for _, operation := range operations.Content {
		operation = deref(operation)
		path := source.Split(valueOf(operation, "path"))
		if len(path) == 0 {
			continue
		}
		for _, o := range objects {
			o.changes = append(o.changes, operationChange(f, operation, path))
			if slices.Equal(path, []string{"metadata", "name"}) {
				o.rename(valueOf(operation, "value"))
			}
			if slices.Equal(path, []string{"metadata", "namespace"}) {
				o.move(valueOf(operation, "value"))
			}
		}
	}
}

// operationChange is one operation of a JSON patch.
func operationChange(f *source.File, operation *yaml.Node, path []string) change {
	_, where := pair(operation, "path")
	key, value := pair(operation, "value")
	switch valueOf(operation, "op") {
	case "add", "replace":
		if value == nil {
			break
		}
		return func(q *query, _ *setting) (setting, bool) {
			if !q.below(path) || !q.insertedBy(value, path) {
				return setting{}, false
			}
			at := q.in(value, len(path), false)
			if at.value == nil {
				return setting{span: f.Span(key), removed: true}, true
			}
			if at.key == nil && len(path) == len(q.tokens) {
				at.key = key
			}
			s := settingAt(f, at.key, at.value)
			s.whole = true
			return s, true
		}
	case "copy", "move":
		return func(q *query, _ *setting) (setting, bool) {
			return setting{span: f.Span(where), whole: true}, q.below(path)
		}
	case "remove":
		return func(q *query, _ *setting) (setting, bool) {
			if _, err := strconv.Atoi(path[len(path)-1]); err == nil || !q.below(path) {
				return setting{}, false // the item at this index now is another one
			}
			return setting{span: f.Span(where), removed: true}, true
		}
	}
	return func(*query, *setting) (setting, bool) { return setting{}, false }
}

// below reports whether the field is the one at a path of a JSON patch, or part
// of it. "-" stands for any item, since the end of the list has moved on.
func (q *query) below(path []string) bool {
	if len(path) > len(q.tokens) {
		return false
	}
	for i, token := range path {
		if token == q.tokens[i] {
			continue
		}
		if _, list := q.within[i].([]any); !list || i != len(path)-1 || !isIndex(token) {
			return false
		}
	}
	return true
}

func isIndex(token string) bool {
	_, err := strconv.Atoi(token)
	return token == "-" || err == nil
}

// insertedBy tells for a path that ends in a list whether the rendered item is
// the one that the operation put there: later ones may have moved it.
func (q *query) insertedBy(value *yaml.Node, path []string) bool {
	i := len(path) - 1
	list, ok := q.within[i].([]any)
	if !ok {
		return true
	}
	item, ok := child(list, q.tokens[i])
	if !ok {
		return false
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return path[i] == q.tokens[i] || sameValue(value, item)
	}
	for _, name := range identities {
		want, ok := fields[name]
		if _, got := pair(value, name); ok && got != nil {
			return sameValue(got, want)
		}
	}
	return path[i] == q.tokens[i] || sameValue(value, item)
}
