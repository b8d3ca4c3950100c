package job

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
)

// survey plans all targets and has the server try them, and writes nothing. It
// says whether to go on: not where a target is refused for anything but what
// another target of this run brings. All targets have failed then, each with
// everything that is wrong with it.
func (r *run) survey(ctx context.Context) bool {
	failures := map[*target]*Error{}
	var refused []string
	for _, t := range r.targets {
		if stage, err := t.plan(ctx, r); err != nil {
			failures[t] = t.failure(stage, err)
		}
	}
	for _, t := range r.targets {
		if f := failures[t]; f != nil && !r.brings(t, f.Err) {
			refused = append(refused, t.outcome.Target)
		}
	}
	if len(refused) == 0 && ctx.Err() == nil {
		return true
	}
	for _, t := range r.targets {
		if f := failures[t]; f != nil {
			t.fail(f.Stage, f.Err)
		} else if ctx.Err() != nil {
			t.fail(StageApply, context.Cause(ctx))
		} else {
			t.fail(StageApply, fmt.Errorf("it is not applied, since others of this run are refused: %s", strings.Join(refused, ", ")))
		}
	}
	return false
}

// brings says whether every cause of a target's failure is something that other
// targets of this run may bring.
func (r *run) brings(t *target, err error) bool {
	others := slices.DeleteFunc(slices.Clone(r.targets), func(other *target) bool { return other == t })
	for _, cause := range causes(err) {
		var failure *cluster.Error
		if !errors.As(cause, &failure) || !slices.ContainsFunc(others, func(other *target) bool { return other.brings(failure) }) {
			return false
		}
	}
	return true
}

// causes takes joined errors apart.
func causes(err error) []error {
	for one := err; one != nil; one = errors.Unwrap(one) {
		joined, ok := one.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		var all []error
		for _, part := range joined.Unwrap() {
			all = append(all, causes(part)...)
		}
		return all
	}
	return []error{err}
}

// brings says whether a request of another target may succeed once this target is
// applied: its namespace, its kind, or a newer version of its kind is made here,
// or somebody who may make kinds.
func (t *target) brings(failure *cluster.Error) bool {
	gk := failure.ID.GroupKind()
	return slices.ContainsFunc(t.objects, func(u *unstructured.Unstructured) bool {
		switch {
		case failure.NoMatch:
			return defines(u, gk) || makesKinds(u)
		case failure.NotFound:
			return isNamespace(u) && u.GetName() == failure.ID.Namespace
		case slices.Contains(schemaCodes(), failure.Code):
			return defines(u, gk) && !t.unchanged(u)
		}
		return false
	})
}

// schemaCodes are the answers of the server to an object that does not fit the
// schema of its kind: 500 is that of server-side apply to an unknown field.
func schemaCodes() []int {
	return []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError}
}

// unchanged says whether an object was tried and is in the cluster as it should be.
func (t *target) unchanged(u *unstructured.Unstructured) bool {
	return t.run != nil && slices.ContainsFunc(t.run.Changes(), func(c apply.Change) bool {
		return c.ID == cluster.IDOf(u) && c.State == apply.Same
	})
}

// defines says whether an object is the definition of a kind.
func defines(u *unstructured.Unstructured, gk schema.GroupKind) bool {
	kind, ok := cluster.DefinedKind(u)
	return ok && kind == gk
}

// makesKinds says whether an object lets somebody create
// CustomResourceDefinitions, as controllers do that bring their kinds themselves or
// make them of templates. Which kinds those will be, nobody knows before.
func makesKinds(u *unstructured.Unstructured) bool {
	if u.GroupVersionKind().Group != "rbac.authorization.k8s.io" {
		return false
	}
	if u.GetKind() == "ClusterRoleBinding" {
		role, _, _ := unstructured.NestedString(u.Object, "roleRef", "name")
		return role == "cluster-admin"
	}
	rules, _, _ := unstructured.NestedFieldNoCopy(u.Object, "rules")
	list, _ := rules.([]any)
	return u.GetKind() == "ClusterRole" && slices.ContainsFunc(list, func(rule any) bool {
		m, _ := rule.(map[string]any)
		return holdsAny(m["apiGroups"], cluster.DefinitionKind().Group) && holdsAny(m["resources"], "customresourcedefinitions") && holdsAny(m["verbs"], "create")
	})
}

// holdsAny says whether a list of a rule has a word, or the star for all of them.
func holdsAny(list any, word string) bool {
	words, _ := list.([]any)
	return slices.Contains(words, any(word)) || slices.Contains(words, any("*"))
}
