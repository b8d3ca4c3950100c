package hook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
)

// labelSet is the label of a hook with the ID of its set. It is not that of the
// set's members: what carries that one may be pruned.
const labelSet = "sallyport.dev/hook-of"

// labelled is the hook as it is sent.
func (r runner) labelled(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	labels := u.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[labelSet] = r.opts.Set
	u.SetLabels(labels)
	return u
}

// previous is the Job that an earlier run of the hook left behind; nil where there
// is none. A Job of that name that is anybody else's is an error.
func (r runner) previous(ctx context.Context, id cluster.ID) (*unstructured.Unstructured, error) {
	live, err := r.cluster.Get(ctx, id)
	if cluster.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return live, r.foreign(live)
}

// foreign says why a live Job is not a hook of this set, and what to do about it;
// nil where it is one: it carries the set's label, and this program put it there
// by creating the Job.
func (r runner) foreign(live *unstructured.Unstructured) error {
	created := slices.ContainsFunc(live.GetManagedFields(), creates)
	_, hook := phase(live)
	switch of, has := live.GetLabels()[labelSet]; {
	case has && of != r.opts.Set:
		return fmt.Errorf("a Job of that name exists and is a hook of another set (label %s=%s): rename one of the two hooks", labelSet, of)
	case has && slices.ContainsFunc(live.GetManagedFields(), labels):
		return nil
	case has:
		return fmt.Errorf("a Job of that name exists with the label %s, which sallyport did not put there; it was written by %s: rename the hook, or delete that Job if nobody needs it", labelSet, writers(live))
	case hook && created:
		return fmt.Errorf("a Job of that name exists that an earlier version of sallyport may have left behind, which did not label its hooks: if it is that, delete it once with kubectl -n %s delete job %s", live.GetNamespace(), live.GetName())
	case hook:
		return fmt.Errorf("a Job of that name exists and is a hook of somebody else's; it was written by %s: rename the hook, or delete that Job if nobody needs it", writers(live))
	}
	return errors.New("a Job of that name exists and is no hook: rename the hook")
}

// creates says whether a manager's entry is the one by which this program created
// an object.
func creates(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == cluster.Manager && e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == ""
}

// labels says whether it did so with the label of a set.
func labels(e metav1.ManagedFieldsEntry) bool {
	return creates(e) && e.FieldsV1 != nil && strings.Contains(e.FieldsV1.GetRawString(), `"f:`+labelSet+`"`)
}

// writers names the field managers of an object, without those of its status.
func writers(u *unstructured.Unstructured) string {
	names := map[string]bool{}
	for _, e := range u.GetManagedFields() {
		if e.Subresource == "" {
			names[fmt.Sprintf("%q", e.Manager)] = true
		}
	}
	if len(names) == 0 {
		return "an unknown manager"
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}
