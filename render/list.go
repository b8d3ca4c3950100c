package render

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// expand decodes an object, or the objects of a list, as kubectl expands every
// kind whose name ends in List and that has items.
func expand(file *source.File, root *yaml.Node) ([]*Object, []*fault) {
	items, ok := listItems(root)
	if !ok {
		o, err := decodeObject(root)
		if err != nil {
			return nil, []*fault{{Rule: ruleRenderError, Message: "the object cannot be decoded", Span: file.Span(root)}}
		}
		return []*Object{o}, nil
	}
	var out []*Object
	var faults []*fault
	for _, item := range items {
		if !isManifest(item) {
			faults = append(faults, itemFault(file, item))
			continue
		}
		objects, bad := expand(file, item)
		out, faults = append(out, objects...), append(faults, bad...)
	}
	return out, faults
}

func itemFault(file *source.File, item *yaml.Node) *fault {
	f := documentFault(file, item)
	switch h := headOf(item); {
	case f == nil || item.Kind != yaml.MappingNode:
		f = &fault{Rule: ruleRenderError, Message: "an item of a list must be an object", Span: file.Span(item)}
	case h.version == "" && h.kind == "":
		f.Message = "an item of a list has neither apiVersion nor kind"
	}
	f.Help = "every item of a list needs apiVersion, kind and metadata; the items of a typed list may leave out the first two"
	return f
}

// listItems returns the items of a list, and false for anything else. An item
// of a typed list that has neither apiVersion nor kind inherits both, as
// k8s.io/apimachinery's unstructured decoder has it: a SecretList holds Secrets.
func listItems(root *yaml.Node) ([]*yaml.Node, bool) {
	_, kind, _ := source.Find(root, "/kind")
	_, items, _ := source.Find(root, "/items")
	if items = deref(items); kind == nil || !strings.HasSuffix(kind.Value, "List") || items == nil || items.Kind != yaml.SequenceNode {
		return nil, false
	}
	out := make([]*yaml.Node, len(items.Content))
	for i, item := range items.Content {
		out[i] = inherit(root, deref(item), strings.TrimSuffix(kind.Value, "List"))
	}
	return out, true
}

// inherit gives an item the type that its list implies. The added nodes keep
// the places of those that they come from.
func inherit(list, item *yaml.Node, kind string) *yaml.Node {
	if h := headOf(item); item.Kind != yaml.MappingNode || kind == "" || h.version != "" || h.kind != "" {
		return item
	}
	versionKey, version, ok := source.Find(list, "/apiVersion")
	if !ok {
		return item
	}
	kindKey, listKind, _ := source.Find(list, "/kind")
	itemKind := *listKind
	itemKind.Value = kind
	out := *item
	out.Content = append([]*yaml.Node{versionKey, version, kindKey, &itemKind}, item.Content...)
	return &out
}

func decodeObject(root *yaml.Node) (*Object, error) {
	value, err := source.Decode(root)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errIndirect
	}
	return newObject(object), nil
}
