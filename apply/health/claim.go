package health

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
)

// pendingClaim says whether an object is a PersistentVolumeClaim without its
// volume.
func pendingClaim(u *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	return u.GroupVersionKind().GroupKind() == schema.GroupKind{Kind: "PersistentVolumeClaim"} && phase == "Pending"
}

// firstConsumer is the binding mode of a storage class that gives a claim its
// volume when a pod that uses it is scheduled, and not before.
const firstConsumer = "WaitForFirstConsumer"

// claim judges a claim without a volume. Where its class waits for a pod and
// there is none, nothing is going to happen and nothing is wrong.
func (w *watch) claim(ctx context.Context, u *unstructured.Unstructured) Verdict {
	class, _, _ := unstructured.NestedString(u.Object, "spec", "storageClassName")
	if class == "" {
		return Verdict{Progressing, "is not bound: it names no storage class, so a PersistentVolume has to be made for it"}
	}
	switch mode, err := w.mode(ctx, class); {
	case cluster.IsForbidden(err):
		return Verdict{Progressing, fmt.Sprintf("is not bound; if storage class %s binds when a pod first uses a claim and none does, that is as it should be, "+
			"which the verb get on storageclasses would tell, or a rule for the kind in apply.health.rules", class)}
	case cluster.IsNotFound(err):
		return Verdict{Progressing, fmt.Sprintf("is not bound: there is no storage class %s", class)}
	case err != nil || mode != firstConsumer:
		return Verdict{Progressing, fmt.Sprintf("is not bound by its storage class %s", class)}
	}
	if why := w.wanted(ctx, u); why != "" {
		return Verdict{Progressing, fmt.Sprintf("is not bound by its storage class %s, although %s", class, why)}
	}
	return Verdict{Phase: Healthy}
}

// mode is the binding mode of a storage class, which cannot change.
func (w *watch) mode(ctx context.Context, class string) (string, error) {
	if known := w.classes[class]; known.mode != "" || known.err != nil {
		return known.mode, known.err
	}
	live, err := w.cluster.Get(ctx, cluster.ID{Group: "storage.k8s.io", Kind: "StorageClass", Name: class})
	if err != nil && !cluster.IsForbidden(err) {
		return "", err
	}
	known := binding{err: err}
	if err == nil {
		known.mode, _, _ = unstructured.NestedString(live.Object, "volumeBindingMode")
	}
	w.classes[class] = known
	return known.mode, known.err
}

// binding is what is known of a storage class: its mode, or that it may not be
// read.
type binding struct {
	mode string
	err  error
}

// wanted says by what a claim is needed; "" where nothing needs it. Where pods may
// not be read, the scheduler's mark on the claim has to do, which comes with the
// first pod that has a place.
func (w *watch) wanted(ctx context.Context, claim *unstructured.Unstructured) string {
	if claim.GetAnnotations()["volume.kubernetes.io/selected-node"] != "" {
		return "a node is selected for it"
	}
	if w.noPods {
		return ""
	}
	pods, err := w.cluster.List(ctx, schema.GroupKind{Kind: "Pod"}, claim.GetNamespace(), "")
	switch {
	case cluster.IsForbidden(err):
		w.noPods = true
	case err != nil:
		return "whether a pod uses it cannot be read at the moment"
	}
	for _, pod := range pods {
		if uses(pod, claim.GetName()) {
			return "pod " + pod.GetName() + " uses it"
		}
	}
	return ""
}

// uses says whether a pod that has not ended uses a claim.
func uses(pod *unstructured.Unstructured, claim string) bool {
	if phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
		return false
	}
	volumes, _, _ := unstructured.NestedSlice(pod.Object, "spec", "volumes")
	for _, item := range volumes {
		volume, _ := item.(map[string]any)
		if name, _, _ := unstructured.NestedString(volume, "persistentVolumeClaim", "claimName"); name == claim {
			return true
		}
	}
	return false
}
