package render

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// findMisfit finds the node at a path of fields, lists on the way included,
// that has the JSON kind which kustomize's decoder refused there.
func findMisfit(n *yaml.Node, fields []string, kind string) *yaml.Node {
	n = deref(n)
	if len(fields) == 0 && jsonKindOf(n) == kind {
		return n
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if found := findMisfit(item, fields, kind); found != nil {
				return found
			}
		}
		return nil
	}
	if n.Kind == yaml.MappingNode && len(fields) == 0 {
		return misfitValue(n, kind)
	}
	if len(fields) == 0 {
		return nil
	}
	if _, value := pair(n, fields[0]); value != nil {
		return findMisfit(value, fields[1:], kind)
	}
	return nil
}

// misfitValue finds the first value of a mapping that has a JSON kind.
func misfitValue(mapping *yaml.Node, kind string) *yaml.Node {
	for i := 1; i < len(mapping.Content); i += 2 {
		if value := deref(mapping.Content[i]); jsonKindOf(value) == kind {
			return value
		}
	}
	return nil
}

// jsonKindOf is encoding/json's word for what a node becomes.
func jsonKindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "object"
	case yaml.SequenceNode:
		return "array"
	}
	if isOldBool(n) {
		return "bool"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "number"
	case "!!bool":
		return "bool"
	case "!!null":
		return "null"
	}
	return "string"
}

// jsonKind is our word for encoding/json's.
func jsonKind(kind string) string {
	switch kind {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "bool":
		return "a boolean"
	}
	return "a " + kind
}

// goKind is our word for a Go type of kustomize's.
func goKind(name string) string {
	switch {
	case strings.HasPrefix(name, "[]"):
		return "a list"
	case strings.HasPrefix(name, "map"), strings.Contains(name, "types."):
		return "a mapping"
	case name == "bool":
		return "a boolean"
	case strings.HasPrefix(name, "int"):
		return "a number"
	}
	return "a string"
}
