package secrets

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// deref returns the node that an alias stands for.
func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// get returns the value of a key of a mapping, the last one of duplicates, or
// nil. Merge keys are followed.
func get(n *yaml.Node, name string) *yaml.Node {
	_, v := member(n, name)
	return v
}

func member(n *yaml.Node, name string) (key, value *yaml.Node) {
	return memberAt(n, name, 0)
}

// maxMerges bounds merges within merges; source.Parse refuses cycles, and real
// files have one level.
const maxMerges = 32

func memberAt(n *yaml.Node, name string, depth int) (key, value *yaml.Node) {
	if n == nil || depth > maxMerges {
		return nil, nil
	}
	if n = deref(n); n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if deref(n.Content[i]).Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		sources := []*yaml.Node{n.Content[i+1]}
		if list := deref(n.Content[i+1]); list.Kind == yaml.SequenceNode {
			sources = list.Content
		}
		for _, s := range sources {
			if key, value = memberAt(s, name, depth+1); value != nil {
				return key, value
			}
		}
	}
	return nil, nil
}

// text of a scalar under a key, "" where there is none.
func getText(n *yaml.Node, name string) string {
	v := get(n, name)
	if v == nil || deref(v).Kind != yaml.ScalarNode {
		return ""
	}
	return deref(v).Value
}

// A leaf is a scalar within a tree, and how one gets there.
type leaf struct {
	node   *yaml.Node // the scalar; where an alias leads, the scalar at its anchor
	tokens []string   // keys and list indexes
	keys   []string   // keys only
}

// leaves calls visit for every scalar value at or below n. Keys are no values.
func leaves(n *yaml.Node, at leaf, visit func(leaf)) {
	switch n.Kind {
	case yaml.AliasNode:
		if n.Alias != nil {
			leaves(n.Alias, at, visit)
		}
	case yaml.ScalarNode:
		at.node = n
		visit(at)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			leaves(item, leaf{tokens: with(at.tokens, strconv.Itoa(i)), keys: at.keys}, visit)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Tag == "!!merge" {
				leaves(n.Content[i+1], at, visit)
				continue
			}
			key := deref(n.Content[i]).Value
			leaves(n.Content[i+1], leaf{tokens: with(at.tokens, key), keys: with(at.keys, key)}, visit)
		}
	}
}

// with returns path with one more element, sharing nothing with its siblings.
func with(path []string, last string) []string {
	return append(path[:len(path):len(path)], last)
}
