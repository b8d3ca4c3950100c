package render

import (
	"slices"
	"strings"
	"testing"
)

// delivering is a repository in which a cluster delivers an application by Flux,
// and patches on the way what that delivers, and another one is Argo CD's.
func delivering() memory {
	return memory{
		"clusters/apps.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec:\n" +
			"  path: ./apps\n  sourceRef: {kind: GitRepository, name: flux-system}\n  patches:\n    - target: {kind: Kustomization}\n      patch: |\n" +
			"        - {op: add, path: /spec/namePrefix, value: my-}\n",
		"apps/web.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\nspec:\n" +
			"  path: web\n  sourceRef: {kind: GitRepository, name: flux-system}\n  targetNamespace: shop\n  components: [../parts]\n" +
			"  images: [{name: app, newTag: v2}]\n  commonMetadata:\n    labels: {team: web}\n",
		"web/kustomization.yaml":   "namespace: old\nresources: [web.yaml]\nimages: [{name: app, newName: registry/app, digest: sha256:00}]\n",
		"web/web.yaml":             deployment + "  template: {spec: {containers: [{name: a, image: app:v1}]}}\n",
		"parts/kustomization.yaml": component + "resources: [more.yaml]\n",
		"parts/more.yaml":          configMap,
		"argocd/plain.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: plain}\nspec:\n  destination: {namespace: shop}\n" +
			"  source:\n    repoURL: https://git.example/a.git\n    path: plain\n    directory: {recurse: true, exclude: '*.json'}\n",
		"plain/a/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
		"plain/b.json":        `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}`,
	}
}

func delivery(t *testing.T, tree memory, path string) *Rendered {
	t.Helper()
	for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
		if target.Path == path {
			r, err := NewBuilder(tree, Options{}).Build(t.Context(), target)
			if err != nil || r.Reason != "" {
				t.Fatal(err, r.Reason)
			}
			return r
		}
	}
	t.Fatalf("no target %s", path)
	return nil
}

// TestDeliveryChangesTheBuild holds that fields of a Flux Kustomization act as if
// they stood in the kustomization of its path, those that the one above it
// patches in included, and that each has its own place.
func TestDeliveryChangesTheBuild(t *testing.T) {
	r := delivery(t, delivering(), "apps/web.yaml#web")
	want := map[string]string{"/metadata/namespace": "apps/web.yaml:7", "/metadata/labels/team": "apps/web.yaml:11", "/metadata/name": "clusters/apps.yaml:10"}
	names := []string{}
	for _, o := range r.Objects {
		names = append(names, o.Kind+" "+o.Namespace+"/"+o.Name)
		for pointer, line := range want {
			if at := r.Place(o, pointer).Span.String(); !strings.HasPrefix(at, line+":") {
				t.Errorf("%s %s is set at %s, want %s", o.Object, pointer, at, line)
			}
		}
	}
	if !slices.Equal(names, []string{"ConfigMap shop/my-settings", "Deployment shop/my-web"}) {
		t.Errorf("got %q", names)
	}
	text, err := r.YAML()
	if err != nil || !strings.Contains(string(text), "image: registry/app:v2") {
		t.Errorf("the image entries are not joined (%v):\n%s", err, text)
	}
}

// TestDeliveryOfPlainManifests holds that Argo CD takes the files of a directory as
// they are, and that the destination is the namespace of objects without one.
func TestDeliveryOfPlainManifests(t *testing.T) {
	r := delivery(t, delivering(), "argocd/plain.yaml#plain")
	if len(r.Objects) != 1 || r.Objects[0].Namespace != "shop" {
		t.Fatalf("%d objects, want the Secret in shop", len(r.Objects))
	}
	if at := r.Place(r.Objects[0], "/metadata/namespace").Span.String(); !strings.HasPrefix(at, "argocd/plain.yaml:5:") {
		t.Errorf("the namespace is set at %s", at)
	}
}

// TestDeliveryIsATargetWhereItChangesSomething holds that an object is no target
// where kustomize alone builds the same, and that what cannot be judged says why.
func TestDeliveryIsATargetWhereItChangesSomething(t *testing.T) {
	const head = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web}\nspec:\n  path: "
	for _, test := range []struct{ name, spec, want string }{
		{"nothing", "web\n  sourceRef: {kind: GitRepository, name: a}\n", ""},
		{"the same namespace", "web\n  targetNamespace: old\n  sourceRef: {kind: GitRepository, name: a}\n", ""},
		{"no such path", "gone\n  targetNamespace: x\n  sourceRef: {kind: GitRepository, name: a}\n", "its path gone does not exist here"},
		{"variable", "${X}\n  targetNamespace: x\n  sourceRef: {kind: GitRepository, name: a}\n", "its path has a variable, whose value is only known in the cluster"},
		{"artifact", "web\n  targetNamespace: x\n  sourceRef: {kind: OCIRepository, name: a}\n", "its source is no Git repository, and what that holds is not known here"},
	} {
		tree := delivering()
		delete(tree, "clusters/apps.yaml")
		tree["apps/web.yaml"] = head + test.spec
		d := discovered(t, tree, DiscoverOptions{})
		if i := slices.IndexFunc(d.Targets, func(t Target) bool { return t.Kind == Flux }); i >= 0 {
			t.Errorf("%s: %s is a target", test.name, d.Targets[i].Path)
		}
		got := ""
		for _, s := range d.Skipped {
			if s.Path == "apps/web.yaml#web" {
				got = s.Reason
			}
		}
		if got != test.want {
			t.Errorf("%s: skipped because %q, want %q", test.name, got, test.want)
		}
	}
}

// TestDeliveryOfAnotherRepository holds that a source most of whose paths are not
// here is taken for another repository.
func TestDeliveryOfAnotherRepository(t *testing.T) {
	tree := delivering()
	tree["argocd/plain.yaml"] += "---\n" + strings.ReplaceAll(tree["argocd/plain.yaml"], "git.example/a", "git.example/b")
	for _, gone := range []string{"x", "y"} {
		tree["argocd/"+gone+".yaml"] = strings.NewReplacer("git.example/a", "git.example/b", "path: plain", "path: "+gone, "name: plain", "name: "+gone).Replace(delivering()["argocd/plain.yaml"])
	}
	d := discovered(t, tree, DiscoverOptions{})
	n := 0
	for _, target := range d.Targets {
		if target.Kind == ArgoCD {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d Applications are targets, want the one of this repository", n)
	}
}

// TestDeliveryReads holds that what is known before the build covers what the
// build asks, the object and what builds it included.
func TestDeliveryReads(t *testing.T) {
	tree := delivering()
	b := NewBuilder(tree, Options{})
	for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
		r, err := b.Build(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		before, exact := b.Reads(target)
		for _, file := range r.Reads.Files {
			if exact && !slices.Contains(before.Files, file) {
				t.Errorf("%s reads %s, which was not foreseen", target.Path, file)
			}
		}
		if target.Kind == Flux && !slices.Contains(r.Reads.Files, target.File) {
			t.Errorf("%s does not depend on its own file", target.Path)
		}
	}
}
