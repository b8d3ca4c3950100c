package render

import (
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// trace knows where the objects of a target come from.
type trace struct {
	origins map[*Object]*origin
	remote  bool // the target takes in something from the network
	plugins bool // a configured generator makes objects
}

// why says why an object has no place.
func (t *trace) why() string {
	switch {
	case t.remote:
		return "made by a remote base, or changed beyond recognition"
	case t.plugins:
		return "made by a generator that is configured in a file"
	}
	return "kustomize made or renamed the object in a way that cannot be followed"
}

// origin is one object on its way from its manifest through the layers.
type origin struct {
	group, version, kind string

	names       []string // every name it has had, the first one first
	namespaces  []string // likewise; "" where none is set
	labels      map[string]string
	annotations map[string]string
	generated   bool // kustomize adds a hash to its name

	changes []change // in the order in which kustomize applies them

	indexed bool               // a JSON patch names an item of a list by its index
	edits   []func(*slot) bool // what the layers do to the lists of the manifest
	replay  func() *slot       // the manifest after all edits, nil where that is not known
}

func (o *origin) name() string      { return o.names[len(o.names)-1] }
func (o *origin) namespace() string { return o.namespaces[len(o.namespaces)-1] }

func (o *origin) rename(name string) {
	if name != "" && name != o.name() {
		o.names = append(o.names, name)
	}
}

func (o *origin) move(namespace string) {
	if namespace != "" && namespace != o.namespace() {
		o.namespaces = append(o.namespaces, namespace)
	}
}

// sources parses the files of a tree for traces, each once.
type sources struct {
	tree  repo.Tree
	files sync.Map // path -> func() *source.File
}

// file returns nil for a file that cannot be read or parsed.
func (s *sources) file(name string) *source.File {
	once, _ := s.files.LoadOrStore(name, sync.OnceValue(func() *source.File {
		data, err := s.tree.ReadFile(name)
		if err != nil {
			return nil
		}
		f, err := source.Parse(name, data)
		if err != nil {
			return nil
		}
		return f
	}))
	return once.(func() *source.File)()
}

// tracer follows the objects of one target through its layers, in the order in
// which kustomize builds them.
type tracer struct {
	*sources
	*trace
}

// follow traces a rendered target.
func (s *sources) follow(r *Rendered) *trace {
	t := &tracer{sources: s, trace: &trace{origins: map[*Object]*origin{}}}
	var all []*origin
	switch {
	case r.root == nil:
		for _, file := range r.files {
			all = append(all, t.manifest(file)...)
		}
	default:
		all = t.layer(r.root, nil)
	}
	if r.added != nil {
		r.added.trace(all)
	}
	t.match(r.Objects, all)
	return t.trace
}

// layer traces one kustomization. Objects is what a component works on, and
// empty for anything else.
func (t *tracer) layer(l *layer, objects []*origin) []*origin {
	below := map[*reference]*layer{}
	for _, b := range l.Below {
		below[b.Via] = b
	}
	for _, field := range []string{"resources", "bases"} {
		for i := range l.Refs {
			if ref := &l.Refs[i]; ref.Role == roleResource && ref.Field == field {
				objects = append(objects, t.resource(ref, below[ref])...)
			}
		}
	}
	objects = t.generate(l, objects)
	for i := range l.Refs {
		if ref := &l.Refs[i]; ref.Role == roleComponent && below[ref] != nil {
			objects = t.layer(below[ref], objects)
		}
	}
	return t.transform(l, objects)
}

func (t *tracer) resource(ref *reference, below *layer) []*origin {
	switch {
	case ref.Remote:
		t.remote = true
	case below != nil:
		return t.layer(below, nil)
	default:
		return t.manifest(ref.Path)
	}
	return nil
}

// manifest lists the objects of a file.
func (t *tracer) manifest(name string) []*origin {
	f := t.file(name)
	if f == nil {
		return nil
	}
	var out []*origin
	for _, doc := range f.Docs {
		out = append(out, documentOrigins(f, doc.Root)...)
	}
	return out
}

// documentOrigins is the object of a document, or the objects of a list.
func documentOrigins(f *source.File, root *yaml.Node) []*origin {
	root = deref(root)
	if items, ok := listItems(root); ok {
		var out []*origin
		for _, item := range items {
			out = append(out, documentOrigins(f, item)...)
		}
		return out
	}
	if textAt(root, "/kind") == "" {
		return nil
	}
	return []*origin{originAt(f, root)}
}

func originAt(f *source.File, root *yaml.Node) *origin {
	o := &origin{
		kind:        textAt(root, "/kind"),
		names:       []string{textAt(root, "/metadata/name")},
		namespaces:  []string{textAt(root, "/metadata/namespace")},
		labels:      stringsAt(root, "/metadata/labels"),
		annotations: stringsAt(root, "/metadata/annotations"),
	}
	if o.names[0] == "" {
		o.names[0] = textAt(root, "/metadata/generateName")
	}
	o.group, o.version = splitVersion(textAt(root, "/apiVersion"))
	o.generated = o.annotations["kustomize.config.k8s.io/needs-hash"] == "true"
	o.changes = []change{manifestChange(f, root)}
	o.replay = sync.OnceValue(func() *slot {
		s := decoded(root)
		for _, edit := range o.edits {
			if s == nil || !edit(s) {
				return nil
			}
		}
		return s
	})
	return o
}

// textAt is the text of a scalar, also of one that is an alias.
func textAt(root *yaml.Node, pointer string) string {
	_, node, _ := source.Find(root, pointer)
	if node = deref(node); node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

// manifestChange is the first change of every object that has a manifest.
func manifestChange(f *source.File, root *yaml.Node) change {
	return func(q *query, _ *setting) (setting, bool) {
		at := q.in(root, 0, false)
		if at.value == nil {
			return setting{}, false
		}
		s := settingAt(f, at.key, at.value)
		s.whole = true
		return s, true
	}
}

func splitVersion(apiVersion string) (group, version string) {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return "", apiVersion
	}
	return group, version
}

// stringsAt decodes a mapping of strings. It is never nil.
func stringsAt(root *yaml.Node, pointer string) map[string]string {
	out := map[string]string{}
	_, node, ok := source.Find(root, pointer)
	if node = deref(node); !ok || node.Kind != yaml.MappingNode {
		return out
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		out[node.Content[i].Value] = deref(node.Content[i+1]).Value
	}
	return out
}
