package render

import (
	"context"
	"slices"
	"strings"
	"testing"
)

const component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"

// shop is a repository with one of everything that Discover tells apart.
func shop() memory {
	return memory{
		"base/kustomization.yaml":              "resources: [web.yaml]\n",
		"base/web.yaml":                        deployment,
		"overlays/prod/kustomization.yml":      "resources: [../../base]\ncomponents: [../../components/tls]\npatches: [{path: patches/p.yaml}]\n",
		"overlays/prod/patches/p.yaml":         deployment,
		"overlays/prod/patches/old.yaml":       deployment,
		"overlays/prod/extra/dead.yaml":        configMap,
		"overlays/stage/Kustomization":         "resources: [../../base]\n",
		"components/tls/kustomization.yaml":    component + "components: [../inner]\n",
		"components/inner/kustomization.yaml":  component + "nameSuffix: -x\n",
		"components/dead/kustomization.yaml":   component + "bases: [gone]\n",
		"components/deader/kustomization.yaml": component + "components: [../dead]\n",
		"manifests/a.yaml":                     configMap,
		"manifests/values.yaml":                "replicas: 1\n",
		"manifests/deep/b.json":                `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}]}`,
		"clusters/flux/kustomization.yaml":     "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps}\n",
		"chart/Chart.yaml":                     "apiVersion: v2\nname: chart\n",
		"chart/templates/web.yaml":             deployment,
		"chart/crds/crd.yaml":                  deployment,
		".github/workflows/ci.yaml":            "kind: x\napiVersion: v1\nmetadata: {}\n",
		"docs/skaffold.yaml":                   "apiVersion: skaffold/v4\nkind: Config\nmetadata: {name: x}\n",
		"docs/template.yaml":                   "{{ if .x }}\n" + configMap + "{{ end }}\n",
		"broken/cm.yaml":                       configMap + "data: [\n",
		"loop/a/kustomization.yaml":            "resources: [../b]\n",
		"loop/b/kustomization.yaml":            "resources: [../a]\n",
	}
}

func paths(targets []Target) (out []string) {
	for _, t := range targets {
		out = append(out, string(t.Kind)+" "+t.Path)
	}
	return out
}

func TestDiscover(t *testing.T) {
	d := discovered(t, shop(), DiscoverOptions{})
	want := []string{
		"directory broken", "directory clusters/flux", "kustomize loop/a", "directory manifests", "directory manifests/deep",
		"kustomize overlays/prod", "kustomize overlays/stage",
	}
	if got := paths(d.Targets); !slices.Equal(got, want) {
		t.Errorf("targets\ngot  %q\nwant %q", got, want)
	}
	var skipped []string
	for _, s := range d.Skipped {
		skipped = append(skipped, s.Path+": "+s.Reason)
	}
	want = []string{
		".github/workflows: in a hidden directory",
		"chart/crds: part of the Helm chart chart", "chart/templates: part of the Helm chart chart",
		"docs/template.yaml: a template and not YAML, so its objects are not known",
		"overlays/prod/extra: below the kustomization overlays/prod, which does not refer to it",
		"overlays/prod/patches/old.yaml: no kustomization lists it, and one lists other files of its directory",
	}
	if !slices.Equal(skipped, want) {
		t.Errorf("skipped\ngot  %q\nwant %q", skipped, want)
	}
	want = []string{
		"component-unused components/dead/kustomization.yaml:2:1 no target uses this Component",
		"kustomize-deprecated components/dead/kustomization.yaml:3:1 kustomize has deprecated bases",
		"render-error components/dead/kustomization.yaml:3:9 bases names gone, which does not exist",
		"component-unused components/deader/kustomization.yaml:2:1 no target uses this Component",
	}
	if got := lines(d.Findings); !slices.Equal(got, want) {
		t.Errorf("findings\ngot  %q\nwant %q", got, want)
	}
	for _, target := range d.Targets {
		if target.Why == "" || (target.File == "") != (target.Kind == Directory) {
			t.Errorf("%+v: no reason, or a wrong file", target)
		}
	}
}

func TestDiscoverOptions(t *testing.T) {
	for _, test := range []struct {
		opts DiscoverOptions
		want []string
	}{
		{DiscoverOptions{Scope: "overlays"}, []string{"kustomize overlays/prod", "kustomize overlays/stage"}},
		{DiscoverOptions{Scope: "overlays/prod"}, []string{"kustomize overlays/prod"}},
		{DiscoverOptions{Scope: "base"}, nil},
		{DiscoverOptions{Include: []string{"overlays/**"}, Exclude: []string{"**/stage"}}, []string{"kustomize overlays/prod"}},
		{DiscoverOptions{Exclude: []string{"overlays/**", "manifests/**", "loop/**", "broken"}}, []string{"directory clusters/flux"}},
	} {
		d := discovered(t, shop(), test.opts)
		if got := paths(d.Targets); !slices.Equal(got, test.want) {
			t.Errorf("%+v\ngot  %q\nwant %q", test.opts, got, test.want)
		}
	}
	d := discovered(t, shop(), DiscoverOptions{Scope: "overlays", Exclude: []string{"overlays/stage"}})
	if !slices.Contains(d.Skipped, Skipped{Path: "overlays/stage", Reason: "excluded by overlays/stage"}) {
		t.Errorf("an excluded target is not among the skipped: %v", d.Skipped)
	}
	if len(d.Findings) > 0 {
		t.Errorf("findings outside the scope: %q", lines(d.Findings))
	}
}

func TestDiscoverErrors(t *testing.T) {
	if _, err := Discover(t.Context(), shop(), DiscoverOptions{Include: []string{"[a"}}); err == nil || !strings.Contains(err.Error(), `pattern "[a"`) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Discover(ctx, shop(), DiscoverOptions{}); err == nil {
		t.Error("a cancelled context gives no error")
	}
	if d := discovered(t, memory{}, DiscoverOptions{}); len(d.Targets) > 0 {
		t.Errorf("got %v", d.Targets)
	}
}

// A target that fails says so, whichever way it was found.
func TestDiscoveredTargetsBuild(t *testing.T) {
	found := strings.Join(lines(everything(t, shop())), "\n")
	for _, want := range []string{
		"render-error broken/cm.yaml:5:1 not valid YAML",
		"render-error loop/b/kustomization.yaml:1:13 resources names ../a, which closes a cycle",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("no %q in\n%s", want, found)
		}
	}
}
