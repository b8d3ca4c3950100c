package apply_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply"
)

// crd is a definition of a kind that only this test has.
func crd(kind, fields string) string {
	plural := strings.ToLower(kind) + "s"
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[2]s.sallyport.example}
spec:
  group: sallyport.example
  scope: Namespaced
  names: {kind: %[1]s, plural: %[2]s, singular: %[3]s, listKind: %[1]sList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {%[4]s}}}`, kind, plural, strings.ToLower(kind), fields)
}

func custom(kind, spec string) string {
	return fmt.Sprintf("apiVersion: sallyport.example/v1\nkind: %s\nmetadata: {name: one}\nspec: {%s}", kind, spec)
}

// TestDefinitionFirst: a CRD and its objects, in one set, in any order; then a
// field that the old definition does not know, with the new definition beside
// it; then the definition deleted by hand.
func TestDefinitionFirst(t *testing.T) {
	r := newRoom(t)
	v1, v2 := crd("Widget", "size: {type: integer}"), crd("Widget", "size: {type: integer}, colour: {type: string}")
	t.Cleanup(func() {
		r.plane.Kubectl(t, "delete", "crd", "widgets.sallyport.example", "--ignore-not-found")
	})
	const name = "CustomResourceDefinition.apiextensions.k8s.io/widgets.sallyport.example"
	r.must(t, documents(custom("Widget", "size: 1"), configMap("a", "1"), v1), "created "+name, "created ConfigMap/a", "created Widget.sallyport.example/one")
	r.must(t, documents(custom("Widget", "size: 1"), configMap("a", "1"), v1), "unchanged "+name, "unchanged ConfigMap/a", "unchanged Widget.sallyport.example/one")
	r.must(t, documents(custom("Widget", "size: 1, colour: red"), configMap("a", "1"), v2), "configured "+name, "unchanged ConfigMap/a", "configured Widget.sallyport.example/one")
	err := r.refused(t, documents(custom("Widget", "size: 1, colours: red"), configMap("a", "2"), v2), "Widget.sallyport.example/$NS/one", "spec.colours")
	if asErrors(t, err).Step != "preflight" {
		t.Errorf("%v", err)
	}

	r.plane.Kubectl(t, "delete", "crd", "widgets.sallyport.example")
	eventually(t, "kind not served", func() bool {
		r.Reset()
		_, err := r.Namespaced(t.Context(), schema.GroupKind{Group: "sallyport.example", Kind: "Widget"})
		return err != nil
	})
	r.refused(t, documents(custom("Widget", "size: 1"), configMap("a", "1")), "does not serve Widget.sallyport.example")
	got := r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "skipped Widget.sallyport.example/one", "skipped "+name)
	if got.Actions[1].Reason != "its kind is not served any more" {
		t.Error(got.Actions[1].Reason)
	}
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a")
}

// TestDeferredRefusal: what can only be judged after its definition is there
// stops the run where it is, and names the object.
func TestDeferredRefusal(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.opts.JudgeTimeout = 5 * time.Second // after the kind is served
	t.Cleanup(func() { r.plane.Kubectl(t, "delete", "crd", "gadgets.sallyport.example", "--ignore-not-found") })
	err := r.refused(t, documents(crd("Gadget", "size: {type: integer}"), custom("Gadget", "sise: 1"), configMap("a", "1")), "Gadget.sallyport.example/$NS/one", "spec.sise")
	if asErrors(t, err).Step != "preflight" {
		t.Errorf("%v", err)
	}
	r.absent(t, "ConfigMap/$NS/a")
	r.opts.PruneBudget = apply.Budget{Share: 1}
	if _, err := r.run(t, documents(crd("Gadget", "size: {type: integer}"), custom("Gadget", "size: 1"))); err != nil {
		t.Fatal(err)
	}
}

// TestNamespaceFirst: a namespace and what is in it; one that is nowhere is an
// error.
func TestNamespaceFirst(t *testing.T) {
	r := newRoom(t)
	in := func(ns string) string {
		return strings.Replace(configMap("a", "1"), "name: a", "name: a, namespace: "+ns, 1)
	}
	r.refused(t, in("nowhere-at-all"), "404", `"nowhere-at-all" not found`)
	ns := r.ns + "-made"
	t.Cleanup(func() { r.plane.Kubectl(t, "delete", "namespace", ns, "--wait=false", "--ignore-not-found") })
	binding := `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads, namespace: ` + ns + `}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}
