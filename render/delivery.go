package render

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// Delivery is what a Flux Kustomization or an Argo CD Application makes of a
// directory of the repository, where that is more than kustomize alone would:
// a namespace, patches, components. It is plain data and can be kept.
type Delivery struct {
	Object finding.Object // the Kustomization or Application
	Dir    string         // that it builds
	Whole  bool           // Dir has no kustomization, so that every file below it counts

	// Text is YAML that says what is added: to the kustomization under
	// "kustomize", to every object under "metadata", as the namespace of objects
	// without one under "namespace". Spans are the places in the repository of
	// what its pointers name; "" is the object.
	Text  string
	Spans map[string]finding.Span

	Reads Reads // of what builds the object itself
	Plain *Plain
}

// Plain says which files of a directory without a kustomization Argo CD takes,
// and that it takes them as they are; Flux writes a kustomization for them.
// Include and Exclude are globs over paths below the directory, "" is none.
type Plain struct {
	Recurse          bool
	Include, Exclude string
}

// draft is a Delivery that is being written.
type draft struct {
	*Delivery
	parent *Rendered // has the object
	object *Object
	fields map[string]any // below "kustomize"
	rest   map[string]any
}

func newDraft(parent *Rendered, o *Object, dir string) *draft {
	d := &draft{
		Delivery: &Delivery{Object: o.Object, Dir: dir, Spans: map[string]finding.Span{}, Reads: decisive(parent, o)},
		parent:   parent, object: o, fields: map[string]any{}, rest: map[string]any{},
	}
	d.Spans[""] = parent.Place(o, "").Span
	return d
}

// decisive is what the object depends on: in a directory of plain manifests its
// own file alone, and else whatever the build asked for.
func decisive(parent *Rendered, o *Object) Reads {
	if file := parent.Place(o, "").Span.File; parent.Target.Kind == Directory && file != "" {
		return Reads{Files: []string{file}}
	}
	return parent.Reads
}

// add sets a field of the kustomization from a field of the object.
func (d *draft) add(field string, value any, from string) {
	d.fields[field] = value
	d.place(source.Pointer("kustomize", field), value, from)
}

// append adds an item to a list of the kustomization.
func (d *draft) append(field string, item any, from string) {
	list, _ := d.fields[field].([]any)
	at := source.Pointer("kustomize", field, strconv.Itoa(len(list)))
	d.fields[field] = append(list, item)
	d.place(at, item, from)
}

// place notes where a value is set, and every value below it that the object has
// under the same names.
func (d *draft) place(at string, value any, from string) {
	if span := d.parent.Place(d.object, from).Span; !span.IsZero() {
		d.Spans[at] = span
	}
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			d.place(at+source.Pointer(name), member, from+source.Pointer(name))
		}
	case []any:
		for i, item := range value {
			d.place(at+source.Pointer(strconv.Itoa(i)), item, from+source.Pointer(strconv.Itoa(i)))
		}
	}
}

// alters reports whether anything was added.
func (d *draft) alters() bool { return len(d.fields)+len(d.rest) > 0 }

// finish writes the text.
func (d *draft) finish() (*Delivery, error) {
	all := map[string]any{}
	for name, value := range d.rest {
		all[name] = value
	}
	if len(d.fields) > 0 {
		all["kustomize"] = d.fields
	}
	text, err := yaml.Marshal(all)
	d.Text = string(text)
	return d.Delivery, err
}

// same reports whether two deliveries build the same from the same object.
func (d *Delivery) same(other *Delivery) bool {
	return d.Object == other.Object && d.Dir == other.Dir && d.Text == other.Text
}

// mergeText joins the kustomization file, or what stands for it, with the text
// of a delivery. The last document of the result is the delivery's.
func (d *Delivery) mergeText(name string, data []byte) (*source.File, *yaml.Node, error) {
	text := []byte(d.Text)
	switch {
	case d.Text == "":
		text = data
	case len(data) > 0:
		text = slices.Concat(data, []byte("\n---\n"), text)
	}
	file, err := source.Parse(name, text)
	if err != nil {
		return nil, nil, err
	}
	if d.Text == "" {
		return file, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	}
	last := len(file.Docs) - 1
	added := file.Docs[last].Root
	file.Docs = file.Docs[:last]
	return file, added, nil
}

// mergeFields returns a kustomization's mapping with the fields of another
// mapping: lists are appended, mappings joined, images and replicas joined by
// name, everything else is replaced.
func mergeFields(into, add *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if into != nil {
		copied := *into
		copied.Content = slices.Clone(into.Content)
		out = &copied
	}
	for i := 0; i+1 < len(add.Content); i += 2 {
		key, value := add.Content[i], add.Content[i+1]
		if _, old := pair(out, key.Value); old != nil {
			value = mergeField(key.Value, deref(old), value)
			out.Content = without(out.Content, key.Value)
		}
		out.Content = append(out.Content, key, value)
	}
	return out
}

func mergeField(field string, old, add *yaml.Node) *yaml.Node {
	switch {
	case old.Kind != add.Kind:
	case add.Kind == yaml.SequenceNode && (field == "images" || field == "replicas"):
		return mergeNamed(old, add)
	case add.Kind == yaml.SequenceNode:
		joined := *old
		joined.Content = slices.Concat(old.Content, add.Content)
		return &joined
	case add.Kind == yaml.MappingNode:
		return mergeFields(old, add)
	}
	return add
}

// mergeNamed joins lists of entries that have a name. A tag and a digest replace
// each other, as they do in the image transformer.
func mergeNamed(old, add *yaml.Node) *yaml.Node {
	joined := *old
	joined.Content = slices.Clone(old.Content)
	for _, entry := range add.Content {
		at := slices.IndexFunc(joined.Content, func(n *yaml.Node) bool { return valueOf(deref(n), "name") == valueOf(entry, "name") })
		if at < 0 {
			joined.Content = append(joined.Content, entry)
			continue
		}
		was := *deref(joined.Content[at])
		if valueOf(entry, "newTag") != "" || valueOf(entry, "digest") != "" {
			was.Content = without(was.Content, "newTag", "digest")
		}
		joined.Content[at] = mergeFields(&was, entry)
	}
	return &joined
}

// without leaves pairs of a mapping out.
func without(content []*yaml.Node, names ...string) []*yaml.Node {
	var out []*yaml.Node
	for i := 0; i+1 < len(content); i += 2 {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(content[i].Value, name) }) {
			out = append(out, content[i], content[i+1])
		}
	}
	return out
}
