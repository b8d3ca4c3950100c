package apply

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sallyport/sallyport/apply/cluster"
)

// attempts is how often a write is tried whose precondition failed because the
// object changed in between, as a busy controller makes happen once or twice.
const attempts = 5

// irreplaceable are kinds whose deletion takes data or other objects with it.
var irreplaceable = []schema.GroupKind{
	{Kind: "Namespace"}, {Group: apiextension, Kind: "CustomResourceDefinition"},
	{Kind: "PersistentVolume"}, {Kind: "PersistentVolumeClaim"}, {Group: "apps", Kind: "StatefulSet"},
}

// immutable judges a refused dry-run: an object of ours of which every refused
// field may only not change, and that asks for it, can be deleted and created
// again, if the server would create it.
func (r *Run) immutable(ctx context.Context, it *item, refused error) error {
	var failure *cluster.Error
	if !errors.As(refused, &failure) || !failure.Immutable {
		return refused
	}
	if r.dying(it); it.dying != nil {
		return nil
	}
	ask := asksForRecreation(it.desired)
	switch {
	case slices.Contains(irreplaceable, it.id.GroupKind()):
		return fmt.Errorf("%w: a %s is never recreated, delete it by hand if its loss is acceptable", refused, it.id.Kind)
	case ask == "":
		return fmt.Errorf("%w: to have it deleted and created again, set the annotation %s: \"true\" for this change", refused, annotationRecreate)
	case it.live == nil || !r.inventory.Owns(it.live):
		return fmt.Errorf("%w: it asks to be recreated, but is not a member of this set and is not deleted", refused)
	}
	trial := it.desired.DeepCopy()
	trial.SetName(fmt.Sprintf("sallyport-trial-%x", sha256.Sum256([]byte(it.id.String())))[:32])
	if _, err := r.cluster.Create(ctx, trial, cluster.CreateOptions{DryRun: true}); err != nil {
		return fmt.Errorf("cannot be recreated, since the new object would be refused: %w", err)
	}
	it.state, it.final = Replaced, nil
	it.reason = "annotation " + ask
	return nil
}

// recreate deletes the live object and creates the desired one.
func (r *Run) recreate(ctx context.Context, it *item) error {
	if err := r.remove(ctx, it.id, it.live, nil); err != nil {
		return fmt.Errorf("recreate: %w", err)
	}
	return r.put(ctx, it)
}

// remove deletes one very object and waits until it is gone. Where it changed in
// between, still says whether it is still to be deleted; nil means yes.
func (r *Run) remove(ctx context.Context, id cluster.ID, live *unstructured.Unstructured, still func(*unstructured.Unstructured) bool) error {
	uid := live.GetUID()
	for try := 1; ; try++ {
		err := r.cluster.Delete(ctx, id, cluster.DeleteOptions{
			UID: uid, ResourceVersion: live.GetResourceVersion(), Propagation: propagation(id.GroupKind()),
		})
		if err == nil {
			return r.gone(ctx, id, uid)
		}
		if cluster.IsNotFound(err) {
			return nil
		}
		if !cluster.IsConflict(err) || try == attempts {
			return err
		}
		if live, err = r.cluster.Get(ctx, id); cluster.IsNotFound(err) {
			return nil
		} else if err != nil {
			return err
		}
		if live.GetUID() != uid || still != nil && !still(live) {
			return errReplaced
		}
	}
}

// errReplaced says that there is another object under the name, or that it is
// not to be deleted any more.
var errReplaced = errors.New("was replaced or changed hands while it was to be deleted")

const (
	// firstLook and longestLook bound the pauses between looking whether an
	// object is gone: most are at once, pods take their time.
	firstLook   = 50 * time.Millisecond
	longestLook = 2 * time.Second
)

// gone waits until an object is not there any more.
func (r *Run) gone(ctx context.Context, id cluster.ID, uid types.UID) error {
	patience, cancel := context.WithTimeout(ctx, r.opts.PruneTimeout)
	defer cancel()
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		live, err := r.cluster.Get(ctx, id)
		if cluster.IsNotFound(err) || cluster.IsNoMatch(err) || err == nil && live.GetUID() != uid {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-patience.Done():
			if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
				return fmt.Errorf("is not gone after %s: finalizers %q are not removed by their controllers: %w", r.opts.PruneTimeout, finalizers, patience.Err())
			}
			return fmt.Errorf("is not gone after %s: %w", r.opts.PruneTimeout, patience.Err())
		case <-time.After(pause):
		}
	}
}

// propagation deletes the pods of a workload before the workload, so that being
// gone means that they are gone. Other objects go at once: the garbage collector
// learns of a new custom kind only after half a minute, and would hold its
// objects for so long.
func propagation(gk schema.GroupKind) metav1.DeletionPropagation {
	if gk.Group == "apps" || gk.Group == "batch" || gk.Group == "" && gk.Kind == "ReplicationController" {
		return metav1.DeletePropagationForeground
	}
	return metav1.DeletePropagationBackground
}
