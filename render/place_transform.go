package render

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// transform adds the changes of a layer's patches and transformers, in
// kustomize's order.
func (t *tracer) transform(l *layer, objects []*origin) []*origin {
	for _, role := range []role{roleStrategicPatch, rolePatch} {
		for i := range l.Refs {
			if l.Refs[i].Role == role {
				objects = t.patch(l.kustomization, &l.Refs[i], objects)
			}
		}
	}
	t.namespace(l, objects)
	t.affixes(l, objects)
	t.labels(l, objects)
	for i := range l.Refs {
		if l.Refs[i].Role == roleJSONPatch {
			objects = t.patch(l.kustomization, &l.Refs[i], objects)
		}
	}
	t.replicas(l, objects)
	t.images(l, objects)
	t.replacements(l, objects)
	return t.transformers(l, objects)
}

// namespace is the namespace field: of the objects, and of what refers to them.
// A Namespace takes it for its name.
func (t *tracer) namespace(l *layer, objects []*origin) {
	value := deref(l.field("namespace"))
	if value == nil || value.Value == "" {
		return
	}
	span := l.File.Span(value)
	for _, o := range objects {
		isNamespace := o.kind == "Namespace" && o.group == ""
		if o.move(value.Value); isNamespace {
			o.rename(value.Value)
		}
		o.changes = append(o.changes, func(q *query, before *setting) (setting, bool) {
			s := setting{span: span, value: value.Value, known: true}
			switch {
			case q.value != value.Value:
				return s, false
			case q.is("metadata", "namespace"), isNamespace && q.is("metadata", "name"):
				return s, true
			}
			// A reference to an object follows it only where it said something else.
			return s, q.last(0) == "namespace" && (before == nil || before.value != q.value)
		})
	}
}

// unaffixed are the kinds whose names kustomize leaves alone.
var unaffixed = []string{"CustomResourceDefinition", "APIService", "Namespace"}

// affixes is namePrefix and nameSuffix.
func (t *tracer) affixes(l *layer, objects []*origin) {
	for _, field := range []string{"namePrefix", "nameSuffix"} {
		value := deref(l.field(field))
		if value == nil || value.Value == "" {
			continue
		}
		span := l.File.Span(value)
		for _, o := range objects {
			if slices.Contains(unaffixed, o.kind) {
				continue
			}
			name := value.Value + o.name()
			if field == "nameSuffix" {
				name = o.name() + value.Value
			}
			o.rename(name)
			o.changes = append(o.changes, func(q *query, _ *setting) (setting, bool) {
				return setting{span: span, value: name, known: true}, q.is("metadata", "name")
			})
		}
	}
}

// selecting are the kinds whose selectors and pod templates kustomize labels too.
var selecting = []string{
	"Service", "ReplicationController", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob",
	"PodDisruptionBudget", "NetworkPolicy",
}

// labels is commonLabels, labels and commonAnnotations.
func (t *tracer) labels(l *layer, objects []*origin) {
	configured := l.field("configurations") != nil // may name other kinds
	deep := func(o *origin) bool { return configured || slices.Contains(selecting, o.kind) }
	t.pairs(l, objects, deref(l.field("commonLabels")), deep, "labels", "matchLabels", "selector")
	if list := deref(l.field("labels")); list != nil && list.Kind == yaml.SequenceNode {
		for _, entry := range list.Content {
			_, values := pair(entry, "pairs")
			_, fields := pair(entry, "fields")
			inner := valueOf(entry, "includeSelectors") == "true" || valueOf(entry, "includeTemplates") == "true"
			reach := func(o *origin) bool { return fields != nil || inner && deep(o) }
			t.pairs(l, objects, deref(values), reach, "labels", "matchLabels", "selector")
		}
	}
	t.pairs(l, objects, deref(l.field("commonAnnotations")), deep, "annotations")
}

// pairs is a mapping that is added to the mappings of some names: in an object's
// own metadata, and elsewhere in the objects that it reaches deep into.
func (t *tracer) pairs(l *layer, objects []*origin, values *yaml.Node, deep func(*origin) bool, names ...string) {
	if values == nil || values.Kind != yaml.MappingNode {
		return
	}
	for _, o := range objects {
		if names[0] == "labels" {
			maps.Copy(o.labels, stringsAt(values, ""))
		} else {
			maps.Copy(o.annotations, stringsAt(values, ""))
		}
		reached := deep(o)
		o.changes = append(o.changes, func(q *query, _ *setting) (setting, bool) {
			if !slices.Contains(names, q.last(1)) || !reached && !(len(q.tokens) == 3 && q.tokens[0] == "metadata") {
				return setting{}, false
			}
			_, value, ok := source.Find(values, source.Pointer(q.last(0)))
			if !ok || deref(value).Value != q.value {
				return setting{}, false
			}
			return setting{span: l.File.Span(value), value: q.value, known: true}, true
		})
	}
}

