package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/inventory"
)

// Preflight reads what the set consists of and has the server try every object
// without storing it: strictly, and without force. It writes nothing.
//
// The error is an [Errors] with every refusal, or one that names every object
// that would be pruned where those are more than the budget.
func (r *Run) Preflight(ctx context.Context) error {
	if r.progress != planned {
		return errOrder
	}
	if err := r.preflight(ctx); err != nil {
		r.progress = broken
		return err
	}
	r.progress = checked
	return nil
}

// errOrder is a mistake of the caller.
var errOrder = errors.New("an earlier step of this run failed or is missing")

func (r *Run) preflight(ctx context.Context) (err error) {
	if r.inventory = r.opts.Inventory; r.inventory == nil {
		r.step("read inventory")
		if r.inventory, err = inventory.Load(ctx, r.cluster, r.opts.Set); err != nil {
			return err
		}
	}
	r.step("list members")
	if r.members, err = r.list(ctx, r.inventory.IDs()); err != nil {
		return err
	}
	r.step("dry-run")
	faults := &Errors{Step: "preflight", Total: len(r.items)}
	for _, group := range r.stages() {
		var ready []*item
		for _, it := range group {
			if need, wait := r.blocked(it); wait {
				it.state, it.reason = Deferred, "waits for "+need.String()
				continue
			}
			ready = append(ready, it)
		}
		faults.of(ready, r.each(ctx, ready, r.examine))
	}
	if err := errors.Join(faults.orNil(), r.findExtra()); err != nil {
		return err
	}
	r.hold(r.items)
	return nil
}

// stages are the items of equal place, in order.
func (r *Run) stages() [][]*item {
	var all [][]*item
	for i, it := range r.items {
		if i == 0 || it.place != r.items[i-1].place {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], it)
	}
	return all
}

