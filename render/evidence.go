package render

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// The functions of this file look into what a reference names, to find the one
// that an error of kustomize's is about.

// parse returns the documents of a reference's file or text.
func (c *cause) parse(l *layer, ref *reference) (*source.File, error) {
	if ref.Inline {
		return source.Parse(l.Path, []byte(ref.Text))
	}
	data, err := c.tree.ReadFile(ref.Path)
	if err != nil {
		return nil, err
	}
	return source.Parse(ref.Path, data)
}

func (c *cause) roots(l *layer, ref *reference) []*yaml.Node {
	if ref.Remote || ref.Path == "" && !ref.Inline || ref.Role == roleData || ref.Role == roleEnv {
		return nil
	}
	file, err := c.parse(l, ref)
	if err != nil {
		return nil
	}
	var out []*yaml.Node
	for _, doc := range file.Docs {
		out = append(out, doc.Root)
	}
	return out
}

// documents counts the documents of a reference.
func (c *cause) documents(l *layer, ref *reference) int { return len(c.roots(l, ref)) }

// holds reports whether a reference holds an object of that kind and name.
func (c *cause) holds(l *layer, ref *reference, is func(kind, name string) bool) bool {
	return slices.ContainsFunc(c.roots(l, ref), func(root *yaml.Node) bool {
		return is(scalarAt(root, "/kind"), scalarAt(root, "/metadata/name"))
	})
}

// isPatch reports whether a text is either kind of patch.
func (c *cause) isPatch(l *layer, ref *reference) bool {
	roots := c.roots(l, ref)
	return len(roots) > 0 && !slices.ContainsFunc(roots, func(root *yaml.Node) bool {
		return root.Kind != yaml.SequenceNode && (scalarAt(root, "/kind") == "" || scalarAt(root, "/metadata/name") == "")
	})
}

// hasOperation reports whether a JSON patch has an operation on a path, or
// above it: kustomize names the part of the path that it did not find.
func (c *cause) hasOperation(l *layer, ref *reference, op, pointer string) bool {
	for _, root := range c.roots(l, ref) {
		if root.Kind != yaml.SequenceNode {
			continue
		}
		for _, item := range root.Content {
			at := scalarAt(deref(item), "/path")
			if scalarAt(deref(item), "/op") == op && (pointer == "" || strings.HasPrefix(at, pointer)) {
				return true
			}
		}
	}
	return false
}

// lacking finds the object of a reference that lacks a field. The place of text
// in a kustomization is the entry that holds it.
func (c *cause) lacking(l *layer, ref *reference, pointer string) *finding.Span {
	switch ref.Role {
	case roleCRD, roleConfiguration, roleOpenAPI, roleReplacement, roleData, roleEnv:
		return nil
	}
	if ref.Remote || ref.Path == "" && !ref.Inline {
		return nil
	}
	file, err := c.parse(l, ref)
	if err != nil {
		return nil
	}
	for _, doc := range file.Docs {
		_, value, _ := source.Find(doc.Root, pointer)
		empty := value == nil || value.Kind == yaml.ScalarNode && (value.Value == "" || value.ShortTag() == "!!null")
		if doc.Root.Kind != yaml.MappingNode || !empty || strings.HasSuffix(scalarAt(doc.Root, "/kind"), "List") {
			continue
		}
		span := ref.Span
		if !ref.Inline {
			span = file.Span(doc.Root)
		}
		return &span
	}
	return nil
}

// literal places the complaint about a literal without a key.
func (c *cause) literal([]string) *fault {
	f := c.fault("a literal of a generator is not key=value", "write each literal as key=value")
	for _, l := range append([]*layer{c.layer}, layersOf(c.plan.root)...) {
		for _, field := range []string{"configMapGenerator", "secretGenerator"} {
			if node := badLiteral(l.field(field)); node != nil {
				f.Span = l.File.Span(node)
				return f
			}
		}
	}
	return f
}

// badLiteral finds the first literal of a list of generators that has no key.
func badLiteral(generators *yaml.Node) *yaml.Node {
	if generators = deref(generators); generators == nil {
		return nil
	}
	for _, entry := range generators.Content {
		_, literals := pair(entry, "literals")
		if literals = deref(literals); literals == nil {
			continue
		}
		for _, node := range literals.Content {
			if strings.Index(deref(node).Value, "=") < 1 {
				return node
			}
		}
	}
	return nil
}

// atGenerator places a sentence at the generator of that name, which kustomize
// may have given a prefix.
func (c *cause) atGenerator(message, help, name string) *fault {
	f := c.fault(message, help)
	for _, l := range append([]*layer{c.layer}, layersOf(c.plan.root)...) {
		for _, field := range []string{"configMapGenerator", "secretGenerator"} {
			list := deref(l.field(field))
			if list == nil {
				continue
			}
			for _, entry := range list.Content {
				if _, value := pair(entry, "name"); value != nil && value.Value != "" && strings.HasSuffix(name, value.Value) {
					f.Span = l.File.Span(value)
					return f
				}
			}
		}
	}
	return f
}

// parseFault says what is wrong with a file that kustomize parses.
func (c *cause) parseFault(ref *reference) *fault {
	data, err := c.tree.ReadFile(ref.Path)
	if err != nil {
		return nil // a directory
	}
	file, err := source.Parse(ref.Path, data)
	if err != nil {
		return unparsable(ref.Path, err)
	}
	if ref.Role != roleResource {
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Root.Kind != yaml.MappingNode {
			return &fault{Rule: ruleRenderError, Message: "a resource must be an object, this is " + kindName(doc.Root), Help: "list only Kubernetes objects under " + ref.Field, Span: file.Span(doc.Root)}
		}
	}
	return nil
}
