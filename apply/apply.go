// Package apply makes a cluster hold a set of objects, and no more of what it
// once put there.
//
// A [Run] goes through four steps, each of which may be the last: [Plan] checks
// and orders the objects without asking the cluster for more than its kinds;
// [Run.Preflight] has the server try everything without storing it and reports
// all refusals at once; [Run.Apply] writes, stage by stage; [Run.Prune] deletes
// what the set no longer has. Whatever the step at which a run dies, the next one
// converges: the inventory is a superset before the first write and is shrunk
// after the last.
//
// Nothing is forced. A field that another manager set is an error that names
// both, unless that manager is on [Options.TakeOver] or the run is there to take
// fields back. An object is deleted only
// if its label, its place in the inventory and its uid say that it is ours, and
// recreated only if it asks for that itself.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/inventory"
)

const (
	// defaultConcurrency is how many requests are under way at a time: 2,000
	// objects take seconds, and a small share of the seats that the API server's
	// fairness has for all workloads.
	defaultConcurrency = 8
	// defaultPruneTimeout is how long deleted objects may take to be gone: a pod
	// has 30 seconds to end, twice that with a preStop hook.
	defaultPruneTimeout = 2 * time.Minute
	// defaultJudgeTimeout is how long the API server's own caches take to learn of
	// new kinds, roles and namespaces, and some more.
	defaultJudgeTimeout = 5 * time.Second
)

// Options says what a run may do. Set is required.
type Options struct {
	Set              inventory.Set
	Revision         string               // what is applied, for the inventory
	Inventory        *inventory.Inventory // as it was read just now, for this run alone; nil has it read
	DefaultNamespace string               // of namespaced objects that name none; empty makes those an error

	TakeOver     []string           // field managers whose fields may be taken
	Reclaim      bool               // take back what others changed in members: to see drift, and to heal it
	Protect      []schema.GroupKind // kinds that are not pruned, beside those that never are
	Unprotect    []schema.GroupKind // protected kinds that may be pruned after all
	PruneBudget  Budget
	PruneTimeout time.Duration // for deleted objects to be gone; 0 means two minutes
	JudgeTimeout time.Duration // for which a refusal of what was deferred is doubted; 0 means five seconds
	Concurrency  int           // requests at a time; 0 means 8

	// Adjust may change a desired object that exists, before the server sees it:
	// the place of rules that ignore fields. Live must not be changed.
	Adjust func(desired, live *unstructured.Unstructured)
	// Hold gives a reason not to write a change; empty lets it pass. It is asked
	// one call at a time, and again about an object that changed since.
	Hold func(Change) string
	// Settle is called with the applied objects of a wave, before the next wave
	// begins: the place to wait until they are healthy.
	Settle func(ctx context.Context, applied []*unstructured.Unstructured) error
	// Step is told what comes next, one call at a time.
	Step func(name string)
}

// Run is one way of a set of objects into the cluster. Its methods are to be
// called in the order Preflight, Apply, Prune, from one goroutine.
type Run struct {
	cluster *cluster.Cluster
	opts    Options
	items   []*item // in the order of applying
	byID    map[cluster.ID]*item
	defines map[schema.GroupKind]*item // CRDs of the set

	inventory *inventory.Inventory
	members   map[cluster.ID]*unstructured.Unstructured // live objects with the set's label
	extra     []*extra                                  // members that are not desired any more

	progress progress
	start    int        // requests of the connection before this run
	calling  sync.Mutex // Options.Step or Hold
}

// progress is how far a run has come.
type progress uint8

const (
	planned progress = iota
	checked
	applied
	broken // a step failed; nothing more may be done
)

// item is a desired object and what becomes of it.
type item struct {
	id      cluster.ID
	desired *unstructured.Unstructured
	place   place
	needs   []cluster.ID // of the set, to be there before the server can judge this one

	live   *unstructured.Unstructured // as found; nil where there is none
	final  *unstructured.Unstructured // as the server would make it, or made it
	state  State
	dying  *unstructured.Unstructured // found being deleted; to be waited for
	force  bool                       // all conflicts are with managers on the list
	taken  []cluster.Conflict
	reason string
	done   bool // written, or nothing to write
	verb   Verb
}

