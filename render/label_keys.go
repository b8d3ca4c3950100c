package render

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// oldBools are the plain words that YAML 1.1 reads as booleans beside true and
// false, https://yaml.org/type/bool.html. kustomize reads a kustomization so.
var oldBools = []string{
	"y", "Y", "yes", "Yes", "YES", "on", "On", "ON",
	"n", "N", "no", "No", "NO", "off", "Off", "OFF",
}

// isOldBool reports whether a node is a boolean to YAML 1.1 only.
func isOldBool(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && slices.Contains(oldBools, n.Value)
}

// labelMaps are the fields of a kustomization that hold labels or annotations;
// lists on the way are walked through.
func labelMaps() [][]string {
	return [][]string{
		{"commonLabels"}, {"commonAnnotations"}, {"labels", "pairs"},
		{"generatorOptions", "labels"}, {"generatorOptions", "annotations"},
		{"configMapGenerator", "options", "labels"}, {"configMapGenerator", "options", "annotations"},
		{"secretGenerator", "options", "labels"}, {"secretGenerator", "options", "annotations"},
	}
}

// oddKey finds the first key of labels or annotations that is no string to
// kustomize, which then cannot print the objects.
func (k *kustomization) oddKey() *fault {
	for _, fields := range labelMaps() {
		if key := oddKeyAt(k.Root, fields); key != nil {
			return &fault{
				Rule: ruleRenderError, Message: "the key " + key.Value + " of " + source.Pointer(fields...)[1:] + " is not a string to kustomize",
				Help: "put the key in quotes", Span: k.File.Span(key),
			}
		}
	}
	return nil
}

func oddKeyAt(n *yaml.Node, fields []string) *yaml.Node {
	switch n = deref(n); {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if key := oddKeyAt(item, fields); key != nil {
				return key
			}
		}
	case n.Kind == yaml.MappingNode && len(fields) > 0:
		_, value := pair(n, fields[0])
		return oddKeyAt(value, fields[1:])
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := deref(n.Content[i]); isOldBool(key) || key.Kind == yaml.ScalarNode && key.ShortTag() != "!!str" && key.ShortTag() != "!!merge" {
				return key
			}
		}
	}
	return nil
}

// unprintable explains that an object has a key that is no string.
func (c *cause) unprintable([]string) *fault {
	for _, l := range append([]*layer{c.layer}, layersOf(c.plan.root)...) {
		if f := l.oddKey(); f != nil {
			return f
		}
	}
	return c.fault("an object has a key that is not a string, which kustomize cannot print", "put keys such as on, yes, n and numbers in quotes")
}
