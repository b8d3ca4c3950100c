package render

import (
	"slices"

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
		o.edits = append(o.edits, func(s *slot) bool { return s.mergeDocument(root, isBuiltIn(o.group)) })
		if rename {
			o.rename(textAt(root, "/metadata/name"))
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
