package render

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// transformers adds the changes of the builtin transformers that the
// transformers field configures. kustomize runs those that are written inline
// first.
func (t *tracer) transformers(l *layer, objects []*origin) []*origin {
	for _, inline := range []bool{true, false} {
		for i := range l.Refs {
			ref := &l.Refs[i]
			if ref.Role != roleTransformer || ref.Inline != inline || ref.Remote {
				continue
			}
			for _, config := range t.configurations(l, ref) {
				objects = t.transform(config.layer(l), objects)
			}
		}
	}
	return objects
}

// configuration is one document that configures a builtin transformer.
type configuration struct {
	file *source.File
	root *yaml.Node
}

// configurations reads what a reference of the transformers field leads to: a
// text, a file, or a directory with a kustomization of such files.
func (t *tracer) configurations(l *layer, ref *reference) (out []configuration) {
	for _, below := range l.Below {
		if below.Via != ref {
			continue
		}
		for i := range below.Refs {
			if r := &below.Refs[i]; r.Role == roleResource && !r.Remote {
				out = append(out, t.configurations(below, r)...)
			}
		}
		return out
	}
	f := t.patchFile(l.kustomization, ref)
	if f == nil {
		return nil
	}
	for _, doc := range f.Docs {
		if root := deref(doc.Root); textAt(root, "/apiVersion") == "builtin" {
			out = append(out, configuration{f, root})
		}
	}
	return out
}

// layer is a kustomization that does what the transformer does: each of them is
// a field of a kustomization under another name.
func (c configuration) layer(l *layer) *layer {
	k := &kustomization{Dir: l.Dir, Path: c.file.Path, File: c.file, Root: c.fields()}
	k.Refs = k.references()
	return &layer{kustomization: k}
}

// fields are the fields of the kustomization, with the nodes of the document.
func (c configuration) fields() *yaml.Node {
	switch textAt(c.root, "/kind") {
	case "PatchTransformer":
		return mapping("patches", list(c.root))
	case "PatchJson6902Transformer":
		return mapping("patchesJson6902", list(mapping("target", c.member("target"), "path", c.member("path"), "patch", c.member("jsonOp"))))
	case "PatchStrategicMergeTransformer":
		paths := c.member("paths")
		if paths == nil || paths.Kind != yaml.SequenceNode {
			paths = list()
		}
		return mapping("patchesStrategicMerge", list(append(slices.Clone(paths.Content), c.member("patches"))...))
	case "NamespaceTransformer":
		_, namespace, _ := source.Find(c.root, "/metadata/namespace")
		return mapping("namespace", namespace)
	case "PrefixTransformer", "SuffixTransformer":
		if c.reaches("metadata/name") {
			return mapping("namePrefix", c.member("prefix"), "nameSuffix", c.member("suffix"))
		}
	case "LabelTransformer":
		return mapping("commonLabels", c.member("labels"), "configurations", c.member("fieldSpecs"))
	case "AnnotationsTransformer":
		return mapping("commonAnnotations", c.member("annotations"), "configurations", c.member("fieldSpecs"))
	case "ImageTagTransformer":
		return mapping("images", list(c.member("imageTag")))
	case "ReplicaCountTransformer":
		return mapping("replicas", list(c.member("replica")))
	case "ReplacementTransformer":
		return mapping("replacements", c.member("replacements"))
	}
	return mapping()
}

func (c configuration) member(name string) *yaml.Node {
	_, value := pair(c.root, name)
	return deref(value)
}

// reaches reports whether one of the field specs is for a path. A transformer
// that is configured in a file has no others.
func (c configuration) reaches(path string) bool {
	specs := c.member("fieldSpecs")
	return specs != nil && slices.ContainsFunc(specs.Content, func(n *yaml.Node) bool { return valueOf(n, "path") == path })
}

// mapping makes a node of names and values; a value that is nil is left out.
func mapping(pairs ...any) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := pairs[i+1].(*yaml.Node); value != nil {
			key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: pairs[i].(string)}
			out.Content = append(out.Content, key, value)
		}
	}
	return out
}

// list makes a node of the items that are not nil.
func list(items ...*yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, item := range items {
		if item != nil {
			out.Content = append(out.Content, item)
		}
	}
	return out
}
