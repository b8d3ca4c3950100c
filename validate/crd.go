package validate

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

const (
	crdKind  = "CustomResourceDefinition"
	crdGroup = "apiextensions.k8s.io"
)

// crd is one CustomResourceDefinition. It is converted and compiled when it is
// first asked for.
type crd struct {
	file  string       // empty for one of the render
	span  finding.Span // its place in file
	name  string
	group string
	kind  string

	value    map[string]any
	versions func() (map[string]crdVersion, error) // by "group/version/Kind"
	mu       sync.Mutex
	shapes   map[string]*shape
}

// newCRD wraps a decoded object; nil if it is no definition or names no kind.
func newCRD(value map[string]any) *crd {
	apiVersion, _ := value["apiVersion"].(string)
	if value["kind"] != crdKind || !strings.HasPrefix(apiVersion, crdGroup+"/") {
		return nil
	}
	c := &crd{value: value, shapes: map[string]*shape{}}
	c.name, _ = at(value, []string{"metadata", "name"}).(string)
	c.group, _ = at(value, []string{"spec", "group"}).(string)
	c.kind, _ = at(value, []string{"spec", "names", "kind"}).(string)
	if c.group == "" || c.kind == "" {
		return nil
	}
	c.versions = sync.OnceValues(func() (map[string]crdVersion, error) { return crdSchemas(value) })
	return c
}

// shape returns the schema of one version, or nil if the definition does not
// serve it. An error says what is wrong with the definition.
func (c *crd) shape(gvk string) (*shape, error) {
	versions, err := c.versions()
	if err != nil {
		return nil, err
	}
	version, ok := versions[gvk]
	if !ok {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shapes[gvk]; s != nil {
		return s, nil
	}
	s, err := compile("crd:/"+gvk, version.Schema, refuse)
	if err != nil {
		return nil, err
	}
	s.defaults = c.openAPI(gvk)
	c.shapes[gvk] = s
	return s, nil
}

// openAPI returns the structural schema of a version as the definition has it.
func (c *crd) openAPI(gvk string) map[string]any {
	spec, _ := c.value["spec"].(map[string]any)
	versions, _ := crdVersions(spec)
	for _, v := range versions {
		if name, _ := v["name"].(string); c.group+"/"+name+"/"+c.kind == gvk {
			return crdOpenAPI(spec, v)
		}
	}
	return nil
}

// served lists the definition's versions as "group/version", in order.
func (c *crd) served() []string {
	versions, _ := c.versions()
	var out []string
	for gvk := range versions {
		apiVersion, _ := splitGVK(gvk)
		out = append(out, apiVersion)
	}
	slices.Sort(out)
	return out
}

// crdFiles are the definitions that lie in a repository. The tree is searched
// once, when the first custom object is met; a file is parsed when it may hold
// a definition that is asked for. It is safe for concurrent use.
type crdFiles struct {
	search func() []*crdFile
	known  sync.Map // of crdsOfKind, by group and kind
}

// crdsOfKind are the definitions of a kind, by path, and the files that seem to
// hold one but do not parse: templates, for example.
type crdsOfKind struct {
	found      []*crd
	unreadable []string
}

// crdFile is a file that speaks of CustomResourceDefinitions.
type crdFile struct {
	path  string
	data  []byte
	parse func() ([]*crd, error)
}

func newCRDFiles(tree repo.Tree) *crdFiles {
	return &crdFiles{search: sync.OnceValue(func() []*crdFile { return searchCRDs(tree) })}
}

// searchCRDs lists the candidates by path. A file that cannot be read is left
// to the checks that report it.
func searchCRDs(tree repo.Tree) []*crdFile {
	var out []*crdFile
	for _, entry := range tree.Files() {
		if entry.Mode > repo.Executable || !source.IsYAML(entry.Path) {
			continue
		}
		data, err := tree.ReadFile(entry.Path)
		if err != nil || !bytes.Contains(data, []byte(crdKind)) {
			continue
		}
		f := &crdFile{path: entry.Path, data: data}
		f.parse = sync.OnceValues(func() ([]*crd, error) { return parseCRDs(f.path, f.data) })
		out = append(out, f)
	}
	return out
}

func parseCRDs(path string, data []byte) ([]*crd, error) {
	file, err := source.Parse(path, data)
	if err != nil {
		return nil, err
	}
	var out []*crd
	for _, doc := range file.Docs {
		value, err := source.Decode(doc.Root)
		if err != nil {
			continue
		}
		for _, object := range items(value) {
			if c := newCRD(object); c != nil {
				c.file, c.span = path, file.Span(doc.Root)
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// items returns the objects of a document: itself, or those of a List.
func items(value any) []map[string]any {
	object, _ := value.(map[string]any)
	kind, _ := object["kind"].(string)
	list, ok := object["items"].([]any)
	if !ok || !strings.HasSuffix(kind, "List") {
		return []map[string]any{object}
	}
	var out []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// find returns the definitions of a kind, those nearest to the directory near
// first.
func (f *crdFiles) find(group, kind, near string) crdsOfKind {
	key := [2]string{group, kind}
	known, ok := f.known.Load(key)
	if !ok {
		known, _ = f.known.LoadOrStore(key, f.ofKind(group, kind))
	}
	all := known.(crdsOfKind)
	if len(all.found) > 1 {
		all.found = slices.Clone(all.found)
		slices.SortStableFunc(all.found, func(a, b *crd) int {
			return cmp.Compare(shared(b.file, near), shared(a.file, near))
		})
	}
	return all
}

// ofKind parses the files that mention both names.
func (f *crdFiles) ofKind(group, kind string) (all crdsOfKind) {
	for _, file := range f.search() {
		if !bytes.Contains(file.data, []byte(group)) || !bytes.Contains(file.data, []byte(kind)) {
			continue
		}
		crds, err := file.parse()
		if err != nil {
			all.unreadable = append(all.unreadable, file.path)
		}
		for _, c := range crds {
			if c.group == group && c.kind == kind {
				all.found = append(all.found, c)
			}
		}
	}
	return all
}

// shared counts the leading directories that a file shares with a directory.
func shared(file, dir string) int {
	a, b := strings.Split(file, "/"), strings.Split(dir, "/")
	n := 0
	for n < len(a)-1 && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// broken is the finding about a definition that cannot be used.
func (c *crd) broken(err error) finding.Finding {
	return finding.Finding{
		Rule:     ruleInvalid,
		Severity: finding.Error,
		Message:  fmt.Sprintf("the definition of %s in %s cannot be used: %v", c.kind, c.group, err),
		Help:     "correct the CustomResourceDefinition; until then its objects are not checked",
		Object:   &finding.Object{APIVersion: crdGroup + "/v1", Kind: crdKind, Name: c.name},
		Location: c.span,
	}
}
