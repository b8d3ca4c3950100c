package apply_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/inventory"
)

// TestSpoofedLabel: an object that carries the set's label but was never applied
// by it stays.
func TestSpoofedLabel(t *testing.T) {
	r := newRoom(t)
	r.must(t, documents(configMap("a", "1"), configMap("b", "1")), "created ConfigMap/a", "created ConfigMap/b")
	r.kubectl(t, "create", "configmap", "victim")
	r.kubectl(t, "label", "configmap", "victim", inventory.LabelPartOf+"="+r.opts.Set.ID())
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "pruned ConfigMap/b")
	r.there(t, "ConfigMap/$NS/victim")
}

// TestAnotherUID: an object under the name of one of ours that somebody else
// created stays, and is not ours any more.
func TestAnotherUID(t *testing.T) {
	r := newRoom(t)
	r.must(t, documents(configMap("a", "1"), configMap("b", "1")), "created ConfigMap/a", "created ConfigMap/b")
	r.kubectl(t, "delete", "configmap", "b")
	r.kubectl(t, "create", "configmap", "b")
	r.kubectl(t, "label", "configmap", "b", inventory.LabelPartOf+"="+r.opts.Set.ID())
	got := r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "skipped ConfigMap/b")
	if !strings.Contains(got.Actions[1].Reason, "not the object that this set created") {
		t.Error(got.Actions[1].Reason)
	}
	r.there(t, "ConfigMap/$NS/b")
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a")
}

// TestBudget: a mass deletion is refused as a whole, and names everything.
func TestBudget(t *testing.T) {
	r := newRoom(t)
	if _, err := r.run(t, configMaps(0, 20)); err != nil {
		t.Fatal(err)
	}
	r.refused(t, documents(configMaps(0, 10), configMap("new", "1")), "10 of the 20 objects", "raise the budget", "ConfigMap/$NS/c010", "ConfigMap/$NS/c019")
	r.absent(t, "ConfigMap/$NS/new")
	r.there(t, "ConfigMap/$NS/c019")
	r.opts.PruneBudget = apply.Budget{Share: 1, Count: 9}
	r.refused(t, configMaps(0, 10), "10 of the 20")
	r.opts.PruneBudget = apply.Budget{Share: 0.5}
	if _, err := r.run(t, configMaps(0, 10)); err != nil {
		t.Fatal(err)
	}
	r.absent(t, "ConfigMap/$NS/c019")
}

// TestProtected: what holds data or other objects stays until its kind is
// unprotected; what the cluster needs stays even then.
func TestProtected(t *testing.T) {
	r := newRoom(t)
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"
	r.must(t, documents(claim, configMap("a", "1")), "created ConfigMap/a", "created PersistentVolumeClaim/disk")
	for range 2 { // it stays a member, and is told of again
		got := r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "skipped PersistentVolumeClaim/disk")
		if !strings.Contains(got.Actions[1].Reason, "protected") {
			t.Error(got.Actions[1].Reason)
		}
	}
	r.opts.Unprotect = []schema.GroupKind{{Kind: "PersistentVolumeClaim"}}
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "pruned PersistentVolumeClaim/disk")
	r.absent(t, "PersistentVolumeClaim/$NS/disk")
}

// TestOptOuts: the annotations of three tools keep an object.
func TestOptOuts(t *testing.T) {
	r := newRoom(t)
	annotated := func(name, annotation string) string {
		return strings.Replace(configMap(name, "1"), "name: "+name, "name: "+name+", annotations: {"+annotation+"}", 1)
	}
	r.opts.PruneBudget = apply.Budget{Share: 1}
	r.must(t, documents(configMap("a", "1"), annotated("ours", "sallyport.dev/prune: disabled"),
		annotated("argo", `argocd.argoproj.io/sync-options: "Validate=false, Prune=false"`),
		annotated("argo2", `argocd.argoproj.io/sync-options: Delete=false`),
		annotated("flux", "kustomize.toolkit.fluxcd.io/prune: disabled"), annotated("helm", "helm.sh/resource-policy: keep"),
		annotated("other", "example.invalid/prune: disabled")),
		"created ConfigMap/a", "created ConfigMap/argo", "created ConfigMap/argo2", "created ConfigMap/flux", "created ConfigMap/helm", "created ConfigMap/other", "created ConfigMap/ours")
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "skipped ConfigMap/ours", "pruned ConfigMap/other",
		"skipped ConfigMap/helm", "skipped ConfigMap/flux", "skipped ConfigMap/argo2", "skipped ConfigMap/argo")
}

