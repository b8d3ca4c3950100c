package source

import (
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

var (
	escapeToken   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapeToken = strings.NewReplacer("~1", "/", "~0", "~")
)

// Pointer joins reference tokens to a JSON pointer (RFC 6901): no tokens give
// "", the whole document.
func Pointer(tokens ...string) string {
	var b strings.Builder
	for _, token := range tokens {
		b.WriteByte('/')
		b.WriteString(escapeToken.Replace(token))
	}
	return b.String()
}

// Split returns the reference tokens of a JSON pointer. A leading slash may be
// missing.
func Split(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, token := range tokens {
		tokens[i] = unescapeToken.Replace(token)
	}
	return tokens
}

// Find returns the node at a JSON pointer and, in a mapping, its key; key is
// nil in a sequence and for the root. Aliases and merge keys are followed, so
// both nodes may lie at an anchor elsewhere in the file. The value itself may be
// an alias only where nothing follows it in the pointer. Of duplicate keys the
// last is found.
func Find(root *yaml.Node, pointer string) (key, value *yaml.Node, ok bool) {
	value = root
	for _, token := range Split(pointer) {
		key, value = step(resolved(value), token, 0)
		if value == nil {
			return nil, nil, false
		}
	}
	return key, value, value != nil
}

// resolved is the node that an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// step goes one level down. depth counts merges within merges.
func step(n *yaml.Node, token string, depth int) (key, value *yaml.Node) {
	switch {
	case n == nil || depth > MaxDepth:
		return nil, nil
	case n.Kind == yaml.MappingNode:
		return member(n, token, depth)
	case n.Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Content) && strconv.Itoa(i) == token {
			return nil, n.Content[i]
		}
	}
	return nil, nil
}

// member finds a key of a mapping: its own keys come before merged ones, and of
// merged mappings the first wins.
func member(n *yaml.Node, token string, depth int) (key, value *yaml.Node) {
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if k := resolved(n.Content[i]); k.Kind == yaml.ScalarNode && k.Value == token && !isMerge(k) {
			return n.Content[i], n.Content[i+1]
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		for _, source := range mergeSources(n.Content[i+1]) {
			if source.Kind != yaml.MappingNode {
				continue
			}
			if key, value = step(source, token, depth+1); value != nil {
				return key, value
			}
		}
	}
	return nil, nil
}

// isMerge reports whether a key is YAML's merge key. A quoted "<<" is a key
// like any other.
func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Tag == mergeTag
}

// mergeSources are the nodes that a merge key takes in, the strongest first.
func mergeSources(value *yaml.Node) []*yaml.Node {
	value = resolved(value)
	if value.Kind != yaml.SequenceNode {
		return []*yaml.Node{value}
	}
	sources := make([]*yaml.Node, 0, len(value.Content))
	for _, item := range value.Content {
		sources = append(sources, resolved(item))
	}
	return sources
}
