package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// Object is one Kubernetes object of a rendered target. Value holds the decoded
// object with JSON's types: map[string]any, []any, string, bool, nil, int64 and
// float64. Checks must not change it.
type Object struct {
	finding.Object
	Value map[string]any

	printed []byte // what kustomize prints, where that cannot be told from Value
}

func newObject(value map[string]any) *Object {
	o := &Object{Value: value}
	o.APIVersion, _ = value["apiVersion"].(string)
	o.Kind, _ = value["kind"].(string)
	if metadata, ok := value["metadata"].(map[string]any); ok {
		o.Name, _ = metadata["name"].(string)
		o.Namespace, _ = metadata["namespace"].(string)
		if generated, ok := metadata["generateName"].(string); ok && o.Name == "" {
			o.Name = generated
		}
	}
	return o
}

// YAML returns the object as kustomize prints it.
func (o *Object) YAML() ([]byte, error) {
	if o.printed != nil {
		return o.printed, nil
	}
	text, err := printYAML(o.Value)
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", o.Object, err)
	}
	return text, nil
}

// Replace sets the string at an RFC 6901 pointer, which must exist, in Value and
// in what YAML prints. It must not run beside a reader of the object.
func (o *Object) Replace(pointer, value string) error {
	tokens := source.Split(pointer)
	if len(tokens) == 0 {
		return fmt.Errorf("replace %q in %s: names the whole object", pointer, o.Object)
	}
	var at any = o.Value
	for i, token := range tokens {
		last := i == len(tokens)-1
		switch node := at.(type) {
		case map[string]any:
			next, ok := node[token]
			if !ok {
				return fmt.Errorf("replace %q in %s: no such field", pointer, o.Object)
			}
			if last {
				node[token] = value
			}
			at = next
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(node) {
				return fmt.Errorf("replace %q in %s: no such item", pointer, o.Object)
			}
			if last {
				node[n] = value
			}
			at = node[n]
		default:
			return fmt.Errorf("replace %q in %s: no such field", pointer, o.Object)
		}
	}
	o.printed = nil
	return nil
}

// YAML returns the target as `kustomize build` prints it.
func (r *Rendered) YAML() ([]byte, error) {
	var out bytes.Buffer
	for i, o := range r.Objects {
		text, err := o.YAML()
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", r.Target.Path, err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// Digest returns "sha256:" and the hex digest of YAML, and "" where the target
// cannot be printed.
func (r *Rendered) Digest() string {
	text, err := r.YAML()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
