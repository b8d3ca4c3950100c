package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sallyport/sallyport/apply/cluster"
)

// State is what preflight found about a desired object.
type State uint8

// States.
const (
	Unknown  State = iota // not looked at, or refused
	Deferred              // cannot be judged before something else of the set is there
	New                   // does not exist
	Changed               // exists and would change
	Replaced              // exists, and has to be deleted and created again
	Same                  // exists and would not change
	Held                  // is not to be written; Change.Reason says why
)

// Change is a desired object beside the live one. Those of Secrets hold values.
type Change struct {
	ID      cluster.ID
	State   State
	Desired *unstructured.Unstructured // as it is sent
	Live    *unstructured.Unstructured // nil where there is none
	Final   *unstructured.Unstructured // as the server would make it; nil where Deferred, Replaced or Held
	Taken   []cluster.Conflict         // fields that are taken from managers on the list
	Reason  string                     // why it is Held or Replaced
}

func (it *item) change() Change {
	return Change{ID: it.id, State: it.state, Desired: it.desired, Live: it.live, Final: it.final, Taken: it.taken, Reason: it.reason}
}

// Changes lists what preflight found, in the order of applying.
func (r *Run) Changes() []Change {
	all := make([]Change, len(r.items))
	for i, it := range r.items {
		all[i] = it.change()
	}
	return all
}

// Extra lists the members of the set that are not desired any more and what is
// to happen to them: verb Pruned, or Skipped with a reason, or none where only
// Prune finds out, because they were not found by the label. They are in the
// order of pruning.
func (r *Run) Extra() []Action {
	all := make([]Action, len(r.extra))
	for i, e := range r.extra {
		all[i] = e.action()
		if e.prunable() && all[i].Verb == "" {
			all[i].Verb = Pruned
		}
	}
	return all
}

// Verb is what was done to an object.
type Verb string

// Verbs.
const (
	Created    Verb = "created"
	Configured Verb = "configured"
	Unchanged  Verb = "unchanged"
	Recreated  Verb = "recreated"
	Pruned     Verb = "pruned"
	Skipped    Verb = "skipped" // with a reason
)

// Action is what was done to one object.
type Action struct {
	ID     cluster.ID
	Verb   Verb // empty where the run did not come that far
	UID    types.UID
	Reason string
	Taken  []cluster.Conflict // fields that were taken from other managers
}

// Result is what a run did.
type Result struct {
	Actions  []Action // desired objects in the order of applying, then those that were not desired any more
	Requests int      // sent since Plan, by everybody who shares the connection
	Warnings []string // of the API server
}

// Result says what was done so far. It may be called after any step, also after
// one that failed.
func (r *Run) Result() *Result {
	res := &Result{Requests: r.cluster.Requests() - r.start, Warnings: r.cluster.Warnings()}
	for _, it := range r.items {
		a := Action{ID: it.id, Verb: it.verb, Reason: it.reason}
		if it.done && it.force {
			a.Taken = slices.Clone(it.taken)
		}
		if it.final != nil && it.done {
			a.UID = it.final.GetUID()
		}
		res.Actions = append(res.Actions, a)
	}
	for _, e := range r.extra {
		res.Actions = append(res.Actions, e.action())
	}
	return res
}

// Objects lists the desired objects as the server last returned them, in the
// order of applying; those that were not written yet as they are desired.
func (r *Run) Objects() []*unstructured.Unstructured {
	all := make([]*unstructured.Unstructured, len(r.items))
	for i, it := range r.items {
		all[i] = it.current()
	}
	return all
}

func (it *item) current() *unstructured.Unstructured {
	if it.done && it.final != nil {
		return it.final
	}
	if it.state == Held && it.live != nil {
		return it.live
	}
	return it.desired
}
