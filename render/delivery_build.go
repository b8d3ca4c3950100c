package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/resid"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// delivered is the kustomization that a delivery builds: the one of its
// directory, or one that lists the manifests there, with what the delivery adds.
type delivered struct {
	*kustomization
	delivery *Delivery
	data     []byte     // what kustomize reads in place of the file
	made     bool       // no such file exists
	added    *yaml.Node // the text of the delivery, a document of File behind the others
}

// deliver reads the directory of a delivery. The error is a *fault.
func (b *Builder) deliver(d *Delivery) (*delivered, error) {
	out := &delivered{delivery: d}
	base, err := b.load(d.Dir)
	name, text, root := "", []byte(nil), (*yaml.Node)(nil)
	switch {
	case errors.Is(err, errNoKustomization):
		name, out.made = freeName(b.tree, d.Dir), true
	case err != nil:
		return nil, err
	default:
		name, text = base.Path, base.File.Data
	}
	file, added, err := d.mergeText(name, text)
	if err != nil {
		return nil, unparsable(name, err)
	}
	if len(file.Docs) > 0 {
		root = file.Docs[0].Root
	}
	if _, fields, ok := source.Find(added, "/kustomize"); ok {
		root = mergeFields(root, fields)
	}
	if out.made {
		root = mergeFields(root, listing("resources", b.manifestsBelow(d.Dir), added))
	}
	out.added = added
	return out, out.settle(d.Dir, name, file, root, base)
}

// settle makes the kustomization of its parts.
func (k *delivered) settle(dir, name string, file *source.File, root *yaml.Node, base *kustomization) error {
	wrong := &fault{Rule: ruleRenderError, Message: "what " + k.delivery.Object.Kind + " adds is no part of a kustomization", Span: file.Span(k.added)}
	value, err := source.Decode(root)
	if err != nil {
		return wrong
	}
	if k.data, err = json.Marshal(value); err != nil {
		return wrong
	}
	legal, err := parseKustomization(dir, name, k.data)
	if err != nil {
		return wrong
	}
	k.kustomization = &kustomization{Dir: dir, Path: name, File: file, Root: root, Component: legal.Component, OpenAPI: legal.OpenAPI}
	k.Refs = k.references()
	return nil
}

// freeName is a name of a kustomization file that does not exist in a directory
// without a kustomization. A Flux object may have one of the three.
func freeName(tree repo.Tree, dir string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, taken := tree.Lookup(path.Join(dir, name)); !taken {
			return path.Join(dir, name)
		}
	}
	return path.Join(dir, konfig.DefaultKustomizationFileName())
}

// listing is a mapping with one list, all at the place of a node.
func listing(field string, items []string, at *yaml.Node) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: at.Line, Column: at.Column}
	for _, item := range items {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: item, Line: at.Line, Column: at.Column})
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: field, Line: at.Line, Column: at.Column}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key, list}}
}

// manifestsBelow lists what Flux takes from a directory without a kustomization,
// relative to it: every manifest below, and in place of those of a directory
// with a kustomization that directory.
func (b *Builder) manifestsBelow(dir string) []string {
	var out []string
	taken := map[string]bool{}
	for _, entry := range below(b.tree, dir) {
		if owner := ownerOf(b.tree, dir, entry.Path); owner != "" {
			if !taken[owner] {
				taken[owner] = true
				out = append(out, relative(dir, owner))
			}
			continue
		}
		if ext := path.Ext(entry.Path); ext != ".yaml" && ext != ".yml" || entry.Mode > repo.Executable {
			continue
		}
		if data, err := b.tree.ReadFile(entry.Path); err == nil && holds(entry.Path, data) == manifests {
			out = append(out, relative(dir, entry.Path))
		}
	}
	return out
}

// ownerOf is the topmost directory between dir and a file below it that has a
// kustomization, "" where none has.
func ownerOf(tree repo.Tree, dir, file string) string {
	owner := ""
	for up := path.Dir(file); up != dir && up != "."; up = path.Dir(up) {
		if _, err := spellings(tree, up); err == nil {
			owner = up
		}
	}
	return owner
}

// below lists the files below a directory.
func below(tree repo.Tree, dir string) []repo.Entry {
	files := tree.Files()
	if dir == "." {
		return files
	}
	prefix := dir + "/"
	start, _ := slices.BinarySearchFunc(files, prefix, func(e repo.Entry, p string) int { return strings.Compare(e.Path, p) })
	end := start
	for end < len(files) && strings.HasPrefix(files[end].Path, prefix) {
		end++
	}
	return files[start:end]
}

