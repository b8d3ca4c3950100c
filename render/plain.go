package render

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// holding is what a file in a directory of plain manifests is.
type holding uint8

const (
	other     holding = iota // data, a program's configuration, nothing
	templated                // a template of manifests, which is no YAML yet
	manifests                // objects, or what was meant to be
)

// holds tells what a file is. A file that looks like a manifest and is broken
// counts as one: the build says what is wrong.
func holds(name string, data []byte) holding {
	if !looksLikeManifest(data) {
		return other
	}
	file, err := source.Parse(name, data)
	if err != nil {
		return unparsed(data, err)
	}
	return parsedHolding(file)
}

// parsedHolding tells what a file is that can be parsed. kustomize's parser reads
// a line of a template as a mapping in a mapping, and drops what follows.
func parsedHolding(file *source.File) holding {
	meant := func(doc *source.Document) bool {
		key, _ := misspelt(doc.Root)
		return key != nil || isManifest(doc.Root)
	}
	switch {
	case slices.ContainsFunc(file.Docs, meant):
		return manifests
	case showsManifest(file.Data) && slices.ContainsFunc(file.Docs, func(doc *source.Document) bool { return isAction(doc.Root) }):
		return templated
	}
	return other
}

// isAction reports whether a document is a template action.
func isAction(root *yaml.Node) bool {
	return root.Kind == yaml.MappingNode && len(root.Content) > 0 && root.Content[0].Kind == yaml.MappingNode
}

// unparsed tells what a file is that cannot be parsed.
func unparsed(data []byte, err error) holding {
	var bad *source.Error
	switch {
	case errors.As(err, &bad) && bad.Unsafe:
		return manifests
	case !showsManifest(data):
		return other
	case templateAt(data) > 0:
		return templated
	}
	return manifests
}

// templateFault warns of a file that a target does not contain.
func templateFault(name string, data []byte) *fault {
	at := finding.Position{Line: max(1, templateAt(data)), Column: 1}
	return &fault{
		Rule: ruleRenderError, Severity: finding.Warning, Message: "this file is a template and not YAML, so it is left out of the target",
		Help: "render it into the repository, or move it out of the directory", Span: finding.Span{File: name, Start: at, End: at},
	}
}

// manifestObjects decodes the Kubernetes objects of a file. Beside an object
// every document must be one: the API server's clients stop at the first that
// is not.
func manifestObjects(file *source.File) (objects []*Object, faults []*fault) {
	for _, doc := range file.Docs {
		if f := documentFault(file, doc.Root); f != nil {
			faults = append(faults, f)
			continue
		}
		if !isManifest(doc.Root) {
			continue
		}
		found, bad := expand(file, doc.Root)
		objects, faults = append(objects, found...), append(faults, bad...)
	}
	return objects, faults
}

// documentFault says why a document beside objects is none.
func documentFault(file *source.File, root *yaml.Node) *fault {
	const help = "every document of the file must be an object with apiVersion, kind and metadata; keep other data in another file"
	f := &fault{Rule: ruleRenderError, Help: help, Span: file.Span(root)}
	if key, want := misspelt(root); key != nil {
		f.Message, f.Help, f.Span = "the key "+key.Value+" is not "+want, "keys are told apart by case: write "+want, file.Span(key)
		return f
	}
	switch h := headOf(root); {
	case isManifest(root), h.typed() && (h.foreign() || emptyList(h, root)):
		return nil
	case root.Kind != yaml.MappingNode:
		f.Message = "a document beside objects must be an object, this is " + kindName(root)
	case isAction(root):
		f.Message = "a document beside objects must be an object, this is a template action"
	case h.version == "" && h.kind == "":
		f.Message = "a document beside objects has neither apiVersion nor kind"
	case h.kind == "":
		f.Message = "an object has no kind"
	case h.version == "":
		f.Message = "an object has no apiVersion"
	default:
		f.Message = "an object has no metadata"
	}
	return f
}

// emptyList reports whether an object is a list whose items are null.
func emptyList(h head, root *yaml.Node) bool {
	_, items, ok := source.Find(root, "/items")
	return ok && strings.HasSuffix(h.kind, "List") && items.ShortTag() == "!!null"
}