// each works on items side by side and gives the error of each.
func (r *Run) each(ctx context.Context, items []*item, work func(context.Context, *item) error) []error {
	failures := make([]error, len(items))
	var group errgroup.Group
	group.SetLimit(r.opts.Concurrency)
	for i, it := range items {
		group.Go(func() error {
			if failures[i] = ctx.Err(); failures[i] == nil {
				failures[i] = work(ctx, it)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in the list
	return failures
}

// list reads the members of the set among the kinds and namespaces of ids. A
// kind that is not served any more has none.
func (r *Run) list(ctx context.Context, ids []cluster.ID) (map[cluster.ID]*unstructured.Unstructured, error) {
	var corners []cluster.ID // kind and namespace
	for _, id := range ids {
		id.Name = ""
		corners = append(corners, id)
	}
	slices.SortFunc(corners, cluster.ID.Compare)
	corners = slices.Compact(corners)
	found := make([][]*unstructured.Unstructured, len(corners))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.opts.Concurrency)
	for i, at := range corners {
		group.Go(func() (err error) {
			found[i], err = r.cluster.List(ctx, at.GroupKind(), at.Namespace, r.opts.Set.Selector())
			if cluster.IsNoMatch(err) {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("members of set %s: %w", r.opts.Set.Name, err)
	}
	members := map[cluster.ID]*unstructured.Unstructured{}
	for _, some := range found {
		for _, u := range some {
			members[cluster.IDOf(u)] = u
		}
	}
	return members, nil
}

// blocked says whether the server cannot judge an object yet, and what of the
// set it waits for.
func (r *Run) blocked(it *item) (cluster.ID, bool) {
	for _, need := range it.needs {
		on, desired := r.byID[need]
		if !desired || on.done || on.place.compare(it.place) >= 0 {
			continue
		}
		there := on.state == Same || on.state == Held || on.state == Changed && need.Group != rbac
		if !there {
			return need, true
		}
	}
	if crd := r.defines[it.id.GroupKind()]; crd != nil && !crd.done && crd.state != Same {
		return crd.id, true
	}
	return cluster.ID{}, false
}

// examine finds out what applying one object would do.
func (r *Run) examine(ctx context.Context, it *item) error {
	it.live = r.members[it.id]
	return r.assess(ctx, it)
}

// assess is examine for a live object that was just read, or nil where none is
// known of.
func (r *Run) assess(ctx context.Context, it *item) error {
	it.force, it.taken, it.reason, it.dying = false, nil, "", nil
	if done, err := r.heldBack(ctx, it); done || err != nil {
		return err
	}
	if it.live != nil && it.live.GetAPIVersion() != it.desired.GetAPIVersion() {
		if err := r.look(ctx, it); err != nil {
			return err
		}
	}
	if it.live != nil {
		r.adjust(it)
	}
	final, err := r.try(ctx, it)
	if err != nil {
		return r.immutable(ctx, it, err)
	}
	if it.final = final; final.GetResourceVersion() == "" {
		it.state, it.live = New, nil
		return nil
	}
	if it.live == nil {
		err = r.adopt(ctx, it)
	} else {
		err = r.compare(ctx, it)
	}
	r.dying(it)
	return err
}

// compare says whether the dry-run of a member changes it. Where a controller
// wrote to the object since it was read, as during a rollout, both are repeated.
func (r *Run) compare(ctx context.Context, it *item) (err error) {
	for try := 1; it.live != nil && it.live.GetResourceVersion() != it.final.GetResourceVersion() && try < attempts; try++ {
		if err := r.look(ctx, it); err != nil {
			return err
		}
		if it.live != nil && it.live.GetResourceVersion() != it.final.GetResourceVersion() {
			if it.final, err = r.try(ctx, it); err != nil {
				return err
			}
		}
	}
	switch {
	case it.live == nil:
		it.state = New
	case same(it.live, it.final):
		it.state = Same
	default:
		it.state = Changed
	}
	return nil
}

// dying sees to an object that is being deleted, as by the prune of a run that
// was killed: it has to be gone before it is created anew.
func (r *Run) dying(it *item) {
	if it.live != nil && it.live.GetDeletionTimestamp() != nil {
		it.state, it.dying, it.live = New, it.live, nil
	}
}

// adopt judges an object that exists but is not a member.
func (r *Run) adopt(ctx context.Context, it *item) error {
	if err := r.look(ctx, it); err != nil {
		return err
	}
	if it.state = New; it.live == nil {
		return nil
	}
	it.state = Changed // it does not carry the label yet
	if r.opts.Adjust == nil {
		return nil
	}
	r.adjust(it)
	final, err := r.try(ctx, it)
	it.final = final
	return err
}

// look reads the live object and refuses one that is another set's.
func (r *Run) look(ctx context.Context, it *item) error {
	live, err := r.cluster.Live(ctx, it.desired)
	if cluster.IsNotFound(err) {
		it.live = nil
		return nil
	}
	if err != nil {
		return err
	}
	it.live = live
	return r.opts.Set.Shared(live)
}

// heldBack deals with objects that ask not to be applied, or only once.
func (r *Run) heldBack(ctx context.Context, it *item) (bool, error) {
	onlyOnce, never, annotation := policy(it.desired)
	switch {
	case never:
		it.state, it.reason = Held, "annotation "+annotation
		return true, nil
	case !onlyOnce:
		return false, nil
	}
	if it.live == nil {
		if err := r.look(ctx, it); err != nil {
			return false, err
		}
	}
	if it.live != nil {
		it.state, it.reason = Held, "exists, and annotation "+annotation
		return true, nil
	}
	return false, nil
}

func (r *Run) adjust(it *item) {
	if r.opts.Adjust != nil {
		r.opts.Adjust(it.desired, it.live)
	}
}

// try sends a dry-run: without force, and a second time with it where every
// conflict is with a manager on the list. The conflicts are those of an object
// that was read before; the second dry-run, and the write after it, name its
// resourceVersion, so that a field which somebody else takes in between is not
// taken from him. Where they are refused for that, all begins anew.
func (r *Run) try(ctx context.Context, it *item) (*unstructured.Unstructured, error) {
	for n := 1; ; n++ {
		it.force, it.taken = false, nil
		final, err := r.cluster.Apply(ctx, it.desired, cluster.ApplyOptions{DryRun: true})
		var failure *cluster.Error
		if !errors.As(err, &failure) || len(failure.Conflicts) == 0 {
			return final, err
		}
		if it.live != nil {
			if err := r.mayTake(it, failure); err != nil {
				return nil, err
			}
			final, err = r.cluster.Apply(ctx, it.asRead(), cluster.ApplyOptions{DryRun: true, Force: true})
			if err == nil {
				it.force, it.taken = true, failure.Conflicts
			}
			if !cluster.IsStale(err) {
				return final, err
			}
		}
		if n == attempts {
			return nil, err
		}
		if err := r.look(ctx, it); err != nil {
			return nil, err
		}
		if it.live != nil {
			r.adjust(it)
		}
	}
}

// mayTake refuses conflicts with managers that nobody listed.
func (r *Run) mayTake(it *item, conflict *cluster.Error) error {
	if r.opts.Reclaim && r.member(it.live) {
		return nil
	}
	for _, c := range conflict.Conflicts {
		if !slices.Contains(r.opts.TakeOver, c.Manager) {
			return fmt.Errorf("%w: remove the field from the manifest, stop the other manager, or allow taking over from it (apply.takeOver)", conflict)
		}
	}
	return nil
}

// member says whether a live object carries the label of this set.
func (r *Run) member(live *unstructured.Unstructured) bool {
	return live.GetLabels()[inventory.LabelPartOf] == r.opts.Set.ID()
}

// asRead is the desired object on the condition that the live one is still as it
// was read.
func (it *item) asRead() *unstructured.Unstructured {
	sent := it.desired.DeepCopy()
	sent.SetResourceVersion(it.live.GetResourceVersion())
	return sent
}

// hold asks the caller about every change.
func (r *Run) hold(items []*item) {
	if r.opts.Hold == nil {
		return
	}
	r.calling.Lock()
	defer r.calling.Unlock()
	for _, it := range items {
		if it.state == Same || it.state == Held {
			continue
		}
		if reason := r.opts.Hold(it.change()); reason != "" {
			it.state, it.reason = Held, reason
		}
	}
}
