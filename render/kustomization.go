package render

import (
	"errors"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// kustomization is one parsed kustomization file, with the place of everything
// it refers to.
type kustomization struct {
	Dir       string // relative to the repository root, "." for the root
	Path      string // of the file
	File      *source.File
	Root      *yaml.Node // its mapping; nil for an empty file
	Component bool
	OpenAPI   bool        // has an openapi field: its builds run alone
	Refs      []reference // in the order of the file
}

// errNoKustomization says that a directory holds no kustomization file.
var errNoKustomization = errors.New("no kustomization file")

// spellings lists the kustomization files of a directory under the names that
// kustomize knows.
func spellings(tree repo.Tree, dir string) ([]string, error) {
	var names []string
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, ok := tree.Lookup(path.Join(dir, name)); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, errNoKustomization
	}
	return names, nil
}

func parseKustomization(dir, name string, data []byte) (*kustomization, error) {
	file, err := source.Parse(name, data)
	if err != nil {
		return nil, unparsable(name, err)
	}
	k := &kustomization{Dir: dir, Path: name, File: file}
	if len(file.Docs) > 0 {
		k.Root = file.Docs[0].Root
	}
	if k.Root == nil || k.Root.Kind == yaml.ScalarNode && k.Root.Tag == "!!null" {
		return nil, &fault{Rule: ruleRenderError, Message: "the kustomization file is empty", Help: "list at least one of resources, components or generators, or delete the file", Span: finding.Span{File: name}}
	}
	if k.Root.Kind != yaml.MappingNode {
		return nil, &fault{Rule: ruleRenderError, Message: "a kustomization file must be a mapping, this one is " + kindName(k.Root), Span: file.Span(k.Root)}
	}
	if isFlux(k.Root) {
		return nil, errNoKustomization
	}
	// kustomize's own decoder decides what is a legal kustomization.
	var decoded types.Kustomization
	if err := decoded.Unmarshal(data); err != nil {
		return nil, k.decodeFault(err)
	}
	decoded.FixKustomization()
	if err := decoded.CheckEmpty(); err != nil {
		return nil, &fault{Rule: ruleRenderError, Message: "the kustomization file is empty", Help: "list at least one of resources, components or generators, or delete the file", Span: finding.Span{File: name}}
	}
	if problems := decoded.EnforceFields(); len(problems) > 0 {
		return nil, k.typeFault(decoded.Kind)
	}
	k.Component = decoded.Kind == types.ComponentKind
	k.OpenAPI = k.field("openapi") != nil
	k.Refs = k.references()
	return k, nil
}

// isFlux reports whether a file that is named like a kustomization holds an
// object of Flux's Kustomization kind, a plain manifest.
func isFlux(root *yaml.Node) bool {
	_, version, ok := source.Find(root, "/apiVersion")
	return ok && strings.HasPrefix(version.Value, "kustomize.toolkit.fluxcd.io/")
}

// field returns the value of a top-level field. kustomize decodes through
// encoding/json, which ignores the case of keys.
func (k *kustomization) field(name string) *yaml.Node {
	_, value := k.fieldPair(name)
	return value
}

// ignored warns of documents after the first, which kustomize does not read.
func (k *kustomization) ignored() []*fault {
	if len(k.File.Docs) < 2 {
		return nil
	}
	return []*fault{{
		Rule: ruleRenderError, Severity: finding.Warning, Message: "kustomize ignores every document of a kustomization but the first",
		Help: "move what it holds into the first document, or delete it", Span: k.File.Span(k.File.Docs[1].Root),
	}}
}

// kindSpan is the place of the kind, of the file where it has none.
func (k *kustomization) kindSpan() finding.Span {
	if key, _ := k.fieldPair("kind"); key != nil {
		return k.File.Span(key)
	}
	return finding.Span{File: k.Path}
}

func (k *kustomization) fieldPair(name string) (key, value *yaml.Node) {
	return pair(k.Root, name)
}

// pair finds a key of a mapping in any case; the last one wins, as it does for
// kustomize.
func pair(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	mapping = deref(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if strings.EqualFold(mapping.Content[i].Value, name) {
			key, value = mapping.Content[i], mapping.Content[i+1]
		}
	}
	return key, value
}

func deref(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	return "a single value"
}

// refs returns the references that play one of the roles.
func (k *kustomization) refs(roles ...role) []reference {
	var out []reference
	for _, r := range k.Refs {
		if slices.Contains(roles, r.Role) {
			out = append(out, r)
		}
	}
	return out
}

// findKey finds the first key of that name in a tree, in any case, the
// outermost first.
func findKey(root *yaml.Node, name string) *yaml.Node {
	level := []*yaml.Node{root}
	for len(level) > 0 {
		var next []*yaml.Node
		for _, n := range level {
			if key, _ := pair(n, name); n.Kind == yaml.MappingNode && key != nil {
				return key
			}
			next = append(next, n.Content...)
		}
		level = next
	}
	return nil
}
