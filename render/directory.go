package render

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// buildDirectory takes every document of every manifest in the directory, in
// the order of the files' names, lists expanded.
func (b *Builder) buildDirectory(tree *recorder, r *Rendered) {
	var faults []*fault
	for _, name := range filesIn(b.tree, r.Target.Path) {
		if !source.IsYAML(name) {
			continue
		}
		data, err := tree.ReadFile(name)
		if err != nil {
			faults = append(faults, unreadable(name, err))
			continue
		}
		if !looksLikeManifest(data) {
			continue
		}
		fatal, rest := b.check(name, data)
		if fatal != nil {
			faults = append(faults, fatal)
			continue
		}
		objects, err := manifestObjects(name, data)
		if err != nil {
			faults = append(faults, unparsable(name, err))
			continue
		}
		if len(objects) == 0 {
			continue
		}
		for _, f := range rest {
			r.Findings = append(r.Findings, f.placed(r.original).finding(r.Target.Path))
		}
		r.Objects = append(r.Objects, objects...)
	}
	r.fail(faults...)
	r.Findings = finding.Merge(r.Findings)
}

// filesIn lists the files directly in a directory, sorted.
func filesIn(tree repo.Tree, dir string) []string {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	files := tree.Files()
	start, _ := slices.BinarySearchFunc(files, prefix, func(e repo.Entry, p string) int { return strings.Compare(e.Path, p) })
	var out []string
	for _, entry := range files[start:] {
		if !strings.HasPrefix(entry.Path, prefix) {
			break
		}
		if path.Dir(entry.Path) == dir {
			out = append(out, entry.Path)
		}
	}
	return out
}

// manifestObjects decodes the Kubernetes objects of a file.
func manifestObjects(name string, data []byte) ([]*Object, error) {
	file, err := source.Parse(name, data)
	if err != nil {
		return nil, err
	}
	var out []*Object
	for _, doc := range file.Docs {
		if !isManifest(doc.Root) {
			continue
		}
		objects, err := expand(doc.Root)
		if err != nil {
			return nil, &source.Error{Span: file.Span(doc.Root), Message: "the object cannot be decoded"}
		}
		out = append(out, objects...)
	}
	return out, nil
}

// expand decodes an object, or the objects of a list, as kustomize expands
// every kind whose name ends in List and that has items.
func expand(root *yaml.Node) ([]*Object, error) {
	_, kind, _ := source.Find(root, "/kind")
	_, items, _ := source.Find(root, "/items")
	if !strings.HasSuffix(kind.Value, "List") || items == nil || items.Kind != yaml.SequenceNode {
		o, err := decodeObject(root)
		return []*Object{o}, err
	}
	var out []*Object
	for _, item := range items.Content {
		if !isManifest(deref(item)) {
			continue
		}
		objects, err := expand(deref(item))
		if err != nil {
			return nil, err
		}
		out = append(out, objects...)
	}
	return out, nil
}

func decodeObject(root *yaml.Node) (*Object, error) {
	value, err := source.Decode(root)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errIndirect
	}
	return newObject(object), nil
}