func relative(dir, name string) string {
	if dir == "." {
		return name
	}
	return strings.TrimPrefix(name, dir+"/")
}

// original turns a span of the merged text into one of the repository.
func (k *delivered) original(rest func(finding.Span) finding.Span, tree repo.Tree) func(finding.Span) finding.Span {
	if k.added == nil {
		return rest
	}
	first := k.File.Span(k.added).Start.Line
	return func(span finding.Span) finding.Span {
		if span.File != k.Path || span.Start.Line < first && !(k.made && span.Start.Line == 0) {
			return rest(span)
		}
		return k.set(span, tree)
	}
}

// set is where the object sets what the text of the delivery has at a place.
func (k *delivered) set(span finding.Span, tree repo.Tree) finding.Span {
	pointer, node := k.at(span.Start)
	for {
		if at, ok := k.delivery.Spans[pointer]; ok {
			return k.within(at, node, span, tree)
		}
		if pointer == "" {
			return finding.Span{File: k.delivery.Object.Name}
		}
		pointer, node = pointer[:strings.LastIndexByte(pointer, '/')], nil
	}
}

// at finds the value of the delivery's text at a place, or before it.
func (k *delivered) at(pos finding.Position) (string, *yaml.Node) {
	pointer, node := "", (*yaml.Node)(nil)
	reached := func(n *yaml.Node) bool {
		start := k.File.Span(n).Start
		return start.Line < pos.Line || start.Line == pos.Line && start.Column <= pos.Column
	}
	var walk func(n *yaml.Node, at string)
	walk = func(n *yaml.Node, at string) {
		if reached(n) {
			pointer, node = at, n
		}
		for i, item := range n.Content {
			switch {
			case n.Kind == yaml.SequenceNode:
				walk(item, at+source.Pointer(strconv.Itoa(i)))
			case i%2 == 0 && reached(item):
				pointer, node = at+source.Pointer(item.Value), item
			case i%2 == 1:
				walk(item, at+source.Pointer(n.Content[i-1].Value))
			}
		}
	}
	walk(k.added, "")
	return pointer, node
}