// Plan checks and orders objects. It asks the server which kinds there are, and
// nothing else. The objects are copied.
//
// The error is an [Errors] with everything that is wrong with the objects
// themselves.
func Plan(ctx context.Context, c *cluster.Cluster, objects []*unstructured.Unstructured, opts Options) (*Run, error) {
	if len(objects) == 0 {
		return nil, ErrEmpty
	}
	if opts.Concurrency <= 0 {
		opts.Concurrency = defaultConcurrency
	}
	if opts.PruneTimeout <= 0 {
		opts.PruneTimeout = defaultPruneTimeout
	}
	if opts.JudgeTimeout <= 0 {
		opts.JudgeTimeout = defaultJudgeTimeout
	}
	r := &Run{cluster: c, opts: opts, byID: map[cluster.ID]*item{}, defines: map[schema.GroupKind]*item{}, start: c.Requests()}
	r.step("plan")
	c.Reset() // what a long-lived process learnt of the kinds may be out of date
	scopes := definedScopes(objects)
	faults := &Errors{Step: "plan", Total: len(objects)}
	for _, u := range objects {
		it, err := r.plan(ctx, u.DeepCopy(), scopes)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			faults.add(cluster.IDOf(u), err)
			continue
		}
		r.items = append(r.items, it)
		r.byID[it.id] = it
		if kind, ok := cluster.DefinedKind(it.desired); ok {
			r.defines[kind] = it
		}
	}
	slices.SortStableFunc(r.items, func(a, b *item) int {
		if n := a.place.compare(b.place); n != 0 {
			return n
		}
		return a.id.Compare(b.id)
	})
	return r, faults.orNil()
}

// ErrEmpty refuses a set without objects: a render that went wrong looks like
// that, and applying it would delete everything.
var ErrEmpty = errors.New("there is nothing to apply: an empty set is refused, since it would prune every object; delete the inventory to give the set up")

// plan makes an item of one object.
func (r *Run) plan(ctx context.Context, u *unstructured.Unstructured, scopes map[schema.GroupKind]bool) (*item, error) {
	if err := check(u); err != nil {
		return nil, err
	}
	namespaced, err := r.cluster.Namespaced(ctx, u.GroupVersionKind().GroupKind())
	if cluster.IsNoMatch(err) {
		defined, ok := scopes[u.GroupVersionKind().GroupKind()]
		if !ok {
			return nil, fmt.Errorf("%w, and no CustomResourceDefinition in this set defines it", err)
		}
		namespaced, err = defined, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case !namespaced:
		u.SetNamespace("") // as the server does
	case u.GetNamespace() == "" && r.opts.DefaultNamespace == "":
		return nil, errors.New("has no namespace: set metadata.namespace, or the default namespace of the target")
	case u.GetNamespace() == "":
		u.SetNamespace(r.opts.DefaultNamespace)
	}
	id := cluster.IDOf(u)
	if _, twice := r.byID[id]; twice {
		return nil, errors.New("is in the set twice")
	}
	if id == r.opts.Set.Parent() {
		return nil, errors.New("is the inventory of this set: rename the object")
	}
	at, err := placeOf(u)
	if err != nil {
		return nil, err
	}
	labels := u.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[inventory.LabelPartOf] = r.opts.Set.ID()
	u.SetLabels(labels)
	return &item{id: id, desired: u, place: at, needs: needs(u)}, nil
}

func (r *Run) step(name string) {
	if r.opts.Step == nil {
		return
	}
	r.calling.Lock()
	defer r.calling.Unlock()
	r.opts.Step(name)
}

// uids is what the inventory has to say about the desired objects: of those that
// are, or are to become, members.
func (r *Run) uids() map[cluster.ID]types.UID {
	members := map[cluster.ID]types.UID{}
	for _, it := range r.items {
		switch {
		case it.state == Held:
			if uid, tracked := r.inventory.Members[it.id]; tracked && (uid != inventory.Pending || it.live == nil || r.inventory.Owns(it.live)) {
				members[it.id] = uid
			}
		case it.done && it.final != nil:
			members[it.id] = it.final.GetUID()
		case it.state == Same || it.state == Changed:
			members[it.id] = it.live.GetUID()
		case it.state == Deferred && r.members[it.id] != nil:
			members[it.id] = r.members[it.id].GetUID()
		default:
			members[it.id] = inventory.Pending
		}
	}
	return members
}
