package gate

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// widgets is a definition that serves versions.
func widgets(versions ...string) string {
	head, _, _ := strings.Cut(exampleDefinition, "    - {name: v1")
	for _, v := range versions {
		head += "    - {name: " + v + ", served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n"
	}
	return head
}

// lists is a kustomization.
func lists(files ...string) string {
	return "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [" + strings.Join(files, ", ") + "]\n"
}

// TestDefinitionRemoved holds that a change which takes away the definition of
// objects that stay is told so at each of them, and nothing else is taken for one.
func TestDefinitionRemoved(t *testing.T) {
	start := map[string]string{
		"crds/kustomization.yaml": lists("widgets.yaml"), "crds/widgets.yaml": widgets("v1", "v1beta1"),
		"one/widget.yaml": exampleWidget, "two/kustomization.yaml": lists("../shared"), "two/sub/x.yaml": strings.Replace(pod, "nginx:latest", "nginx:1.29.1", 1),
		"three/kustomization.yaml": lists("../shared"), "shared/kustomization.yaml": lists("widget.yaml"),
		"shared/widget.yaml": strings.ReplaceAll(exampleWidget, "example.com/v1", "example.com/v1beta1"),
	}
	excluded := map[string]string{ConfigName: config + "targets: {exclude: [crds]}\n"}
	for _, c := range []struct {
		name   string
		more   map[string]string // beside start
		change map[string]string // "" deletes
		want   []string
	}{
		{"nothing", nil, map[string]string{"one/widget.yaml": exampleWidget + "spec: {}\n"}, nil},
		{"the file", nil, map[string]string{"crds/widgets.yaml": "", "crds/kustomization.yaml": ""},
			[]string{"error one/widget.yaml:2:7 the change removes CustomResourceDefinition widgets.example.com", "error shared/widget.yaml:2:7 the change removes"}},
		{"the file, and the kind is written with an escape", nil, map[string]string{"crds/widgets.yaml": "", "crds/kustomization.yaml": "",
			"one/widget.yaml": strings.Replace(exampleWidget, "kind: Widget", `kind: "Wi\x64get"`, 1)},
			[]string{"error one/widget.yaml:2:7 the change removes CustomResourceDefinition widgets.example.com", "error shared/widget.yaml:2:7 the change removes"}},
		{"its entry, and the file stays", nil, map[string]string{"crds/kustomization.yaml": lists()},
			[]string{"error one/widget.yaml:2:7 the change removes CustomResourceDefinition widgets.example.com", "error shared/widget.yaml:2:7 the change removes"}},
		{"with its objects", nil, map[string]string{
			"crds/widgets.yaml": "", "crds/kustomization.yaml": "", "one/widget.yaml": "", "two/kustomization.yaml": "", "three/kustomization.yaml": "", "shared/widget.yaml": "", "shared/kustomization.yaml": ""}, nil},
		{"it moves to another target", nil, map[string]string{
			"crds/widgets.yaml": "", "crds/kustomization.yaml": "", "platform/kustomization.yaml": lists("definitions.yaml"), "platform/definitions.yaml": widgets("v1", "v1beta1")}, nil},
		{"another target has it too", map[string]string{"platform/kustomization.yaml": lists("definitions.yaml"), "platform/definitions.yaml": widgets("v1", "v1beta1")},
			map[string]string{"crds/kustomization.yaml": lists()}, nil},
		{"one version", nil, map[string]string{"crds/widgets.yaml": widgets("v1")},
			[]string{"error shared/widget.yaml:1:13 the change stops CustomResourceDefinition widgets.example.com from serving example.com/v1beta1"}},
		{"one version by a patch", nil, map[string]string{
			"crds/kustomization.yaml": lists("widgets.yaml") + "patches: [{target: {kind: CustomResourceDefinition}, patch: '[{\"op\": \"replace\", \"path\": \"/spec/versions/1/served\", \"value\": false}]'}]\n"},
			[]string{"error shared/widget.yaml:1:13 the change stops CustomResourceDefinition widgets.example.com from serving example.com/v1beta1"}},
		{"one version that nothing uses", map[string]string{"crds/widgets.yaml": widgets("v1", "v1beta1", "v2")}, map[string]string{"crds/widgets.yaml": widgets("v1", "v1beta1")}, nil},
		{"one version, and the objects move on", nil, map[string]string{"crds/widgets.yaml": widgets("v1"), "shared/widget.yaml": exampleWidget}, nil},
		{"its target does not render", nil, map[string]string{"crds/widgets.yaml": ""},
			[]string{"warning one/widget.yaml:2:7 the change takes away CustomResourceDefinition widgets.example.com", "warning shared/widget.yaml:2:7 the change takes away"}},
		{"its target does not render, and the file stays", nil, map[string]string{"crds/kustomization.yaml": lists("widgets.yaml", "nothing.yaml")}, nil},
		{"one that no target delivers", excluded, map[string]string{"crds/widgets.yaml": "", "crds/kustomization.yaml": ""},
			[]string{"warning one/widget.yaml:2:7 the change takes away CustomResourceDefinition widgets.example.com", "warning shared/widget.yaml:2:7 the change takes away"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(start)
			maps.Copy(files, c.more)
			r := newCheckout(t, files)
			r.git("checkout", "-q", "-b", "change")
			r.change(c.change)
			for _, opts := range []Options{{ChangedSince: "main"}, {PolicyFrom: "main"}, {ChangedSince: "main", PolicyFrom: "main", Jobs: 1}} {
				if got := removals(r.check(opts)); !slices.EqualFunc(got, c.want, strings.HasPrefix) {
					t.Errorf("%+v: got\n%s\nwant\n%s", opts, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
			if got := removals(r.check(Options{})); len(got) > 0 {
				t.Errorf("without a base: %q", got)
			}
		})
	}
}

// removals lists what is said about definitions that are gone.
func removals(r *Result) []string {
	var out []string
	for _, f := range r.Report.Findings {
		if f.Rule == ruleDefinitionRemoved.Name {
			out = append(out, f.Severity.String()+" "+f.Location.String()+" "+f.Message)
		}
	}
	return out
}

// TestDefinitionRemovedPlaces holds that the finding leads to the definition: by its
// place at the base, and where it stands still.
func TestDefinitionRemovedPlaces(t *testing.T) {
	r := newCheckout(t, map[string]string{"crds/widgets.yaml": "# ours\n" + widgets("v1", "v2"), "one/widget.yaml": exampleWidget})
	r.git("checkout", "-q", "-b", "change")
	r.write(map[string]string{"crds/widgets.yaml": widgets("v2")})
	for _, f := range r.check(Options{ChangedSince: "main"}).Report.Findings {
		if f.Rule != ruleDefinitionRemoved.Name {
			continue
		}
		want := finding.Related{Message: "the definition as it is now", Location: finding.Span{File: "crds/widgets.yaml"}}
		if len(f.Related) != 1 || f.Related[0].Message != want.Message || f.Related[0].Location.File != want.Location.File || f.Related[0].Location.Start.Line != 1 {
			t.Errorf("related: %+v", f.Related)
		}
		if want := "move the object to example.com/v2 first; keep the version, crds/widgets.yaml:2:1 at the merge base with main, until"; !strings.HasPrefix(f.Help, want) {
			t.Errorf("help %q, want %q", f.Help, want)
		}
		return
	}
	t.Error("there is no finding")
}
