package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
)

const (
	// kindTimeout is how long a new CRD may take to be served. It takes a second.
	kindTimeout = time.Minute
	// shortPause is the time between looking again for that, or for what else the
	// API server learns late.
	shortPause = 200 * time.Millisecond
)

// Apply writes what preflight found to be new or changed, stage by stage. After
// a stage with a refusal no other begins. Objects that were deferred are tried
// first as soon as what they wait for is there.
func (r *Run) Apply(ctx context.Context) error {
	if r.progress != checked {
		return errOrder
	}
	r.progress = broken
	r.step("write superset")
	if err := r.inventory.Superset(ctx, r.cluster, r.uids(), r.opts.Revision); err != nil {
		return err
	}
	stages := r.stages()
	wave := 0 // index of the first stage of the wave
	for i, group := range stages {
		if err := r.stage(ctx, group); err != nil {
			return err
		}
		if i+1 < len(stages) && sameWave(group[0].place, stages[i+1][0].place) {
			continue
		}
		if i+1 < len(stages) {
			if err := r.settle(ctx, stages[wave:i+1]); err != nil {
				return err
			}
		}
		wave = i + 1
	}
	r.progress = applied
	return nil
}

func sameWave(a, b place) bool { return a.phase == b.phase && a.wave == b.wave }

// settle lets the caller wait for a wave.
func (r *Run) settle(ctx context.Context, stages [][]*item) error {
	if r.opts.Settle == nil {
		return nil
	}
	var objects []*unstructured.Unstructured
	for _, group := range stages {
		for _, it := range group {
			if it.state != Held || it.live != nil { // what is missing and stays so is not waited for
				objects = append(objects, it.current())
			}
		}
	}
	at := stages[0][0].place
	r.step(fmt.Sprintf("settle wave %d", at.wave))
	if err := r.opts.Settle(ctx, objects); err != nil {
		return fmt.Errorf("wave %d: %w", at.wave, err)
	}
	return nil
}

// stage applies the objects of one place.
func (r *Run) stage(ctx context.Context, group []*item) error {
	if err := r.judge(ctx); err != nil {
		return err
	}
	r.step("stage " + group[0].place.String())
	faults := &Errors{Step: "apply", Total: len(r.items)}
	faults.of(group, r.each(ctx, group, r.write))
	if err := faults.orNil(); err != nil {
		return err
	}
	return r.served(ctx, group)
}

// judge tries the objects that were deferred and now wait for nothing any more.
func (r *Run) judge(ctx context.Context) error {
	var ready []*item
	for _, it := range r.items {
		if it.state != Deferred {
			continue
		}
		if _, wait := r.blocked(it); !wait {
			ready = append(ready, it)
		}
	}
	if len(ready) == 0 {
		return nil
	}
	r.step("dry-run of deferred objects")
	faults := &Errors{Step: "preflight", Total: len(r.items)}
	faults.of(ready, r.each(ctx, ready, r.patiently))
	r.hold(ready)
	return faults.orNil()
}

// patiently examines an object until the server's caches have caught up.
func (r *Run) patiently(ctx context.Context, it *item) error {
	for end := time.Now().Add(r.opts.JudgeTimeout); ; {
		err := r.examine(ctx, it)
		var failure *cluster.Error
		if err == nil || !errors.As(err, &failure) || len(failure.Conflicts) > 0 || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(shortPause):
		}
	}
}

// write does what preflight found to be necessary for one object.
func (r *Run) write(ctx context.Context, it *item) error {
	switch it.state {
	case Same:
		it.done, it.verb = true, Unchanged
		return nil
	case Held:
		it.done, it.verb = true, Skipped
		return nil
	case Replaced:
		r.step("recreate " + it.id.String())
		return r.recreate(ctx, it)
	case New, Changed:
		r.step("apply " + it.id.String())
		return r.put(ctx, it)
	case Deferred:
		return fmt.Errorf("is not applied: it %s, which comes in a later wave", it.reason)
	}
	return errOrder
}