// TestOnlyOnce: IfNotPresent creates and then lets go; Ignore is left alone.
func TestOnlyOnce(t *testing.T) {
	r := newRoom(t)
	once := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: once, annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}}\ndata: {k: \"1\"}"
	never := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: never, annotations: {sallyport.dev/apply: Ignore}}"
	r.must(t, documents(once, never), "skipped ConfigMap/never", "created ConfigMap/once")
	r.must(t, documents(strings.Replace(once, `"1"`, `"2"`, 1), never), "skipped ConfigMap/never", "skipped ConfigMap/once")
	if got := r.kubectl(t, "get", "configmap", "once", "-o", "jsonpath={.data.k}"); got != "1" {
		t.Error(got)
	}
	r.absent(t, "ConfigMap/$NS/never")
	r.must(t, configMap("a", "1"), "created ConfigMap/a", "pruned ConfigMap/once")
}

// TestStuckDeletion: an object whose finalizer nobody removes stays tracked, and
// the error says why it is still there.
func TestStuckDeletion(t *testing.T) {
	r := newRoom(t)
	r.opts.PruneTimeout = 1e9
	stuck := strings.Replace(configMap("stuck", "1"), "name: stuck", "name: stuck, finalizers: [example.invalid/never]", 1)
	r.must(t, documents(configMap("a", "1"), stuck), "created ConfigMap/a", "created ConfigMap/stuck")
	r.opts.Revision = "r2"
	r.refused(t, configMap("a", "1"), "ConfigMap/$NS/stuck", "is not gone after 1s", "example.invalid/never")
	if got := r.members(t); len(got) != 2 {
		t.Errorf("inventory: %v", got)
	}
	if got := r.kubectl(t, "get", "configmap", "sallyport-shop", "-o", "jsonpath={.data.revision}"); got != "r1" {
		t.Errorf("revision %q of an incomplete run", got)
	}
	r.kubectl(t, "patch", "configmap", "stuck", "--type=json", "-p", `[{"op":"remove","path":"/metadata/finalizers"}]`)
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "skipped ConfigMap/stuck") // gone already
	if got := r.members(t); len(got) != 1 {
		t.Errorf("inventory: %v", got)
	}
}

// TestDyingObject: an object that is wanted again while it is being deleted is
// waited for and created anew.
func TestDyingObject(t *testing.T) {
	r := newRoom(t)
	stuck := strings.Replace(configMap("stuck", "1"), "name: stuck", "name: stuck, finalizers: [example.invalid/never]", 1)
	first := r.must(t, stuck, "created ConfigMap/stuck").Actions[0].UID
	r.kubectl(t, "delete", "configmap", "stuck", "--wait=false")
	r.opts.Step = func(name string) {
		if strings.HasPrefix(name, "apply ") {
			r.kubectl(t, "patch", "configmap", "stuck", "--type=json", "-p", `[{"op":"remove","path":"/metadata/finalizers"}]`)
		}
	}
	second := r.must(t, stuck, "created ConfigMap/stuck").Actions[0].UID
	if first == second || second == "" {
		t.Errorf("uid %q, before %q", second, first)
	}
	r.opts.Step = nil
	r.kubectl(t, "patch", "configmap", "stuck", "--type=json", "-p", `[{"op":"remove","path":"/metadata/finalizers"}]`)
}

