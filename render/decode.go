package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	sigsyaml "sigs.k8s.io/yaml"
)

// errIndirect says that a node must be printed and parsed again to know what
// kustomize makes of it.
var errIndirect = errors.New("not decoded directly")

// objectsOf decodes what kustomize built, in its order.
func objectsOf(resources resmap.ResMap) ([]*Object, error) {
	out := make([]*Object, 0, resources.Size())
	for _, res := range resources.Resources() {
		o, err := objectOf(res)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// objectOf decodes one resource. kustomize prints each node as YAML, parses
// that, prints it as JSON, parses that and prints it as YAML. Decoding the node
// directly gives the same object in nearly all cases; the rest takes the long
// way.
func objectOf(res *resource.Resource) (*Object, error) {
	if value, err := decodeMapping(res.YNode()); err == nil {
		return newObject(value), nil
	}
	text, err := res.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", res.CurId(), err)
	}
	value, err := decodeJSON(text)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", res.CurId(), err)
	}
	o := newObject(value)
	if o.printed, err = sigsyaml.JSONToYAML(text); err != nil {
		return nil, fmt.Errorf("print %s: %w", res.CurId(), err)
	}
	return o, nil
}

// decodeJSON decodes an object with int64 and float64 for its numbers.
func decodeJSON(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value map[string]any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	return settleNumbers(value).(map[string]any), nil
}

func settleNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = settleNumbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = settleNumbers(item)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			f = math.Inf(1)
		}
		return f
	}
	return v
}

func decodeMapping(n *yaml.Node) (map[string]any, error) {
	if n == nil || n.Kind != yaml.MappingNode || n.Anchor != "" {
		return nil, errIndirect
	}
	out := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" || key.Anchor != "" || !plainText(key.Value) || len(key.Value) > maxSimpleKey {
			return nil, errIndirect
		}
		if _, twice := out[key.Value]; twice {
			return nil, errIndirect
		}
		value, err := decodeNode(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		out[key.Value] = value
	}
	return out, nil
}

// maxSimpleKey is well below the length at which YAML needs an explicit "? "
// in front of a key.
const maxSimpleKey = 100

func decodeNode(n *yaml.Node) (any, error) {
	if n.Anchor != "" {
		return nil, errIndirect
	}
	switch n.Kind {
	case yaml.MappingNode:
		return decodeMapping(n)
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			value, err := decodeNode(item)
			if err != nil {
				return nil, err
			}
			out[i] = value
		}
		return out, nil
	case yaml.ScalarNode:
		return decodeScalar(n)
	}
	return nil, errIndirect
}

func decodeScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!str":
		if n.Style&yaml.FoldedStyle != 0 || !plainText(n.Value) {
			return nil, errIndirect
		}
		return n.Value, nil
	case "!!null":
		return nil, nil
	case "!!bool":
		switch n.Value {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil && strconv.FormatInt(v, 10) == n.Value {
			return v, nil
		}
	}
	return nil, errIndirect
}

// plainText reports whether a string survives JSON and both YAML parsers
// unchanged: no control characters but the usual two, none of the line breaks
// and marks that YAML treats specially, no replacement for broken UTF-8.
func plainText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case r == '\n' || r == '\t':
			return false
		case r < 0x20, r >= 0x7f && r <= 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffd, r == 0xfffe, r == 0xffff:
			return true
		}
		return false
	})
}

// printYAML prints a decoded object as kustomize does: keys sorted, two spaces.
func printYAML(value map[string]any) ([]byte, error) {
	return yamlv2.Marshal(value)
}