// put applies one object, on the condition that what preflight found out about
// it still holds; otherwise it is examined anew.
func (r *Run) put(ctx context.Context, it *item) error {
	for n := 1; ; n++ {
		if it.dying != nil {
			if err := r.gone(ctx, it.id, it.dying.GetUID()); err != nil {
				return fmt.Errorf("is being deleted and %w", err)
			}
		}
		sent, opts := r.conditional(it)
		stored, err := r.cluster.Apply(ctx, sent, opts)
		if err == nil {
			r.stored(it, stored)
			return nil
		}
		if !cluster.IsConflict(err) || n == attempts {
			return err
		}
		if done, err := r.again(ctx, it); done || err != nil {
			return err
		}
	}
}

// conditional is the request that writes an object, with what must hold for it.
// What was not there must still not be: another set could have made it. What is
// forced, or is to become a member, must be as it was read: no version in which
// another manager has a field, or another set the object, is overwritten unread.
// Of what is a member without conflicts the server compares the fields itself,
// so that controllers may write its status as they like; it must only not be
// another object.
func (r *Run) conditional(it *item) (*unstructured.Unstructured, cluster.ApplyOptions) {
	switch {
	case it.live == nil || it.state == Replaced:
		return it.desired, cluster.ApplyOptions{OnlyNew: true}
	case it.force || !r.member(it.live):
		return it.asRead(), cluster.ApplyOptions{Force: it.force}
	}
	sent := it.desired.DeepCopy()
	sent.SetUID(it.live.GetUID())
	return sent, cluster.ApplyOptions{}
}

// again examines an object anew that is not any more as preflight found it, and
// says whether nothing is left to be done.
func (r *Run) again(ctx context.Context, it *item) (done bool, err error) {
	before, force, taken := it.state, it.force, it.taken
	if err := r.look(ctx, it); err != nil {
		return false, err
	}
	if err := r.assess(ctx, it); err != nil {
		return false, err
	}
	r.hold([]*item{it})
	switch it.state {
	case Same: // it was written, and the answer lost
		it.done, it.verb = true, map[State]Verb{New: Created, Replaced: Recreated, Changed: Configured}[before]
		it.force, it.taken = force, taken
	case Held:
		it.done, it.verb = true, Skipped
	case Replaced:
		return false, errors.New("was changed while it was to be applied, so that it would have to be recreated: run again")
	}
	return it.done, nil
}

// stored keeps what the server made of an object.
func (r *Run) stored(it *item, stored *unstructured.Unstructured) {
	switch {
	case it.state == Replaced:
		it.verb = Recreated
	case it.live == nil:
		it.verb = Created
	case it.final.GetResourceVersion() == stored.GetResourceVersion():
		it.verb = Unchanged
	default:
		it.verb = Configured
	}
	it.final, it.done = stored, true
}

// served waits until the kinds that a stage defined are served.
func (r *Run) served(ctx context.Context, group []*item) error {
	var wanted []*item
	for _, it := range group {
		if it.id.GroupKind() == cluster.DefinitionKind() && it.verb != Unchanged && it.verb != Skipped {
			wanted = append(wanted, it)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	r.step("wait for new kinds")
	ctx, cancel := context.WithTimeout(ctx, kindTimeout)
	defer cancel()
	faults := &Errors{Step: "apply", Total: len(r.items)}
	faults.of(wanted, r.each(ctx, wanted, r.established))
	return faults.orNil()
}

// established waits until the server serves the kind of one CRD.
func (r *Run) established(ctx context.Context, it *item) error {
	kind, _ := cluster.DefinedKind(it.desired)
	for {
		live, err := r.cluster.Get(ctx, it.id)
		if err != nil {
			return err
		}
		if condition(live, "Established") {
			r.cluster.Reset()
			if _, err := r.cluster.Namespaced(ctx, kind); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("is not established after %s: its names may be taken, see its conditions", kindTimeout)
		case <-time.After(shortPause):
		}
	}
}

func condition(u *unstructured.Unstructured, name string) bool {
	all, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, one := range all {
		if c, ok := one.(map[string]any); ok && c["type"] == name {
			return c["status"] == "True"
		}
	}
	return false
}
