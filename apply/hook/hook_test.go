package hook_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/apply/hook"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = u.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func job(t *testing.T, namespace, name, annotations, label string) *unstructured.Unstructured {
	return object(t, fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %s, namespace: %s, annotations: {%s}}, spec: {backoffLimit: 0,
		template: {metadata: {labels: {%s}}, spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}`, name, namespace, annotations, label))
}

func TestSplit(t *testing.T) {
	hooks, rest, err := hook.Split([]*unstructured.Unstructured{
		job(t, "shop", "b", "sallyport.dev/hook: before", ""), job(t, "shop", "a", "argocd.argoproj.io/hook: PreSync", ""),
		job(t, "shop", "c", "argocd.argoproj.io/hook: PostSync", ""), job(t, "shop", "d", "sallyport.dev/hook: failed", ""),
		job(t, "shop", "e", "argocd.argoproj.io/hook: Skip", ""), job(t, "shop", "f", "argocd.argoproj.io/hook: Sync", ""), job(t, "shop", "g", "", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]*unstructured.Unstructured{"a b": hooks.Before, "c": hooks.After, "d": hooks.Failed, "f g": rest} {
		var names []string
		for _, u := range list {
			names = append(names, u.GetName())
		}
		if got := strings.Join(names, " "); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
	ttl := job(t, "shop", "h", "sallyport.dev/hook: after", "")
	ttl.Object["spec"].(map[string]any)["ttlSecondsAfterFinished"] = int64(1)
	_, _, err = hook.Split([]*unstructured.Unstructured{
		ttl, job(t, "shop", "i", "sallyport.dev/hook: sometimes", ""),
		object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: j, namespace: shop, annotations: {argocd.argoproj.io/hook: PreSync}}}"),
	})
	for _, want := range []string{"Job.batch/shop/h: a hook with ttlSecondsAfterFinished", "Job.batch/shop/i: it asks to be a hook at an unknown time", "ConfigMap/shop/j: only a Job can be a hook"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// fresh is a namespace of the shared cluster, and the way there.
func fresh(t *testing.T) (plane *controlplane.Cluster, namespace string, c *cluster.Cluster) {
	t.Helper()
	plane = controlplane.Shared(t)
	c, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: plane.Admin})
	if err != nil {
		t.Fatal(err)
	}
	return plane, plane.Namespace(t), c
}

// set is the ID of the set that the hooks of the tests are of.
const set = "applyset-hooks-v1"

func TestRun(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane, ns, c := fresh(t)
	run := func(opts hook.Options, hooks ...*unstructured.Unstructured) error {
		opts.Set = set
		return hook.Run(context.Background(), c, hooks, opts)
	}
	uid := func(name string) string {
		return plane.Kubectl(t, "-n", ns, "get", "job", name, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
	}

	good := job(t, ns, "good", "sallyport.dev/hook: before", "")
	if err := run(hook.Options{}, good); err != nil {
		t.Fatal(err)
	}
	first := uid("good")
	if err := run(hook.Options{}, good); err != nil || uid("good") == first || first == "" {
		t.Errorf("a second run makes it anew: %v, %q then %q", err, first, uid("good"))
	}

	bad := job(t, ns, "bad", "sallyport.dev/hook: before", "sallyport.test/play: job-fails")
	never := job(t, ns, "never", "sallyport.dev/hook: before", "")
	if err := run(hook.Options{}, bad, never); err == nil || !strings.HasPrefix(err.Error(), "hook Job.batch/"+ns+"/bad failed BackoffLimitExceeded: kubectl -n "+ns+" logs job/bad") {
		t.Errorf("got %v", err)
	}
	if uid("never") != "" {
		t.Error("a hook was run behind one that failed")
	}

	gone := job(t, ns, "gone", "argocd.argoproj.io/hook: PostSync, argocd.argoproj.io/hook-delete-policy: HookSucceeded", "")
	if err := run(hook.Options{}, gone); err != nil {
		t.Fatal(err)
	}
	plane.Kubectl(t, "-n", ns, "wait", "--for=delete", "job/gone", "--timeout=60s")

	slow := job(t, ns, "slow", "sallyport.dev/hook: before", "")
	slow.Object["spec"].(map[string]any)["suspend"] = false
	unstructured.SetNestedStringMap(slow.Object, map[string]string{"no": "where"}, "spec", "template", "spec", "nodeSelector")
	if err := run(hook.Options{Timeout: time.Second}, slow); err == nil || !strings.Contains(err.Error(), "slow has not ended within 1s") {
		t.Errorf("got %v", err)
	}

	again := job(t, ns, "again", "sallyport.dev/hook: before, sallyport.dev/hook-delete: succeeded", "")
	for range 2 {
		if err := run(hook.Options{}, again); err != nil {
			t.Error(err)
		}
	}

	plane.Apply(t, fmt.Sprintf("{apiVersion: batch/v1, kind: Job, metadata: {name: theirs, namespace: %s}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}", ns))
	before := uid("theirs")
	if err := run(hook.Options{}, job(t, ns, "theirs", "sallyport.dev/hook: before", "")); err == nil || !strings.Contains(err.Error(), "is no hook") || uid("theirs") != before {
		t.Errorf("somebody's Job was taken for an old hook: %v", err)
	}
}

// TestSuperseded: where there is something newer no other hook begins, and the one
// that runs is seen through.
func TestSuperseded(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane, ns, c := fresh(t)
	asked := 0
	opts := hook.Options{Set: set, Superseded: func(context.Context) bool { asked++; return asked > 1 }}
	err := hook.Run(t.Context(), c, []*unstructured.Unstructured{job(t, ns, "one", "sallyport.dev/hook: before", ""), job(t, ns, "two", "sallyport.dev/hook: before", "")}, opts)
	if !errors.Is(err, health.ErrSuperseded) {
		t.Errorf("got %v", err)
	}
	if got := plane.Kubectl(t, "-n", ns, "get", "jobs", "-o", "jsonpath={range .items[*]}{.metadata.name} {.status.succeeded} {end}"); got != "one 1 " {
		t.Errorf("got %q", got)
	}
}

// file writes an object to a file, for kubectl.
func file(t *testing.T, u *unstructured.Unstructured) string {
	t.Helper()
	data, err := u.MarshalJSON()
	name := filepath.Join(t.TempDir(), u.GetName()+".json")
	if err == nil {
		err = os.WriteFile(name, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestForeign: a Job under the name of a hook is deleted only if it is a hook of
// the same set that this program made. Every other one is named, with what to do,
// before anything runs, and stays.
func TestForeign(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane, ns, c := fresh(t)
	ours := job(t, ns, "ours", "sallyport.dev/hook: before", "")
	if err := hook.Run(t.Context(), c, []*unstructured.Unstructured{ours}, hook.Options{Set: set}); err != nil {
		t.Fatal(err)
	}
	put := func(name, manager, labels string) {
		made := object(t, fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %s, namespace: %s, labels: {%s}, annotations: {argocd.argoproj.io/hook: PreSync}},
			spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}`, name, ns, labels))
		plane.Kubectl(t, "create", "--field-manager="+manager, "-f", file(t, made))
	}
	put("argo", "argocd-controller", "")
	put("earlier", cluster.Manager, "")
	put("forged", "mallory", "sallyport.dev/hook-of: "+set)
	for name, c2 := range map[string]struct{ set, want string }{
		"ours":    {"applyset-other-v1", "is a hook of another set (label sallyport.dev/hook-of=" + set + "): rename one of the two hooks"},
		"argo":    {set, `is a hook of somebody else's; it was written by "argocd-controller": rename the hook, or delete that Job if nobody needs it`},
		"earlier": {set, "an earlier version of sallyport may have left behind, which did not label its hooks: if it is that, delete it once with kubectl -n " + ns + " delete job earlier"},
		"forged":  {set, `which sallyport did not put there; it was written by "mallory"`},
	} {
		uid := func() string {
			return plane.Kubectl(t, "-n", ns, "get", "job", name, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
		}
		before := uid()
		one := []*unstructured.Unstructured{job(t, ns, name, "sallyport.dev/hook: before", "")}
		for step, err := range map[string]error{
			"Check": hook.Check(t.Context(), c, one, hook.Options{Set: c2.set}), "Run": hook.Run(t.Context(), c, one, hook.Options{Set: c2.set}),
		} {
			if err == nil || !strings.Contains(err.Error(), "hook Job.batch/"+ns+"/"+name+": ") || !strings.Contains(err.Error(), c2.want) {
				t.Errorf("%s of %s: got %v, want %s", step, name, err, c2.want)
			}
		}
		if after := uid(); before == "" || after != before {
			t.Errorf("%s was deleted: %q, then %q", name, before, after)
		}
	}
}

