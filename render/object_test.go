package render

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDirectoryTarget(t *testing.T) {
	tree := memory{
		"dir/b.yaml":     "# comment\n---\n" + configMap + "---\n\n---\n# nothing\n---\n" + deployment,
		"dir/a.json":     `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "PodList", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}}]}]}`,
		"dir/values.yml": "a: 1\na: 2\n",
		"dir/sub/c.yaml": configMap,
	}
	r, err := NewBuilder(tree, Options{}).Build(t.Context(), Target{Path: "dir", Kind: Directory})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range r.Objects {
		got = append(got, o.Object.String())
	}
	if want := []string{"Pod n/p", "ConfigMap settings", "Deployment web"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(r.Findings) > 0 || r.Reason != "" {
		t.Errorf("a file that is no manifest is judged: %q", lines(r.Findings))
	}
	if want := []string{"dir/a.json", "dir/b.yaml", "dir/values.yml"}; !slices.Equal(r.Reads.Files, want) {
		t.Errorf("read %q", r.Reads.Files)
	}
	if text, _ := r.YAML(); strings.Count(string(text), "---\n") != 2 || !strings.HasPrefix(string(text), "apiVersion: v1\nkind: Pod\n") {
		t.Errorf("printed\n%s", text)
	}
}

func TestDuplicateKeysInDirectory(t *testing.T) {
	r, _ := NewBuilder(memory{"dir/a.yaml": configMap + "data:\n  a: x\n  a: y\n"}, Options{}).Build(t.Context(), Target{Path: "dir", Kind: Directory})
	if len(r.Findings) != 1 || r.Findings[0].Rule != "yaml-unsafe" || r.Findings[0].Location.Start.Line != 7 {
		t.Errorf("got %q", lines(r.Findings))
	}
}

// The types of values, and what the shortcut around kustomize's printing leaves
// to the long way.
func TestValues(t *testing.T) {
	r := built(t, memory{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
spec:
  int: 7
  octal: 0o17
  big: 18446744073709551615
  float: 1.50
  whole: 2.0
  yes: yes
  on: "on"
  bool: true
  nothing: null
  folded: >
    a
    b
  list: [a, 1, ~]
  empty: {}
  none: []
  text: "1"
  date: 2001-01-01
`}, "app")
	if len(r.Objects) != 1 {
		t.Fatal(lines(r.Findings))
	}
	spec := r.Objects[0].Value["spec"].(map[string]any)
	for key, want := range map[string]any{
		"int": int64(7), "octal": int64(15), "float": 1.5, "whole": int64(2), "yes": "yes", "on": "on", "bool": true, "nothing": nil,
		"folded": "a b\n", "list": []any{"a", int64(1), nil}, "empty": map[string]any{}, "none": []any{}, "text": "1",
	} {
		if got := spec[key]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %T %v, want %T %v", key, got, got, want, want)
		}
	}
	const printed = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\nspec:\n  big: 18446744073709551615\n  bool: true\n" +
		"  date: \"2001-01-01T00:00:00Z\"\n  empty: {}\n  float: 1.5\n  folded: |\n    a b\n  int: 7\n" +
		"  list:\n  - a\n  - 1\n  - null\n  none: []\n  nothing: null\n  octal: 15\n  \"on\": \"on\"\n  text: \"1\"\n  whole: 2\n  \"yes\": \"yes\"\n"
	if text, _ := r.YAML(); string(text) != printed {
		t.Errorf("printed\n%s", text)
	}
}

// kustomize cannot print what YAML has no place for.
func TestControlCharacter(t *testing.T) {
	r := built(t, memory{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap + "data: {a: \"\\x7f\"}\n"}, "app")
	if len(r.Findings) != 1 || !strings.Contains(r.Reason, "control character") {
		t.Errorf("got %q", lines(r.Findings))
	}
}

func TestReplace(t *testing.T) {
	// 1.5 takes the long way; the other object the short one.
	tree := memory{"app/kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "app/a.yaml": configMap + "data:\n  a/b: old\n", "app/b.yaml": deployment + "  weight: 1.5\n  args: [one, two]\n"}
	r := built(t, tree, "app")
	before := r.Digest()
	for i, pointer := range []string{"/data/a~1b", "/spec/args/1"} {
		if err := r.Objects[i].Replace(pointer, "masked"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := r.YAML()
	if err != nil || strings.Count(string(text), "masked") != 2 || strings.Contains(string(text), "old") || strings.Contains(string(text), "two") || !strings.Contains(string(text), "weight: 1.5\n") {
		t.Errorf("%v\n%s", err, text)
	}
	if after := r.Digest(); after == before || !strings.HasPrefix(after, "sha256:") {
		t.Errorf("digest %s, then %s", before, after)
	}
	for _, pointer := range []string{"", "/gone", "/data/a~1b/c", "/data/gone"} {
		if err := r.Objects[0].Replace(pointer, "x"); err == nil || strings.Contains(err.Error(), "masked") {
			t.Errorf("%q: %v", pointer, err)
		}
	}
}

// The record holds what was read and what was looked for in vain.
func TestReads(t *testing.T) {
	tree := memory{
		"app/kustomization.yaml": "resources: [../base, a.yaml]\nconfigMapGenerator: [{name: c, files: [c.txt]}]\n",
		"app/a.yaml":             deployment, "app/c.txt": "text", "app/unused.yaml": configMap,
		"base/Kustomization": "resources: [b.yaml]\n", "base/b.yaml": configMap,
	}
	want := Reads{
		Files:   []string{"app/a.yaml", "app/c.txt", "app/kustomization.yaml", "base/Kustomization", "base/b.yaml"},
		Dirs:    []string{"app", "base"},
		Missing: []string{"app/Kustomization", "app/kustomization.yml", "base/kustomization.yaml", "base/kustomization.yml"},
	}
	b := NewBuilder(tree, Options{})
	for range 2 { // the second build finds everything parsed already
		r, err := b.Build(t.Context(), Target{Path: "app", Kind: Kustomize})
		if err != nil || !reflect.DeepEqual(r.Reads, want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, r.Reads, want)
		}
	}
	delete(tree, "base/b.yaml")
	if r := built(t, tree, "app"); !slices.Contains(r.Reads.Missing, "base/b.yaml") {
		t.Errorf("a failed build looks for %q", r.Reads.Missing)
	}
}

// Flux builds a target that reads files beside its directory; so do we, with a
// warning for each.
func TestLoadRestriction(t *testing.T) {
	r := built(t, memory{
		"app/kustomization.yaml": "resources:\n- ../shared/a.yaml\nconfigMapGenerator:\n- name: c\n  files: [../shared/c.txt]\n",
		"shared/a.yaml":          configMap, "shared/c.txt": "text",
	}, "app")
	want := []string{
		"load-restriction app/kustomization.yaml:2:3 resources names ../shared/a.yaml, outside the directory of its kustomization",
		"load-restriction app/kustomization.yaml:5:11 configMapGenerator names ../shared/c.txt, outside the directory of its kustomization",
	}
	if got := lines(r.Findings); !slices.Equal(got, want) || len(r.Objects) != 2 {
		t.Errorf("%d objects\ngot  %q\nwant %q", len(r.Objects), got, want)
	}
}

// No message repeats what a file holds: kustomize's own do.
func TestMessagesQuoteNoValues(t *testing.T) {
	const canary = "c4n4ry"
	for name, tree := range map[string]memory{
		"literal":     {"app/kustomization.yaml": "secretGenerator:\n- name: s\n  literals:\n  - " + canary + "\n"},
		"env":         {"app/kustomization.yaml": "secretGenerator:\n- name: s\n  envs: [e]\n", "app/e": "A=" + canary + "\nB=" + canary + "\xff\n"},
		"patch":       {"app/kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: " + canary + "\n", "app/a.yaml": configMap},
		"patch list":  {"app/kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: '[{\"op\": \"add\", \"path\": \"/a/b/c\", \"value\": \"" + canary + "\"}]'\n", "app/a.yaml": configMap},
		"node kind":   {"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "app/a.yaml": configMap + "data: {a: {b: " + canary + "}}\n", "app/p.yaml": configMap + "data: [" + canary + "]\n"},
		"nameless":    {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {labels: {a: " + canary + "}}\nstringData: {a: " + canary + "}\n"},
		"labels":      {"app/kustomization.yaml": "resources: [a.yaml]\nlabels: [{pairs: {a: b}}]\n", "app/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: " + canary + "}\n"},
		"bad YAML":    {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap + "data: {a: *" + canary + "}\n"},
		"generator":   {"app/kustomization.yaml": "secretGenerator:\n- name: s\n  behavior: merge\n  literals: [a=" + canary + "]\n"},
		"behaviour":   {"app/kustomization.yaml": "secretGenerator:\n- name: s\n  behavior: " + canary + "\n  literals: [a=" + canary + ", a=b]\n"},
		"type":        {"app/kustomization.yaml": "secretGenerator: " + canary + "\n"},
		"replacement": {"app/kustomization.yaml": "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.a, options: {delimiter: ':', index: 7}}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.b]}]\n", "app/a.yaml": configMap + "data: {a: " + canary + ":x, b: y}\n"},
	} {
		r := built(t, tree, "app")
		if r.Reason == "" {
			t.Errorf("%s: builds", name)
		}
		for _, f := range r.Findings {
			if strings.Contains(f.Message+f.Help+r.Reason, canary) {
				t.Errorf("%s: %s", name, f.Message)
			}
			t.Logf("%s: %s: %s", name, f.Location, f.Message)
		}
	}
}
