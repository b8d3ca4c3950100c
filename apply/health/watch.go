package health

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
)

// settled are kinds that have nothing to wait for once they are stored, so that
// they are not read again: above all Secrets, whose list would hold values.
var settled = map[schema.GroupKind]bool{
	{Kind: "ConfigMap"}: true, {Kind: "Secret"}: true, {Kind: "ServiceAccount"}: true,
	{Kind: "LimitRange"}: true, {Kind: "ResourceQuota"}: true, {Kind: "Endpoints"}: true,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:                                true,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  true,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                               true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                                true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                   true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                               true,
	{Group: "batch", Kind: "CronJob"}:                                                 true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     true,
}

// group is objects that one list finds.
type group struct {
	kind      schema.GroupKind
	namespace string
	ids       []cluster.ID
}

// watch is one wait.
type watch struct {
	cluster *cluster.Cluster
	opts    Options
	judge   Judge
	groups  []group
	since   map[cluster.ID]time.Time // since when an object has looked hopeless
	noPods  bool                     // pods may not be read
	classes map[string]binding       // of storage classes
}

// grouped sorts the objects into as few lists as there are kinds and namespaces.
func (w *watch) grouped(objects []cluster.ID) []group {
	type key struct {
		kind      schema.GroupKind
		namespace string
	}
	by := map[key][]cluster.ID{}
	for _, id := range objects {
		if settled[id.GroupKind()] && !w.ruled(id) {
			continue
		}
		k := key{id.GroupKind(), id.Namespace}
		by[k] = append(by[k], id)
	}
	var groups []group
	for k, ids := range by {
		slices.SortFunc(ids, cluster.ID.Compare)
		groups = append(groups, group{k.kind, k.namespace, slices.Compact(ids)})
	}
	slices.SortFunc(groups, func(a, b group) int { return a.ids[0].Compare(b.ids[0]) })
	return groups
}

// look judges everything once and returns what is not healthy: failed objects
// first, then in the order of their IDs.
func (w *watch) look(ctx context.Context) ([]observed, error) {
	var bad []observed
	for _, g := range w.groups {
		list, err := w.cluster.List(ctx, g.kind, g.namespace, w.opts.Selector)
		var instead Verdict // of all, where they cannot be read
		switch {
		case err == nil:
		case unserved(err):
			instead = w.unserved(ctx, g.kind)
		case passing(err):
			instead = Verdict{Progressing, w.judge.line("cannot be read at the moment: " + err.Error())}
		default:
			return nil, err
		}
		live := map[string]*unstructured.Unstructured{}
		for _, u := range list {
			live[u.GetName()] = u
		}
		for _, id := range g.ids {
			o := observed{State: State{ID: id, Verdict: Verdict{Missing, "does not exist"}}, live: live[id.Name]}
			switch {
			case err != nil:
				o.Verdict = instead
			case o.live != nil:
				o.Verdict = w.of(ctx, o.live)
			}
			if o.Phase != Healthy {
				bad = append(bad, o)
			}
		}
	}
	slices.SortStableFunc(bad, func(a, b observed) int { return cmp.Compare(rank(a.Phase), rank(b.Phase)) })
	return bad, nil
}

// of judges a live object, with what else has to be read for that.
func (w *watch) of(ctx context.Context, live *unstructured.Unstructured) Verdict {
	v := w.judge.Of(live)
	if v.Phase == Progressing && pendingClaim(live) && !w.ruled(cluster.IDOf(live)) {
		return w.claim(ctx, live)
	}
	return v
}

// ruled says whether the configuration has a rule for the kind of an object.
func (w *watch) ruled(id cluster.ID) bool {
	_, ruled := w.judge.rules[kindOf(id.Group, id.Kind)]
	return ruled
}

// observed is a state and the object that it was read from; live is nil where
// there is none.
type observed struct {
	State
	live *unstructured.Unstructured
}

func states(all []observed) []State {
	out := make([]State, len(all))
	for i, o := range all {
		out[i] = o.State
	}
	return out
}

// rank puts the worst first.
func rank(p Phase) int { return -int(p) }

// passing says whether a request may succeed later: an API server that restarts
// must not end a wait.
func passing(err error) bool {
	var e *cluster.Error
	return errors.As(err, &e) && (e.Code == 0 || e.Code == 429 || e.Code >= 500) && !e.NoMatch && e.Unwrap() == nil
}

// hopeless returns the objects that have looked hopeless for long enough. An
// object that looks better in between starts anew.
func (w *watch) hopeless(ctx context.Context, bad []observed, now time.Time) []State {
	var out []State
	seen := map[cluster.ID]time.Time{}
	for _, o := range bad {
		bound := failedFor
		if o.Phase == Progressing {
			reason, certain := w.stuck(ctx, o.live)
			if reason == "" {
				continue
			}
			if o.Verdict, bound = (Verdict{Failed, reason}), stuckFor; certain {
				bound = 0
			}
		} else if o.Phase != Failed {
			continue
		}
		first, known := w.since[o.ID]
		if !known {
			first = now
		}
		seen[o.ID] = first
		if now.Sub(first) >= bound {
			out = append(out, o.State)
		}
	}
	w.since = seen
	return out
}

// stuck asks the pods of a workload. Without the right to read pods there is no
// answer, and the deadline has to do.
func (w *watch) stuck(ctx context.Context, live *unstructured.Unstructured) (reason string, certain bool) {
	if live == nil {
		return "", false
	}
	if refused := refusedPods(live); refused != "" {
		return w.judge.line(refused), false
	}
	if w.noPods {
		return "", false
	}
	selector := Selector(live)
	if selector == "" {
		return "", false
	}
	pods, err := w.cluster.List(ctx, schema.GroupKind{Kind: "Pod"}, live.GetNamespace(), selector)
	if cluster.IsForbidden(err) {
		w.noPods = true
	}
	return Stuck(live, pods)
}