// within finds the line of a text of several lines, where the object writes it
// as a block too.
func (k *delivered) within(at finding.Span, node *yaml.Node, span finding.Span, tree repo.Tree) finding.Span {
	if node == nil || node.Style&yaml.LiteralStyle == 0 || span.Start.Line <= node.Line {
		return at
	}
	data, err := tree.ReadFile(at.File)
	if err != nil {
		return at
	}
	lines := strings.Split(string(data), "\n")
	n := at.Start.Line + span.Start.Line - node.Line
	if n > len(lines) {
		return at
	}
	ours, theirs := strings.Split(string(k.File.Data), "\n")[span.Start.Line-1], lines[n-1]
	if strings.TrimSpace(ours) != strings.TrimSpace(theirs) {
		return at
	}
	shift := indent(theirs) - indent(ours)
	out := finding.Span{File: at.File, Start: span.Start, End: span.End}
	out.Start.Line, out.Start.Column = n, max(1, span.Start.Column+shift)
	out.End.Line, out.End.Column = n, max(1, span.End.Column+shift)
	return out
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// finish gives the objects what the delivery adds behind kustomize: metadata, and
// a namespace to those of built-in kinds that need one and have none.
func (k *delivered) finish(resources resmap.ResMap) error {
	labels, annotations := k.metadata("labels"), k.metadata("annotations")
	namespace := valueOf(k.added, "namespace")
	for _, res := range resources.Resources() {
		if err := join(res.GetLabels, res.SetLabels, labels); err != nil {
			return fmt.Errorf("label %s: %w", res.CurId(), err)
		}
		if err := join(res.GetAnnotations, res.SetAnnotations, annotations); err != nil {
			return fmt.Errorf("annotate %s: %w", res.CurId(), err)
		}
		gvk := res.GetGvk()
		if namespace == "" || res.GetNamespace() != "" || gvk.IsClusterScoped() || !isBuiltIn(gvk.Group) {
			continue
		}
		if err := res.SetNamespace(namespace); err != nil {
			return fmt.Errorf("namespace of %s: %w", res.CurId(), err)
		}
	}
	return nil
}

// metadata is a mapping that every object gets.
func (k *delivered) metadata(field string) map[string]string {
	return stringsAt(k.added, source.Pointer("metadata", field))
}

// join sets further entries of a mapping.
func join(get func(...string) map[string]string, set func(map[string]string) error, more map[string]string) error {
	if len(more) == 0 {
		return nil
	}
	all := get()
	maps.Copy(all, more)
	return set(all)
}

// trace adds what finish does to the objects of a target.
func (k *delivered) trace(objects []*origin) {
	for _, field := range []string{"labels", "annotations"} {
		_, values, _ := source.Find(k.added, source.Pointer("metadata", field))
		if values = deref(values); values == nil || values.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(values.Content); i += 2 {
			k.sets(objects, values.Content[i+1], "metadata", field, values.Content[i].Value)
		}
	}
	if _, namespace := pair(k.added, "namespace"); namespace != nil {
		without := slices.DeleteFunc(slices.Clone(objects), func(o *origin) bool { return o.namespace() != "" })
		k.sets(without, namespace, "metadata", "namespace")
		for _, o := range without {
			o.move(namespace.Value)
		}
	}
}

// sets adds the change of one field.
func (k *delivered) sets(objects []*origin, value *yaml.Node, path ...string) {
	s := setting{span: k.File.Span(value), value: value.Value, known: true}
	for _, o := range objects {
		o.changes = append(o.changes, func(q *query, _ *setting) (setting, bool) { return s, q.is(path...) })
	}
}

// dir is the directory that the target builds.
func (t Target) dir() string {
	if t.Delivery != nil {
		return t.Delivery.Dir
	}
	return t.Path
}

// planDelivery plans what an object delivers. Flux builds without load
// restriction, so that nothing is to be said about it.
func (b *Builder) planDelivery(tree *recorder, t Target) *plan {
	w := b.planner(tree)
	tree.add(t.Delivery.Reads)
	k, err := b.deliver(t.Delivery)
	if err != nil {
		w.fail(startFault(t.Delivery.Dir, err))
		return w.plan
	}
	w.added = k
	if loaded, err := w.load(t.Delivery.Dir); err == nil {
		w.root = w.walk(loaded, nil, nil)
	}
	if t.Kind == Flux {
		w.unrestricted = true
		w.warnings = slices.DeleteFunc(w.warnings, func(f *fault) bool { return f.Rule == ruleLoadRestriction })
	}
	return w.plan
}

// buildPlain takes the manifests of a directory as Argo CD does: as they are,
// those without a namespace in the one of the Application.
func (b *Builder) buildPlain(tree *recorder, r *Rendered) {
	d := r.Target.Delivery
	tree.add(d.Reads)
	file, added, err := d.mergeText(d.Object.Name, nil)
	if err != nil {
		r.fail(unparsable(d.Object.Name, err))
		return
	}
	r.added = &delivered{kustomization: &kustomization{Path: d.Object.Name, File: file}, delivery: d, made: true, added: added}
	r.original = r.added.original(r.original, b.tree)
	b.buildDirectory(tree, r, b.plainFiles(d))
	for _, o := range r.Objects {
		o.settleNamespace(valueOf(added, "namespace"))
	}
}

// settleNamespace gives an object of a built-in kind a namespace, where it needs
// one and has none.
func (o *Object) settleNamespace(namespace string) {
	group, version := splitVersion(o.APIVersion)
	gvk := resid.NewGvk(group, version, o.Kind)
	metadata, ok := o.Value["metadata"].(map[string]any)
	if namespace == "" || o.Namespace != "" || !ok || gvk.IsClusterScoped() || !isBuiltIn(group) {
		return
	}
	metadata["namespace"], o.Namespace, o.printed = namespace, namespace, nil
}

// plainFiles lists the manifests that Argo CD takes from a directory.
func (b *Builder) plainFiles(d *Delivery) []string {
	files := filesIn(b.tree, d.Dir)
	if d.Plain.Recurse {
		files = nil
		for _, entry := range below(b.tree, d.Dir) {
			files = append(files, entry.Path)
		}
	}
	return slices.DeleteFunc(files, func(name string) bool {
		rel := relative(d.Dir, name)
		return d.Plain.Exclude != "" && matchesGlob(d.Plain.Exclude, rel) || d.Plain.Include != "" && !matchesGlob(d.Plain.Include, rel)
	})
}

// matchesGlob fits a path to a glob of Argo CD's, in which * spans slashes.
func matchesGlob(pattern, name string) bool {
	ok, err := doublestar.Match(strings.ReplaceAll(pattern, "*", "**"), name)
	return err == nil && (ok || pattern == name)
}
