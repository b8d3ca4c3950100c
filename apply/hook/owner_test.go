package hook

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// newRunner is a runner in the shared cluster, with a namespace of its own.
func newRunner(t *testing.T) (plane *controlplane.Cluster, namespace string, r runner) {
	t.Helper()
	plane = controlplane.Shared(t)
	c, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: plane.Admin})
	if err != nil {
		t.Fatal(err)
	}
	return plane, plane.Namespace(t), runner{c, Options{Set: "applyset-x-v1"}}
}

// leave makes a hook that does nothing, as an earlier run leaves it behind.
func (r runner) leave(t *testing.T, namespace, name string, finalizers ...string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{
		"name": name, "namespace": namespace, "annotations": map[string]any{annotation: "before"},
	}, "spec": map[string]any{"suspend": true, "template": map[string]any{"spec": map[string]any{
		"restartPolicy": "Never", "containers": []any{map[string]any{"name": "a", "image": "a"}},
	}}}}}
	u.SetFinalizers(finalizers)
	made, err := r.cluster.Create(t.Context(), r.labelled(u), cluster.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestRemoveChanged: a hook that changed since it was read is judged anew: it is
// deleted if it is still ours, and left if its label is gone.
func TestRemoveChanged(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane, ns, r := newRunner(t)
	stale := func(name, label string) *unstructured.Unstructured {
		made := r.leave(t, ns, name)
		plane.Kubectl(t, "-n", ns, "label", "job", name, label)
		return made
	}
	gone := func(name string) bool {
		live, err := r.cluster.Get(t.Context(), cluster.ID{Group: "batch", Kind: "Job", Namespace: ns, Name: name})
		return cluster.IsNotFound(err) || err == nil && live.GetDeletionTimestamp() != nil
	}
	if err := r.remove(t.Context(), stale("kept", "more=yes")); err != nil || !gone("kept") {
		t.Errorf("one of ours that changed was not deleted: %v", err)
	}
	if err := r.remove(t.Context(), stale("lost", labelSet+"-")); err == nil || !strings.Contains(err.Error(), "/lost: a Job of that name exists") || gone("lost") {
		t.Errorf("one that is not ours any more: %v", err)
	}
}

// TestStuck: the Job of an earlier run that cannot be deleted is waited for until
// the wait is over, and the error says what holds it.
func TestStuck(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane, ns, r := newRunner(t)
	made := r.leave(t, ns, "held", "example.com/never")
	t.Cleanup(func() { plane.Kubectl(t, "-n", ns, "patch", "job", "held", "-p", `{"metadata":{"finalizers":null}}`) })
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- r.clear(ctx, cluster.IDOf(made)) }()
	plane.Kubectl(t, "-n", ns, "wait", "--for=jsonpath={.metadata.deletionTimestamp}", "job/held", "--timeout=5m")
	cancel(errors.New("over"))
	if err := <-ended; err == nil || !strings.HasPrefix(err.Error(), "over: the Job of an earlier run is still being deleted") || !strings.Contains(err.Error(), "example.com/never") {
		t.Errorf("got %v", err)
	}
}

// TestForeignNeedsBoth: neither the label alone nor the manager alone makes a Job
// a hook of this set.
func TestForeignNeedsBoth(t *testing.T) {
	r := runner{opts: Options{Set: "applyset-x-v1"}}
	with := func(label, manager string, operation metav1.ManagedFieldsOperationType, fields string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		u.SetAnnotations(map[string]string{annotation: "before"})
		if label != "" {
			u.SetLabels(map[string]string{labelSet: label})
		}
		u.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: operation, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}})
		return u
	}
	const label, other = `{"f:metadata":{"f:labels":{"f:sallyport.dev/hook-of":{}}}}`, `{"f:spec":{}}`
	for name, one := range map[string]struct {
		u    *unstructured.Unstructured
		ours bool
	}{
		"made by us":               {with("applyset-x-v1", cluster.Manager, "Update", label), true},
		"of another set":           {with("applyset-y-v1", cluster.Manager, "Update", label), false},
		"without a label":          {with("", cluster.Manager, "Update", other), false},
		"labelled by another":      {with("applyset-x-v1", "kubectl", "Update", label), false},
		"made by us, not labelled": {with("applyset-x-v1", cluster.Manager, "Update", other), false},
		"a member of a set":        {with("applyset-x-v1", cluster.Manager, "Apply", label), false},
	} {
		if err := r.foreign(one.u); (err == nil) != one.ours {
			t.Errorf("%s: %v", name, err)
		}
	}
}