// replicas is the replicas field.
func (t *tracer) replicas(l *layer, objects []*origin) {
	list := deref(l.field("replicas"))
	if list == nil || list.Kind != yaml.SequenceNode {
		return
	}
	for _, entry := range list.Content {
		_, count := pair(entry, "count")
		number, err := strconv.ParseInt(valueOf(entry, "count"), 10, 64)
		if err != nil {
			continue
		}
		s := setting{span: l.File.Span(deref(count)), value: number, known: true}
		for _, o := range objects {
			if slices.Contains(o.names, valueOf(entry, "name")) {
				o.changes = append(o.changes, func(q *query, _ *setting) (setting, bool) {
					return s, q.is("spec", "replicas")
				})
			}
		}
	}
}

// images is the images field, and its old name.
func (t *tracer) images(l *layer, objects []*origin) {
	for _, field := range []string{"images", "imageTags"} {
		list := deref(l.field(field))
		if list == nil || list.Kind != yaml.SequenceNode {
			continue
		}
		for _, entry := range list.Content {
			for _, o := range objects {
				o.changes = append(o.changes, imageChange(l.File, deref(entry)))
			}
		}
	}
}

// imageChange is one entry of images. Its place is what it changes: the tag or
// the digest, or else the new name.
func imageChange(f *source.File, entry *yaml.Node) change {
	return func(q *query, before *setting) (setting, bool) {
		rendered, ok := q.value.(string)
		if !ok || !strings.HasSuffix(strings.ToLower(q.last(0)), "image") {
			return setting{}, false
		}
		set := newImage(entry)
		if before != nil && before.known {
			old, _ := before.value.(string)
			if repository, _ := splitImage(old); repository != set.name {
				return setting{}, false
			}
			s := setting{span: f.Span(set.node()), value: set.apply(old), known: true}
			return s, set.node() != nil
		}
		repository, _ := splitImage(rendered)
		return setting{span: f.Span(set.node()), value: rendered, known: true}, set.node() != nil && repository == set.repository()
	}
}

// image is an entry of images as kustomize reads it.
type image struct {
	name, newName, newTag, digest, tagSuffix string
	entry                                    *yaml.Node
}

func newImage(entry *yaml.Node) image {
	return image{
		name: valueOf(entry, "name"), newName: valueOf(entry, "newName"), newTag: valueOf(entry, "newTag"),
		digest: valueOf(entry, "digest"), tagSuffix: valueOf(entry, "tagSuffix"), entry: entry,
	}
}

func (i image) repository() string {
	if i.newName != "" {
		return i.newName
	}
	return i.name
}

// node is the value that decides about the image, nil for an entry without one.
func (i image) node() *yaml.Node {
	for _, name := range []string{"digest", "newTag", "tagSuffix", "newName"} {
		if _, n := pair(i.entry, name); n != nil && deref(n).Value != "" {
			return deref(n)
		}
	}
	return nil
}

// apply is what kustomize makes of a reference that the entry is for.
func (i image) apply(reference string) string {
	_, rest := splitImage(reference)
	tag, digest, _ := strings.Cut(rest, "@")
	tag = strings.TrimPrefix(tag, ":")
	switch {
	case i.newTag != "" && i.digest != "":
		tag, digest = i.newTag, i.digest
	case i.newTag != "":
		tag, digest = i.newTag, ""
	case i.digest != "":
		tag, digest = "", i.digest
	case i.tagSuffix != "":
		tag, digest = tag+i.tagSuffix, ""
	}
	out := i.repository()
	if tag != "" {
		out += ":" + tag
	}
	if digest != "" {
		out += "@" + digest
	}
	return out
}

// splitImage cuts a reference behind its repository; the port of a registry is
// no tag.
func splitImage(reference string) (repository, rest string) {
	end := len(reference)
	if i := strings.IndexByte(reference, '@'); i >= 0 {
		end = i
	}
	if i := strings.LastIndexByte(reference[:end], ':'); i > strings.LastIndexByte(reference[:end], '/') {
		end = i
	}
	return reference[:end], reference[end:]
}
