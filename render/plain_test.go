package render

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// plain builds the directory "apps".
func plain(t *testing.T, tree repo.Tree) *Rendered {
	t.Helper()
	r, err := NewBuilder(tree, Options{}).Build(t.Context(), Target{Path: "apps", Kind: Directory})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func objectNames(r *Rendered) (out []string) {
	for _, o := range r.Objects {
		out = append(out, o.APIVersion+" "+o.Object.String())
	}
	return out
}

// The items of a typed list have the list's type, as kubectl has it.
func TestTypedLists(t *testing.T) {
	for text, want := range map[string]string{
		"kind: SecretList\napiVersion: v1\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n":                                                                    "v1 Secret a,v1 Secret b",
		"kind: DeploymentList\napiVersion: apps/v1\nmetadata: {}\nitems: [{metadata: {name: a}}]\n":                                                                   "apps/v1 Deployment a",
		"kind: PodList\napiVersion: v1\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]\n":                                                            "v1 ConfigMap a",
		"kind: List\napiVersion: v1\nitems: [{apiVersion: v1, kind: PodList, items: [{metadata: {name: a}}]}]\n":                                                      "v1 Pod a",
		"kind: List\napiVersion: v1\nx: &p {apiVersion: v1, kind: Pod, metadata: {name: a}}\nitems: [*p]\n":                                                           "v1 Pod a",
		"kind: PodList\napiVersion: v1\nmetadata: {}\nitems: null\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\nkind: PodList\napiVersion: v1\nitems:\n": "v1 PodList ,v1 Pod a",
	} {
		r := plain(t, memory{"apps/a.yaml": text})
		if got := strings.Join(objectNames(r), ","); got != want {
			t.Errorf("%s\ngot  %s %q\nwant %s", text, got, lines(r.Findings), want)
		}
	}
}

// An inherited type is placed at the list's, the rest in the item.
func TestPlaceInTypedList(t *testing.T) {
	r := plain(t, memory{"apps/a.yaml": "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata:\n    name: b\n"})
	for pointer, want := range map[string]string{"/metadata/name": "apps/a.yaml:6:11", "/kind": "apps/a.yaml:2:7"} {
		if got := r.Place(r.Objects[1], pointer).Span.String(); got != want {
			t.Errorf("%s: got %q, want %q", pointer, got, want)
		}
	}
}

// What is no object, where objects are, is never dropped in silence.
func TestPlainManifestFaults(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"an item without a type", "kind: List\napiVersion: v1\nitems:\n- metadata: {name: a}\n", "4:3 an item of a list has neither apiVersion nor kind"},
		{"an item with half a type", "kind: PodList\napiVersion: v1\nitems:\n- {apiVersion: v1, metadata: {name: a}}\n", "4:3 an object has no kind"},
		{"an item that is text", "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: a}\n- hello\n", "5:3 an item of a list must be an object"},
		{"a document without a kind", configMap + "---\napiVersion: v1\nmetadata: {name: a}\n", "6:1 an object has no kind"},
		{"a document without an apiVersion", configMap + "---\nkind: Pod\nmetadata: {name: a}\n", "6:1 an object has no apiVersion"},
		{"a document without metadata", configMap + "---\nkind: Pod\napiVersion: v1\n", "6:1 an object has no metadata"},
		{"a document of data", configMap + "---\nnot: an object\n", "6:1 a document beside objects has neither apiVersion nor kind"},
		{"a document of text", configMap + "---\nhello\n", "6:1 a document beside objects must be an object, this is a single value"},
		{"a document that is a list", configMap + "---\n- a\n", "6:1 a document beside objects must be an object, this is a list"},
		{"a template action", "{{ include \"x\" . }}\n---\n" + configMap, "1:1 a document beside objects must be an object, this is a template action"},
		{"a misspelt kind", "apiVersion: v1\nKind: Pod\nmetadata: {name: a}\n", "2:1 the key Kind is not kind"},
		{"a misspelt apiVersion", "apiversion: v1\nkind: Pod\nspec: {}\n", "1:1 the key apiversion is not apiVersion"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := plain(t, memory{"apps/a.yaml": test.text})
			want := "render-error apps/a.yaml:" + test.want
			if got := lines(r.Findings); !slices.Contains(got, want) || r.Objects != nil || r.Reason == "" {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if d := discovered(t, memory{"apps/a.yaml": test.text}, DiscoverOptions{}); len(d.Targets) != 1 {
				t.Error("not discovered")
			}
		})
	}
}

// Data beside manifests, and documents for programs, are no findings.
func TestDataIsNoManifest(t *testing.T) {
	m := memory{
		"apps/a.yaml":      configMap + "---\n# nothing\n---\napiVersion: skaffold/v4\nkind: Config\nmetadata: {name: x}\n",
		"apps/values.yaml": "replicas: 1\n---\n- kind: x\n",
		"apps/list.yaml":   "- {kind: a, apiVersion: b}\n",
		"apps/tags.yaml":   "a: !Ref b\n? c\n: d\n",
		"apps/broken.yaml": "a: !Ref [\n",
		"data/values.yaml": "kind: a\nname: apiVersion\napiVersion: 3\nKind: b\n",
	}
	r := plain(t, m)
	if len(r.Objects) != 1 || len(r.Findings) > 0 {
		t.Errorf("%q, %q", objectNames(r), lines(r.Findings))
	}
	if d := discovered(t, m, DiscoverOptions{}); len(d.Targets) != 1 || len(d.Skipped) > 0 {
		t.Errorf("%+v", d)
	}
}

