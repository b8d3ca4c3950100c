package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
)

// Budget bounds how much one run may prune. A render that lost half of its
// objects by mistake is refused before anything is changed.
type Budget struct {
	Count int     // objects; 0 means 20, negative means any number
	Share float64 // of the set as it was, 0.3 for 30 %; 0 means 0.3, 1 or more means any
}

const (
	// defaultCount and defaultShare are what a change that a person reviewed as a
	// deletion stays under.
	defaultCount = 20
	defaultShare = 0.3
	// freeCount objects may go whatever their share: one of two is no accident.
	freeCount = 3
)

// allows says whether n of total members may be pruned.
func (b Budget) allows(n, total int) bool {
	if b.Count == 0 {
		b.Count = defaultCount
	}
	if b.Share == 0 {
		b.Share = defaultShare
	}
	return (b.Count < 0 || n <= b.Count) && (n <= freeCount || float64(n) <= b.Share*float64(total))
}

// extra is a member that is not desired any more.
type extra struct {
	id     cluster.ID
	live   *unstructured.Unstructured // nil where it does not carry the label
	place  place
	reason string // why it stays
	drop   bool   // it is not a member any more
	pruned bool
}

func (e *extra) prunable() bool { return e.live != nil && e.reason == "" && !e.drop }

func (e *extra) action() Action {
	a := Action{ID: e.id, Reason: e.reason}
	if e.live != nil {
		a.UID = e.live.GetUID()
	}
	switch {
	case e.pruned:
		a.Verb = Pruned
	case e.reason != "":
		a.Verb = Skipped
	}
	return a
}

// findExtra lists what is not desired any more, last applied first, and checks
// the budget.
func (r *Run) findExtra() error {
	r.extra = nil
	for _, id := range r.inventory.IDs() {
		if _, desired := r.byID[id]; !desired {
			r.extra = append(r.extra, r.judgeExtra(id))
		}
	}
	slices.SortStableFunc(r.extra, func(a, b *extra) int {
		if n := b.place.compare(a.place); n != 0 {
			return n
		}
		return b.id.Compare(a.id)
	})
	var names []string
	for _, e := range r.extra {
		if e.prunable() {
			names = append(names, e.id.String())
		}
	}
	if r.opts.PruneBudget.allows(len(names), len(r.inventory.Members)) {
		return nil
	}
	return fmt.Errorf("prune: %d of the %d objects of set %s would be deleted, which is more than the budget allows; raise the budget for this run if that is meant (apply.prune):\n  %s",
		len(names), len(r.inventory.Members), r.opts.Set.Name, strings.Join(names, "\n  "))
}

// judgeExtra says what may happen to one member that is not desired any more.
func (r *Run) judgeExtra(id cluster.ID) *extra {
	e := &extra{id: id, live: r.members[id], place: place{phase: ordinary, rank: rank(id.GroupKind())}}
	if first(id.GroupKind()) {
		e.place.phase = definitions
	}
	if e.live == nil {
		return e // Prune looks whether it is gone
	}
	if at, err := placeOf(e.live); err == nil {
		e.place = at
	}
	switch annotation := kept(e.live); {
	case !r.inventory.Owns(e.live):
		e.reason, e.drop = "carries the label but is not the object that this set created", true
	case critical(id, r.opts.Set.Namespace):
		e.reason = "the cluster or this program needs it"
	case slices.Contains(r.opts.Protect, id.GroupKind()), protected(id.GroupKind()) && !slices.Contains(r.opts.Unprotect, id.GroupKind()):
		e.reason = "a " + id.Kind + " is protected: delete it by hand, or remove the protection of its kind"
	case annotation != "":
		e.reason = "annotation " + annotation
	}
	return e
}

// Prune deletes what is not desired any more, in the opposite order of applying,
// waits until it is gone, and writes what the set now consists of. It refuses to
// run unless everything was applied.
func (r *Run) Prune(ctx context.Context) error {
	if r.progress != applied {
		return errOrder
	}
	r.progress = broken
	revision := r.opts.Revision
	err := r.prune(ctx)
	if err != nil {
		revision = r.inventory.Revision
	}
	r.step("shrink inventory")
	members := r.uids()
	for _, e := range r.extra {
		switch {
		case e.pruned || e.drop:
		case e.live != nil: // ours, or it would be dropped
			members[e.id] = e.live.GetUID()
		default:
			members[e.id] = r.inventory.Members[e.id]
		}
	}
	return errors.Join(err, r.inventory.Shrink(ctx, r.cluster, members, revision))
}

func (r *Run) prune(ctx context.Context) error {
	if len(r.extra) == 0 {
		return nil
	}
	// Between preflight and now lies the rollout: look again.
	r.step("list members again")
	var ids []cluster.ID
	for _, e := range r.extra {
		ids = append(ids, e.id)
	}
	var err error
	if r.members, err = r.list(ctx, ids); err != nil {
		return err
	}
	if err := r.findExtra(); err != nil {
		return err
	}
	for rest := r.extra; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].place == rest[0].place {
			n++
		}
		if err := r.pruneGroup(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// pruneGroup prunes objects of one place side by side.
func (r *Run) pruneGroup(ctx context.Context, group []*extra) error {
	items := make([]*item, len(group))
	byItem := map[*item]*extra{}
	for i, e := range group {
		items[i] = &item{id: e.id}
		byItem[items[i]] = e
	}
	faults := &Errors{Step: "prune", Total: len(r.extra)}
	faults.of(items, r.each(ctx, items, func(ctx context.Context, it *item) error { return r.pruneOne(ctx, byItem[it]) }))
	return faults.orNil()
}

func (r *Run) pruneOne(ctx context.Context, e *extra) error {
	if e.live == nil {
		return r.vanished(ctx, e)
	}
	if !e.prunable() {
		return nil
	}
	r.step("prune " + e.id.String())
	err := r.remove(ctx, e.id, e.live, func(live *unstructured.Unstructured) bool {
		return r.inventory.Owns(live) && kept(live) == ""
	})
	if errors.Is(err, errReplaced) {
		e.reason = err.Error()
		return nil
	}
	if e.pruned = err == nil; err != nil {
		e.reason = "could not be deleted"
	}
	return err
}

// vanished finds out why a member was not among those with the label.
func (r *Run) vanished(ctx context.Context, e *extra) error {
	live, err := r.cluster.Get(ctx, e.id)
	switch {
	case cluster.IsNoMatch(err):
		e.reason, e.drop = "its kind is not served any more", true
	case cluster.IsNotFound(err):
		e.reason, e.drop = "does not exist", true
	case err != nil:
		return err
	default:
		e.live = live
		e.reason, e.drop = "does not carry the label of this set any more", true
	}
	return nil
}