subjects: [{kind: User, name: alice}]`
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reads, namespace: " + ns + "}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]"
	r.must(t, documents(binding, in(ns), role, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+ns+"}"),
		"created Namespace/"+ns, "created ConfigMap/"+ns+"/a", "created Role.rbac.authorization.k8s.io/"+ns+"/reads", "created RoleBinding.rbac.authorization.k8s.io/"+ns+"/reads")
}

// TestWaves: a wave begins when the one before was settled; where that fails,
// the rest does not begin, nothing is pruned, and the next run picks up.
func TestWaves(t *testing.T) {
	r := newRoom(t)
	wave := func(name, wave string) string {
		return strings.Replace(configMap(name, "1"), "name: "+name, "name: "+name+", annotations: {"+wave+"}", 1)
	}
	r.must(t, configMap("old", "1"), "created ConfigMap/old")
	var steps []string
	r.opts.Step = func(name string) {
		if strings.HasPrefix(name, "apply ") || strings.HasPrefix(name, "settle ") {
			steps = append(steps, strings.ReplaceAll(name, r.ns+"/", ""))
		}
	}
	unhealthy := errors.New("unhealthy")
	fail := true
	r.opts.Settle = func(_ context.Context, applied []*unstructured.Unstructured) error {
		if len(applied) != 1 {
			t.Errorf("%d objects in the wave", len(applied))
		}
		if fail && applied[0].GetName() == "b" {
			return unhealthy
		}
		return nil
	}
	all := documents(wave("a", `sallyport.dev/wave: "10", argocd.argoproj.io/sync-wave: "-7"`), wave("b", `argocd.argoproj.io/sync-wave: "0"`), wave("c", `argocd.argoproj.io/sync-wave: "-5"`))
	if _, err := r.run(t, all); !errors.Is(err, unhealthy) {
		t.Fatal(err)
	}
	want := "[apply ConfigMap/c settle wave -5 apply ConfigMap/b settle wave 0]"
	if fmt.Sprint(steps) != want {
		t.Errorf("%v, want %s", steps, want)
	}
	r.there(t, "ConfigMap/$NS/old")
	fail = false
	r.must(t, all, "unchanged ConfigMap/c", "unchanged ConfigMap/b", "created ConfigMap/a", "pruned ConfigMap/old")
}

// TestRecreate: a change of an immutable field needs the object's consent, and
// nothing is deleted for a manifest that is invalid besides.
func TestRecreate(t *testing.T) {
	r := newRoom(t)
	moved := strings.ReplaceAll(deployment, "app: web", "app: web2")
	asking := func(text string) string {
		return strings.Replace(text, "{name: web}\nspec", `{name: web, annotations: {sallyport.dev/recreate: "true"}}`+"\nspec", 1)
	}
	before := r.must(t, deployment, "created Deployment.apps/web").Actions[0].UID
	r.refused(t, moved, "spec.selector", "field is immutable", "sallyport.dev/recreate")
	r.refused(t, asking(strings.Replace(moved, "replicas: 2", "replicas: -1", 1)), "spec.replicas")
	r.refused(t, asking(strings.Replace(deployment, "replicas: 2", "replicas: -1", 1)), "spec.replicas")
	if r.get(t, "Deployment.apps/$NS/web").GetUID() != before {
		t.Fatal("the object was deleted")
	}
	got := r.must(t, asking(moved), "recreated Deployment.apps/web")
	if got.Actions[0].UID == before || got.Actions[0].UID == "" {
		t.Errorf("uid %q, before %q", got.Actions[0].UID, before)
	}
	r.must(t, asking(moved), "unchanged Deployment.apps/web")
	r.members(t)
	if flux := strings.Replace(deployment, "{name: web}\nspec", "{name: web, annotations: {kustomize.toolkit.fluxcd.io/force: enabled}}\nspec", 1); true {
		r.must(t, flux, "recreated Deployment.apps/web")
	}
}

// TestNeverRecreated: a StatefulSet is not deleted for any annotation, and an
// object that is not a member is not either.
func TestNeverRecreated(t *testing.T) {
	r := newRoom(t)
	set := strings.NewReplacer("kind: Deployment", "kind: StatefulSet", "replicas: 2", "replicas: 0\n  serviceName: web", "{name: web}\nspec",
		`{name: web, annotations: {sallyport.dev/recreate: "true", argocd.argoproj.io/sync-options: "Replace=true,Force=true"}}`+"\nspec").Replace(deployment)
	r.must(t, set, "created StatefulSet.apps/web")
	r.refused(t, strings.ReplaceAll(set, "serviceName: web", "serviceName: other"), "StatefulSet.apps/$NS/web: 422")
	r.there(t, "StatefulSet.apps/$NS/web")
	t.Cleanup(func() { r.plane.Kubectl(t, "delete", "crd", "fixeds.sallyport.example", "--ignore-not-found") })
	definition := strings.Replace(crd("Fixed", ""), "example}\nspec", "example, annotations: {sallyport.dev/recreate: \"true\"}}\nspec", 1)
	if _, err := r.run(t, documents(set, definition)); err != nil {
		t.Fatal(err)
	}
	r.refused(t, documents(set, strings.Replace(definition, "scope: Namespaced", "scope: Cluster", 1)), "spec.scope", "field is immutable", "never recreated")

	r.plane.Apply(t, strings.ReplaceAll(strings.ReplaceAll(deployment, "name: web}\nspec", "name: web, namespace: "+r.ns+"}\nspec"), "app: web", "app: theirs"))
	asking := strings.Replace(deployment, "{name: web}\nspec", `{name: web, annotations: {sallyport.dev/recreate: "true"}}`+"\nspec", 1)
	r.opts.TakeOver = []string{"kubectl"}
	r.refused(t, documents(set, asking), "is not a member of this set")
	r.there(t, "Deployment.apps/$NS/web")
}

// TestAdopt: an object that exists and says the same becomes a member.
func TestAdopt(t *testing.T) {
	r := newRoom(t)
	r.kubectl(t, "create", "configmap", "a", "--from-literal=k=1")
	r.must(t, configMap("a", "1"), "configured ConfigMap/a")
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a")
	r.must(t, configMap("b", "1"), "created ConfigMap/b", "pruned ConfigMap/a")
}

// TestHoldAndAdjust: the seams of drift correction.
func TestHoldAndAdjust(t *testing.T) {
	r := newRoom(t)
	r.must(t, documents(configMap("a", "1"), deployment), "created ConfigMap/a", "created Deployment.apps/web")
	r.kubectl(t, "scale", "deployment", "web", "--replicas=5")
	r.opts.Adjust = func(desired, live *unstructured.Unstructured) {
		if desired.GetKind() == "Deployment" {
			unstructured.RemoveNestedField(desired.Object, "spec", "replicas")
		}
	}
	r.must(t, documents(configMap("a", "1"), deployment), "unchanged ConfigMap/a", "unchanged Deployment.apps/web")
	r.opts.Hold = func(c apply.Change) string {
		if c.State != apply.Changed || c.Final == nil || c.Live == nil {
			t.Errorf("%+v", c)
		}
		return "not healed"
	}
	r.must(t, documents(configMap("a", "2"), deployment), "skipped ConfigMap/a", "unchanged Deployment.apps/web")
	r.opts.Hold = nil
	r.must(t, documents(configMap("a", "2"), deployment), "configured ConfigMap/a", "unchanged Deployment.apps/web")

	// What is missing and is not put back is not waited for either.
	r.kubectl(t, "delete", "configmap", "a")
	r.opts.Hold = func(c apply.Change) string {
		if c.State == apply.New {
			return "not healed"
		}
		return ""
	}
	waits := 0
	r.opts.Settle = func(_ context.Context, applied []*unstructured.Unstructured) error {
		if waits++; len(applied) != 1 || applied[0].GetKind() != "Deployment" {
			t.Errorf("waits for %v", applied)
		}
		return nil
	}
	late := strings.Replace(configMap("late", "1"), "name: late", `name: late, annotations: {argocd.argoproj.io/sync-wave: "1"}`, 1)
	r.must(t, documents(configMap("a", "2"), deployment, late), "skipped ConfigMap/a", "unchanged Deployment.apps/web", "skipped ConfigMap/late")
	if waits != 1 {
		t.Errorf("waited %d times", waits)
	}
}