// No spelling of a key hides an object.
func TestHiddenKeys(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\n\"\\u006bind\": Pod\nmetadata: {name: a}\n",
		"apiVersion: v1\n\"k\\x69nd\" : Pod\nmetadata: {name: a}\n",
		"apiVersion: v1\n? \"ki\\\n  nd\"\n: Pod\nmetadata: {name: a}\n",
		"apiVersion: v1\n? kind\n: Pod\nmetadata: {name: a}\n",
		"apiVersion: v1\n!!str kind: Pod\nmetadata: {name: a}\n",
		"{\"apiVersion\":\"v1\",\"\\u006bind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}",
		"\ufeffkind: Pod\napiVersion: v1\nmetadata: {name: a}\n",
		"metadata: {name: a}\nx: &x {kind: Pod, apiVersion: v1}\n<<: *x\n",
		"apiVersion: v1\nmetadata: {name: &k kind}\n*k : Pod\n",
		"apiVersion: v1\n&k kind: Pod\nmetadata: {name: a, labels: {x: '{{ y }}'}}\n",
	} {
		m := memory{"apps/a.yaml": text}
		if d := discovered(t, m, DiscoverOptions{}); len(d.Targets) != 1 {
			t.Errorf("%q is not discovered", text)
		}
		if r := plain(t, m); len(r.Objects) != 1 || r.Objects[0].Kind != "Pod" {
			t.Errorf("%q: %q %q", text, objectNames(r), lines(r.Findings))
		}
	}
}

// One line of a template hides nothing: a file that parses is no template, and
// one that does not is named.
func TestTemplates(t *testing.T) {
	m := memory{
		"apps/a.yaml":   configMap + "data:\n  x: |\n    {{ if y }}\n",
		"apps/b.yaml":   configMap + "{{ if y }}\n  a\n",
		"apps/c.yaml":   "{{ if .x }}\n" + configMap + "{{ end }}\n",
		"alone/d.yaml":  "{{- if .x }}\n" + configMap + "{{- end }}\n",
		"broken/e.yaml": configMap + "data: {{ x }\n",
	}
	r := plain(t, m)
	want := []string{
		"render-error apps/b.yaml:5:1 this file is a template and not YAML, so it is left out of the target",
		"render-error apps/c.yaml:1:1 this file is a template and not YAML, so it is left out of the target",
	}
	if got := lines(r.Findings); !slices.Equal(got, want) || len(r.Objects) != 1 {
		t.Errorf("got %q, %q", got, objectNames(r))
	}
	for _, f := range r.Findings {
		if f.Severity != finding.Warning {
			t.Errorf("%s is no warning", f.Location)
		}
	}
	d := discovered(t, m, DiscoverOptions{})
	if got := paths(d.Targets); !slices.Equal(got, []string{"directory apps", "directory broken"}) {
		t.Errorf("got %q", got)
	}
	if got := left(d); !slices.Equal(got, []string{"alone/d.yaml", "apps/b.yaml", "apps/c.yaml"}) {
		t.Errorf("got %q", got)
	}
}

func left(d *Discovery) (out []string) {
	for _, s := range d.Skipped {
		out = append(out, s.Path)
	}
	return out
}

// refusing is a tree that refuses to read one file.
type refusing struct {
	memory
	file string
}

func (r refusing) ReadFile(name string) ([]byte, error) {
	if name == r.file {
		return nil, &repo.RefusedError{Path: name, Rule: "yaml-unsafe", Reason: "cannot be sealed"}
	}
	return r.memory.ReadFile(name)
}

// A file that cannot be read makes its directory a target that says why.
func TestUnreadableFilesAreFound(t *testing.T) {
	found := everything(t, refusing{memory{"apps/a.yaml": configMap, "apps/note.txt": "x"}, "apps/a.yaml"})
	if got := lines(found); !slices.Equal(got, []string{"yaml-unsafe apps/a.yaml:1:1 cannot be sealed"}) {
		t.Errorf("got %q", got)
	}
	found = everything(t, memory{"apps/a.yaml": "\xff\xfea\x00p\x00"})
	if got := lines(found); !slices.Equal(got, []string{"yaml-unsafe apps/a.yaml:1:1 encoded as UTF-16, not as UTF-8"}) {
		t.Errorf("got %q", got)
	}
}

// Whatever looks deployable and is not is listed, with its reason.
func TestLeftOut(t *testing.T) {
	d := discovered(t, memory{
		"app/kustomization.yaml": "resources: [../plain/a.yaml, own.yaml]\n",
		"app/own.yaml":           configMap, "app/stray.yaml": configMap, "app/values.yaml": "a: b\n",
		"plain/a.yaml": configMap, "plain/b.yaml": configMap, "plain/link.yaml": "-> a.yaml",
		".hidden/a.yaml": configMap, ".github/workflows/ci.yaml": "on: push\n",
		"bad/kustomization.yaml": "resource: [x]\n", "bad/a.yaml": configMap,
	}, DiscoverOptions{})
	var got []string
	for _, s := range d.Skipped {
		got = append(got, s.Path+": "+s.Reason)
	}
	want := []string{
		".hidden: in a hidden directory",
		"app/stray.yaml: beside a kustomization, which does not list it",
		"bad/a.yaml: beside a kustomization that cannot be read",
		"plain/b.yaml: no kustomization lists it, and one lists other files of its directory",
		"plain/link.yaml: a symbolic link, which is not followed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
