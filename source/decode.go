package source

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	yaml "go.yaml.in/yaml/v3"
)

// Decode returns a node as the API server would get it from kustomize, in
// JSON's types: map[string]any, []any, string, bool, nil, int64 and float64.
//
// Scalars follow go.yaml.in/yaml/v3, as kustomize does: `yes`, `on` and `n` are
// strings, 0777 and 0o777 are 511, 1_000 is 1000. As in a round trip through
// JSON an integral float is an integer (1e3 is 1000), an integer beyond int64 is
// a float64, and a timestamp is its RFC 3339 text. Keys are strings. NaN and the
// infinities have no JSON form: an error.
//
// The node must come from [Parse], which bounds its depth and its aliases. The
// error names a line and never quotes a value.
func Decode(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return Decode(n.Alias)
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return nil, nil
		}
		return Decode(n.Content[0])
	case yaml.MappingNode:
		return decodeMapping(n)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := Decode(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	v, err := decodeScalar(n)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return v, nil
}

func decodeMapping(n *yaml.Node) (map[string]any, error) {
	out := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			continue
		}
		key, err := decodeKey(n.Content[i])
		if err != nil {
			return nil, err
		}
		if out[key], err = Decode(n.Content[i+1]); err != nil {
			return nil, err
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		if err := mergeInto(out, n.Content[i+1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mergeInto adds what a merge key takes in; keys that are there stay.
func mergeInto(out map[string]any, value *yaml.Node) error {
	for _, source := range mergeSources(value) {
		if source.Kind != yaml.MappingNode {
			return fmt.Errorf("line %d: a merge key takes a mapping or a list of mappings", value.Line)
		}
		merged, err := decodeMapping(source)
		if err != nil {
			return err
		}
		for key, v := range merged {
			if _, ok := out[key]; !ok {
				out[key] = v
			}
		}
	}
	return nil
}

// decodeKey returns a key as sigs.k8s.io/yaml writes it: numbers and booleans
// as their text.
func decodeKey(n *yaml.Node) (string, error) {
	n = resolved(n)
	if n.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("line %d: a key must be a scalar", n.Line)
	}
	if n.Tag == strTag || n.Tag == nullTag {
		return n.Value, nil
	}
	v, err := decodeScalar(n)
	if err != nil {
		return "", fmt.Errorf("line %d: %w", n.Line, err)
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	return n.Value, nil
}

var errScalar = errors.New("the value does not fit its type")

func decodeScalar(n *yaml.Node) (any, error) {
	switch n.Tag {
	case strTag, mergeTag:
		return n.Value, nil
	case nullTag, boolTag, intTag, floatTag, timestampTag:
		return decodeResolved(n)
	case binaryTag:
		data, err := base64.StdEncoding.DecodeString(n.Value)
		if err != nil {
			return nil, errScalar
		}
		return string(data), nil
	}
	return n.Value, nil
}

// decodeResolved lets the parser resolve a scalar that is no string.
func decodeResolved(n *yaml.Node) (any, error) {
	switch {
	case n.Tag == intTag && len(n.Value) < 19 && isDecimal(n.Value):
		return strconv.ParseInt(n.Value, 10, 64)
	case n.Tag == boolTag && (n.Value == "true" || n.Value == "false"):
		return n.Value == "true", nil
	case n.Tag == nullTag && n.Value == "":
		return nil, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, errScalar
	}
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		return decodeFloat(v)
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	}
	return v, nil
}

// isDecimal reports whether text is a decimal number without a leading zero,
// which would make it octal.
func isDecimal(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' || i == 0 && text[i] == '0' && len(text) > 1 {
			return false
		}
	}
	return text != ""
}

// decodeFloat gives a float64 as it reads back from JSON.
func decodeFloat(v float64) (any, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, errors.New("not a number that JSON can hold")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, errScalar
	}
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return i, nil
	}
	return v, nil
}
