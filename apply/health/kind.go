package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
)

// unserved says whether a list failed because there is no such kind: the server
// does not tell of it, or, where it did a moment ago, does not find it any more.
func unserved(err error) bool {
	var e *cluster.Error
	return errors.As(err, &e) && (e.NoMatch || e.Code == http.StatusNotFound)
}

// unserved judges the objects of a kind that is not served: they may wait for
// it only if a definition of it is among what is waited for.
func (w *watch) unserved(ctx context.Context, kind schema.GroupKind) Verdict {
	w.cluster.Reset() // what is known of the kinds may be out of date: the next look asks again
	definitions, err := w.cluster.List(ctx, cluster.DefinitionKind(), "", w.opts.Selector)
	if err == nil && slices.ContainsFunc(definitions, func(u *unstructured.Unstructured) bool { return defines(u, kind) }) {
		return Verdict{Progressing, "its kind is defined and not served yet"}
	}
	return Verdict{Failed, fmt.Sprintf("the server does not serve %s any more, and no CustomResourceDefinition of this set defines it: apply the definition, or remove the object", kind)}
}

// defines says whether a CustomResourceDefinition that is to stay defines a kind.
func defines(crd *unstructured.Unstructured, kind schema.GroupKind) bool {
	defined, ok := cluster.DefinedKind(crd)
	return ok && defined == kind && crd.GetDeletionTimestamp() == nil
}