// TestCheck: what the server would refuse is known before anything is written, all
// of it; a hook of an earlier run is no reason to refuse.
func TestCheck(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane, ns, c := fresh(t)
	opts := hook.Options{Set: set}
	good := job(t, ns, "good", "sallyport.dev/hook: before", "")
	if err := hook.Run(t.Context(), c, []*unstructured.Unstructured{good}, opts); err != nil {
		t.Fatal(err)
	}
	bad := job(t, ns, "bad", "sallyport.dev/hook: before", "")
	unstructured.SetNestedField(bad.Object, "Sometimes", "spec", "template", "spec", "restartPolicy")
	lost := job(t, ns+"-nowhere", "lost", "sallyport.dev/hook: before", "")
	err := hook.Check(t.Context(), c, []*unstructured.Unstructured{good, bad, lost}, opts)
	for _, want := range []string{"hook Job.batch/" + ns + "/bad: ", "spec.template.spec.restartPolicy", "hook Job.batch/" + ns + "-nowhere/lost: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err == nil || strings.Contains(err.Error(), "good") {
		t.Errorf("got %v", err)
	}
	if names := strings.Fields(plane.Kubectl(t, "-n", ns, "get", "jobs", "-o", "jsonpath={.items[*].metadata.name}")); len(names) != 1 {
		t.Errorf("something was written: %v", names)
	}
	if err := hook.Check(t.Context(), c, []*unstructured.Unstructured{good}, opts); err != nil {
		t.Error(err)
	}
}