// TestReleased: who takes the label away takes the object out of the set.
func TestReleased(t *testing.T) {
	r := newRoom(t)
	r.must(t, documents(configMap("a", "1"), configMap("b", "1")), "created ConfigMap/a", "created ConfigMap/b")
	r.kubectl(t, "label", "configmap", "b", inventory.LabelPartOf+"-")
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a", "skipped ConfigMap/b")
	r.there(t, "ConfigMap/$NS/b")
	r.must(t, configMap("a", "1"), "unchanged ConfigMap/a")
}

// TestTwoSets: an object is a member of one set only.
func TestTwoSets(t *testing.T) {
	r := newRoom(t)
	r.must(t, documents(configMap("a", "1"), configMap("b", "1")), "created ConfigMap/a", "created ConfigMap/b")
	other := *r
	other.opts.Set.Name = "other"
	other.refused(t, configMap("a", "2"), "belongs to another set, "+r.opts.Set.ID())
	other.absent(t, "ConfigMap/$NS/sallyport-other")
	r.must(t, configMap("b", "1"), "unchanged ConfigMap/b", "pruned ConfigMap/a")
	other.must(t, configMap("a", "2"), "created ConfigMap/a")
}

// TestTwoRunners: of two that read the same inventory, one writes; with and
// without an inventory before.
func TestTwoRunners(t *testing.T) {
	r := newRoom(t)
	for _, names := range [][2]string{{"a", "b"}, {"c", "d"}} {
		var runs []*apply.Run
		for _, name := range names {
			run, err := apply.Plan(t.Context(), r.Cluster, r.manifests(t, configMap(name, "1")), r.opts)
			if err != nil {
				t.Fatal(err)
			}
			if err := run.Preflight(t.Context()); err != nil {
				t.Fatal(err)
			}
			runs = append(runs, run)
		}
		if err := runs[0].Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := runs[1].Apply(t.Context()); err == nil || !strings.Contains(err.Error(), "another runner") {
			t.Errorf("%v", err)
		}
		r.absent(t, "ConfigMap/$NS/"+names[1])
		if err := runs[0].Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := runs[1].Prune(t.Context()); err == nil {
			t.Error("a run that failed pruned")
		}
	}
}

// TestForeignParent: an inventory that another tool manages is refused, and so
// is a ConfigMap that is none.
func TestForeignParent(t *testing.T) {
	r := newRoom(t)
	r.kubectl(t, "create", "configmap", "sallyport-shop")
	r.refused(t, configMap("a", "1"), "exists and is no inventory")
	r.kubectl(t, "annotate", "configmap", "sallyport-shop", "applyset.kubernetes.io/tooling=kubectl/v1.36")
	r.kubectl(t, "label", "configmap", "sallyport-shop", "applyset.kubernetes.io/id="+r.opts.Set.ID())
	r.refused(t, configMap("a", "1"), `managed by "kubectl/v1.36"`, `to "sallyport/v0.1.0"`)
	r.absent(t, "ConfigMap/$NS/a")
	r.kubectl(t, "annotate", "--overwrite", "configmap", "sallyport-shop", "applyset.kubernetes.io/tooling=sallyport/v0.0.1")
	r.must(t, configMap("a", "1"), "created ConfigMap/a")
}

// TestKubectlUnderstands: kubectl finds the set, sees its members, and keeps its
// hands off.
func TestKubectlUnderstands(t *testing.T) {
	r := newRoom(t)
	r.must(t, documents(configMap("a", "1"), secret), "created ConfigMap/a", "created Secret/db")
	if got := r.kubectl(t, "get", "configmap,secret", "-o", "name", "-l", r.opts.Set.Selector()); got != "configmap/a\nsecret/db\n" {
		t.Errorf("members by label: %q", got)
	}
	parent := r.get(t, "ConfigMap/$NS/sallyport-shop")
	if got := parent.GetAnnotations()["applyset.kubernetes.io/contains-group-kinds"]; got != "ConfigMap,Secret" {
		t.Errorf("kinds: %q", got)
	}
	if parent.GetLabels()[inventory.LabelID] != r.opts.Set.ID() {
		t.Errorf("id: %v", parent.GetLabels())
	}
	if cluster.IDOf(parent) != r.opts.Set.Parent() {
		t.Error(cluster.IDOf(parent))
	}
}
