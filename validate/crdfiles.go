package validate

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

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

func newCRDFiles(tree repo.Tree, mayDefine func(file string) bool) *crdFiles {
	return &crdFiles{search: sync.OnceValue(func() []*crdFile { return searchCRDs(tree, mayDefine) })}
}

// searchCRDs lists the candidates by path. A file that cannot be read is left
// to the checks that report it.
func searchCRDs(tree repo.Tree, mayDefine func(file string) bool) []*crdFile {
	var out []*crdFile
	for _, entry := range tree.Files() {
		if entry.Mode > repo.Executable || !source.IsYAML(entry.Path) || mayDefine != nil && !mayDefine(entry.Path) {
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
