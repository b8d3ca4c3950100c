package render

import (
	"fmt"
	"strings"
	"testing"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
`

// Every way to break a target gives one clear sentence at the line to change.
func TestBadInput(t *testing.T) {
	for _, test := range []struct {
		name string
		tree memory
		want []string // "rule place message"
	}{
		{"a kustomization that is a list", memory{"app/kustomization.yaml": "- a\n- b\n"},
			[]string{"render-error app/kustomization.yaml:1:1 a kustomization file must be a mapping, this one is a list"}},
		{"an empty kustomization", memory{"app/kustomization.yaml": ""},
			[]string{"render-error app/kustomization.yaml:1:1 the kustomization file is empty"}},
		{"a kustomization with nothing but its kind", memory{"app/kustomization.yaml": "kind: Kustomization\n"},
			[]string{"render-error app/kustomization.yaml:1:1 the kustomization file is empty"}},
		{"a truncated kustomization", memory{"app/kustomization.yaml": "resources:\n- a.yaml\npatches: [\n"},
			[]string{"render-error app/kustomization.yaml:3:1 not valid YAML"}},
		{"a truncated resource", memory{"app/kustomization.yaml": "resources:\n- a.yaml\n", "app/a.yaml": configMap + "data: {\"a\n"},
			[]string{"render-error app/a.yaml:5:1 not valid YAML"}},
		{"an unknown field", memory{"app/kustomization.yaml": "resources: [a.yaml]\nresource: [b.yaml]\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:2:1 a kustomization has no field resource"}},
		{"a field of the wrong shape", memory{"app/kustomization.yaml": "resources:\n- a.yaml\npatches:\n- p.yaml\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:4:3 patches holds a string where kustomize expects a mapping"}},
		{"a wrong apiVersion", memory{"app/kustomization.yaml": "apiVersion: v1\nkind: Kustomization\nresources: [a.yaml]\n"},
			[]string{"render-error app/kustomization.yaml:1:13 apiVersion of a Kustomization must be"}},
		{"two spellings", memory{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/Kustomization": "resources: [a.yaml]\n", "app/a.yaml": configMap},
			[]string{"render-error app/Kustomization:1:1 the directory holds more than one kustomization file"}},
		{"missing files, all of them", memory{"app/kustomization.yaml": "resources:\n- a.yaml\n- b c.yaml\ncomponents:\n- ../x\n"},
			[]string{
				"render-error app/kustomization.yaml:2:3 resources names a.yaml, which does not exist",
				"render-error app/kustomization.yaml:3:3 resources names b c.yaml, which does not exist",
				"render-error app/kustomization.yaml:5:3 components names ../x, which does not exist",
			}},
		{"a missing base", memory{"app/kustomization.yaml": "bases:\n- ../base\n"},
			[]string{"kustomize-deprecated app/kustomization.yaml:1:1 ", "render-error app/kustomization.yaml:2:3 bases names ../base, which does not exist"}},
		{"a base without a kustomization", memory{"app/kustomization.yaml": "resources: [../base]\n", "base/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:1:13 resources names ../base, a directory without a kustomization file"}},
		{"a file where a component belongs", memory{"app/kustomization.yaml": "components: [a.yaml]\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:1:14 components names a.yaml, which is a file"}},
		{"a directory where a patch belongs", memory{"app/kustomization.yaml": "patches:\n- path: sub\n", "app/sub/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:2:9 patches names sub, which is a directory"}},
		{"a component among resources", memory{"app/kustomization.yaml": "resources: [../c]\n", "c/kustomization.yaml": "kind: Component\nnamePrefix: a\n"},
			[]string{"render-error app/kustomization.yaml:1:13 resources names ../c, which is a Component"}},
		{"a base among components", memory{"app/kustomization.yaml": "components: [../c]\n", "c/kustomization.yaml": "namePrefix: a\n"},
			[]string{"render-error app/kustomization.yaml:1:14 components names ../c, which is no Component"}},
		{"a cycle", memory{"app/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../c]\n", "c/kustomization.yaml": "resources: [../b]\n"},
			[]string{"render-error c/kustomization.yaml:1:13 resources names ../b, which closes a cycle"}},
		{"a directory above", memory{"app/sub/kustomization.yaml": "resources: [..]\n", "app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap},
			[]string{"render-error app/sub/kustomization.yaml:1:13 resources names .., a directory above"}},
		{"two paths joined by indentation", memory{"app/kustomization.yaml": "resources:\n- ../base\n - ../base\n", "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:2:3 resources names ../base - ../base, in which two paths seem to be joined"}},
		{"a climbing path", memory{"app/kustomization.yaml": "resources: [../../x.yaml]\n"},
			[]string{"path-escape app/kustomization.yaml:1:13 resources names ../../x.yaml, which leads out of the repository"}},
		{"an absolute path", memory{"app/kustomization.yaml": "configMapGenerator:\n- name: a\n  files:\n  - k=/etc/passwd\n"},
			[]string{"path-escape app/kustomization.yaml:4:5 configMapGenerator names /etc/passwd, which leads out of the repository"}},
		{"a symbolic link", memory{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": "-> /etc/passwd"},
			[]string{"path-escape app/kustomization.yaml:1:13 resources names a.yaml: app/a.yaml is a symbolic link"}},
		{"a base behind a symbolic link", memory{"app/kustomization.yaml": "resources: [../link/base]\n", "link": "-> elsewhere", "elsewhere/base/kustomization.yaml": "resources: []\n"},
			[]string{"path-escape app/kustomization.yaml:1:13 resources names ../link/base: link is a symbolic link"}},
		{"a submodule", memory{"app/kustomization.yaml": "resources: [../vendor]\n", "vendor": "submodule"},
			[]string{"path-escape app/kustomization.yaml:1:13 resources names ../vendor: vendor is a submodule"}},
		{"a linked kustomization", memory{"app/kustomization.yaml": "-> ../other.yaml"},
			[]string{"path-escape app/kustomization.yaml"}},
		{"not UTF-8", memory{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap + "data: {a: \"\xff\xfe\xfa\"}\n"},
			[]string{"yaml-unsafe app/a.yaml:5:"}},
		{"too large", memory{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap + strings.Repeat("# filler\n", 2<<20)},
			[]string{"yaml-unsafe app/a.yaml"}},
		{"Helm", memory{"app/kustomization.yaml": "helmCharts:\n- name: web\n  repo: https://example.com\n"},
			[]string{"render-error app/kustomization.yaml:2:9 a Helm chart is not inflated"}},
		{"an exec plugin", memory{"app/kustomization.yaml": "generators:\n- g.yaml\n", "app/g.yaml": "apiVersion: example.com/v1\nkind: Exec\nmetadata: {name: g}\n"},
			[]string{"render-error app/kustomization.yaml:2:3 the plugin Exec is not run"}},
		{"a KRM function", memory{"app/kustomization.yaml": "transformers:\n- |-\n  apiVersion: example.com/v1\n  kind: Fn\n  metadata:\n    name: g\n    annotations:\n      config.kubernetes.io/function: |\n        exec: {path: ./run}\n"},
			[]string{"render-error app/kustomization.yaml:2:3 the plugin Fn is not run"}},
		{"a patch that matches nothing", memory{"app/kustomization.yaml": "resources: [a.yaml]\npatches:\n- path: p.yaml\n- path: q.yaml\n", "app/a.yaml": deployment,
			"app/p.yaml": deployment, "app/q.yaml": strings.Replace(deployment, "name: web", "name: wob", 1)},
			[]string{"render-error app/kustomization.yaml:4:9 no object matches this patch of Deployment wob"}},
		{"a legacy patch that matches nothing", memory{"app/kustomization.yaml": "resources: [a.yaml]\npatchesStrategicMerge:\n- q.yaml\n", "app/a.yaml": deployment,
			"app/q.yaml": strings.Replace(deployment, "name: web", "name: wob", 1)},
			[]string{"kustomize-deprecated app/kustomization.yaml:2:1 ", "render-error app/kustomization.yaml:3:3 no object matches this patch of Deployment wob"}},
		{"a JSON patch of what is not there", memory{"app/kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: remove\n      path: /spec/paused\n", "app/a.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:4:10 a JSON patch does not apply: remove of /spec/paused"}},
		{"a patch in no format", memory{"app/kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: hello\n", "app/a.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:3:10 this is neither a strategic merge patch nor a JSON patch"}},
		{"a JSON patch without a target", memory{"app/kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'\n", "app/a.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:3:10 a JSON patch needs a target"}},
		{"the same object twice", memory{"app/kustomization.yaml": "resources:\n- a.yaml\n- b.yaml\n", "app/a.yaml": deployment, "app/b.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:3:3 Deployment web is in the target twice"}},
		{"the same base twice", memory{"app/kustomization.yaml": "resources:\n- ../a\n- ../b\n", "a/kustomization.yaml": "resources: [a.yaml]\n", "a/a.yaml": deployment, "b/kustomization.yaml": "resources: [a.yaml]\n", "b/a.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:3:3 Deployment web is in the target twice"}},
		{"an object without a name", memory{"app/kustomization.yaml": "resources:\n- a.yaml\n- b.yaml\n", "app/a.yaml": deployment, "app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\ndata: {a: b}\n"},
			[]string{"render-error app/b.yaml:1:1 an object has no metadata.name"}},
		{"an object without a kind", memory{"app/kustomization.yaml": "resources:\n- a.yaml\n", "app/a.yaml": configMap + "---\napiVersion: v1\nmetadata: {name: a}\n"},
			[]string{"render-error app/a.yaml:6:1 an object has no kind"}},
		{"an empty entry", memory{"app/kustomization.yaml": "resources:\n- \"\"\n"},
			[]string{"render-error app/kustomization.yaml:2:3 resources has an empty entry"}},
		{"a literal without a key", memory{"app/kustomization.yaml": "secretGenerator:\n- name: a\n  literals:\n  - a=b\n  - hunter2\n"},
			[]string{"render-error app/kustomization.yaml:5:5 a literal of a generator is not key=value"}},
		{"a number as an annotation", memory{"app/kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations:\n  a: b\n  c: 5\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:4:6 commonAnnotations holds a number where kustomize expects a string"}},
		{"an old boolean as an annotation", memory{"app/kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations:\n  a: b\n  c: yes\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:4:6 commonAnnotations holds a boolean where kustomize expects a string"}},
		{"an old boolean as a key", memory{"app/kustomization.yaml": "resources: [a.yaml]\nlabels:\n- pairs:\n    a: b\n    n: x\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:5:5 the key n of labels/pairs is not a string to kustomize"}},
		{"an old boolean as a key of a base", memory{"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "generatorOptions: {annotations: {on: x}}\nconfigMapGenerator: [{name: a}]\n"},
			[]string{"render-error base/kustomization.yaml:1:34 the key on of generatorOptions/annotations is not a string to kustomize"}},
		{"a null key", memory{"app/kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations:\n  ~: x\n", "app/a.yaml": configMap},
			[]string{"render-error app/kustomization.yaml:3:3 the key ~ of commonAnnotations is not a string to kustomize"}},
		{"prose among the resources", memory{"app/kustomization.yaml": "resources:\n- README.md\n", "app/README.md": "Hello, world\n"},
			[]string{"render-error app/README.md:1:1 a resource must be an object, this is a single value"}},
		{"a generator that merges with nothing", memory{"app/kustomization.yaml": "configMapGenerator:\n- name: settings\n  behavior: merge\n  literals: [a=b]\n"},
			[]string{"render-error app/kustomization.yaml:2:9 ConfigMap settings does not exist, so it cannot be merged or replaced"}},
		{"a replacement without a source", memory{"app/kustomization.yaml": "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: gone}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [spec.replicas]\n", "app/a.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:2:1 the source of a replacement selects no object"}},
		{"replicas of nothing", memory{"app/kustomization.yaml": "resources: [a.yaml]\nreplicas:\n- name: gone\n  count: 2\n", "app/a.yaml": deployment},
			[]string{"render-error app/kustomization.yaml:2:1 an entry of replicas names no workload"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := built(t, test.tree, "app")
			if strings.HasPrefix(test.name, "a directory above") {
				r = built(t, test.tree, "app/sub")
			}
			for _, f := range r.Findings {
				if f.Location.Start.Line < 1 || f.Location.End.Line < 1 {
					t.Errorf("%s: no start or no end", f.Message)
				}
			}
			got := lines(r.Findings)
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], test.want[i]) {
					t.Errorf("got  %q\nwant %q", got[i], test.want[i])
				}
			}
			if r.Reason == "" || r.Objects != nil {
				t.Errorf("reason %q, %d objects: a target that fails has a reason and no objects", r.Reason, len(r.Objects))
			}
		})
	}
}

// bomb doubles at each of its lines: a billion nodes from half a kilobyte.
func bomb() string {
	var text strings.Builder
	text.WriteString(configMap + "a0: &a0 [x, x]\n")
	for i := range 30 {
		fmt.Fprintf(&text, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	return text.String()
}

// No parser may see these, wherever kustomize would parse them.
func TestUnsafeYAML(t *testing.T) {
	self := configMap + "---\n" + configMap + "data: &a\n  b: *a\n"
	patch := "resources: [a.yaml]\npatches:\n- patch: |-\n    " + strings.ReplaceAll(strings.TrimSpace(bomb()), "\n", "\n    ") + "\n"
	plugin := "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npatch: |-\n  " + strings.ReplaceAll(strings.TrimSpace(bomb()), "\n", "\n  ") + "\n"
	for name, tree := range map[string]memory{
		"in a base":                  {"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": bomb()},
		"in the kustomization":       {"app/kustomization.yaml": bomb()},
		"in a patch":                 {"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "app/a.yaml": configMap, "app/p.yaml": bomb()},
		"in the text of a patch":     {"app/kustomization.yaml": patch, "app/a.yaml": configMap},
		"in a plugin's patch":        {"app/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n", "app/a.yaml": configMap, "app/t.yaml": plugin},
		"in a plugin of a directory": {"app/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t]\n", "app/a.yaml": configMap, "app/t/kustomization.yaml": "resources: [t.yaml]\n", "app/t/t.yaml": plugin},
		"in a plugin's file": {"app/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n", "app/a.yaml": configMap, "app/p.yaml": bomb(),
			"app/t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: p.yaml\n"},
		"in configurations":    {"app/kustomization.yaml": "resources: [a.yaml]\nconfigurations: [c.yaml]\n", "app/a.yaml": configMap, "app/c.yaml": bomb()},
		"in crds":              {"app/kustomization.yaml": "resources: [a.yaml]\ncrds: [c.yaml]\n", "app/a.yaml": configMap, "app/c.yaml": bomb()},
		"in a replacement":     {"app/kustomization.yaml": "resources: [a.yaml]\nreplacements: [{path: c.yaml}]\n", "app/a.yaml": configMap, "app/c.yaml": bomb()},
		"in an openapi schema": {"app/kustomization.yaml": "resources: [a.yaml]\nopenapi: {path: c.yaml}\n", "app/a.yaml": configMap, "app/c.yaml": bomb()},
		"a self-alias":         {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": self},
		"nested maps":          {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap + "data: " + strings.Repeat("{a: ", 4000) + strings.Repeat("}", 4000) + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := built(t, tree, "app")
			if r.Reason == "" || len(r.Findings) != 1 || r.Findings[0].Rule != "yaml-unsafe" || r.Findings[0].Location.IsZero() {
				t.Errorf("got %q", lines(r.Findings))
			}
		})
	}
}

// A file that kustomize only copies may hold anything.
func TestGeneratorDataIsNotParsed(t *testing.T) {
	r := built(t, memory{
		"app/kustomization.yaml": "configMapGenerator:\n- name: a\n  files: [x.yaml, \"bin=y.bin\"]\n  envs: [z.env]\n",
		"app/x.yaml":             bomb(), "app/y.bin": "\x00\xff\xfe", "app/z.env": "A=[[[\nB=*a\n",
	}, "app")
	if r.Reason != "" || len(r.Findings) > 0 || len(r.Objects) != 1 {
		t.Errorf("got %q", lines(r.Findings))
	}
}

// Names with spaces and from other scripts are names like any other.
func TestUnusualNames(t *testing.T) {
	r := built(t, memory{
		"my app/größe/kustomization.yml": "resources:\n- ./a b.yaml\n- ../日本\n",
		"my app/größe/a b.yaml":          configMap,
		"my app/日本/Kustomization":        "resources: [\"c'd.yaml\"]\n",
		"my app/日本/c'd.yaml":             deployment,
	}, "my app/größe")
	if len(r.Objects) != 2 {
		t.Errorf("%d objects, %q", len(r.Objects), lines(r.Findings))
	}
}

// The whole repository may be one target.
func TestKustomizationAtTheRoot(t *testing.T) {
	r := built(t, memory{"kustomization.yaml": "resources: [base, a.yaml]\n", "a.yaml": configMap, "base/kustomization.yaml": "resources: [b.yaml]\n", "base/b.yaml": deployment}, ".")
	if len(r.Objects) != 2 {
		t.Errorf("%d objects, %q", len(r.Objects), lines(r.Findings))
	}
}
