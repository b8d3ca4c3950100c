// Package hook runs Jobs around an apply: a migration before it, a notification
// behind it, a clean-up when it failed.
//
// A hook is a Job with an annotation, ours or Argo CD's. It is no member of the
// set: it is made anew each time, waited for, and left behind so that its logs
// can be read, unless it asks to be deleted. A label says which set it is of, and
// nothing is deleted that does not carry it, or that somebody else made.
package hook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
)

// The annotations that make a Job a hook, and say when it is deleted.
const (
	annotation     = "sallyport.dev/hook" // before, after, failed
	argoAnnotation = "argocd.argoproj.io/hook"
	argoDelete     = "argocd.argoproj.io/hook-delete-policy"
	deleteWhen     = "sallyport.dev/hook-delete" // succeeded, failed
)

// The times of a hook.
const (
	defaultTimeout = 5 * time.Minute
	interval       = 500 * time.Millisecond
)

// Hooks are the Jobs around an apply, each list in the order of running: by name.
type Hooks struct {
	Before []*unstructured.Unstructured
	After  []*unstructured.Unstructured
	Failed []*unstructured.Unstructured // when the apply or what follows fails
}

// Split takes the hooks out of a set. The error names an object that asks to be a
// hook and cannot be one.
func Split(objects []*unstructured.Unstructured) (Hooks, []*unstructured.Unstructured, error) {
	var h Hooks
	var rest []*unstructured.Unstructured
	var wrong []error
	for _, u := range objects {
		when, asked := phase(u)
		if !asked {
			rest = append(rest, u)
			continue
		}
		if err := fit(u); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", cluster.IDOf(u), err))
			continue
		}
		switch when {
		case "before", "PreSync":
			h.Before = append(h.Before, u)
		case "after", "PostSync":
			h.After = append(h.After, u)
		case "failed", "SyncFail":
			h.Failed = append(h.Failed, u)
		case "Skip":
		default:
			wrong = append(wrong, fmt.Errorf("%s: it asks to be a hook at an unknown time: before, after and failed are known, and Argo CD's PreSync, PostSync, SyncFail and Skip", cluster.IDOf(u)))
		}
	}
	for _, list := range [][]*unstructured.Unstructured{h.Before, h.After, h.Failed} {
		slices.SortStableFunc(list, func(a, b *unstructured.Unstructured) int { return cluster.IDOf(a).Compare(cluster.IDOf(b)) })
	}
	return h, rest, errors.Join(wrong...)
}

// phase reads the annotation. Argo CD's Sync is the apply itself.
func phase(u *unstructured.Unstructured) (when string, asked bool) {
	for _, key := range []string{annotation, argoAnnotation} {
		if when, asked = u.GetAnnotations()[key]; asked && when != "Sync" {
			return when, true
		}
	}
	return "", false
}

func fit(u *unstructured.Unstructured) error {
	if gvk := u.GroupVersionKind(); gvk.Group != "batch" || gvk.Kind != "Job" {
		return errors.New("only a Job can be a hook; what a hook needs belongs into the set, in an earlier wave")
	}
	if _, set, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "ttlSecondsAfterFinished"); set {
		return errors.New("a hook with ttlSecondsAfterFinished may be gone before its result is seen: leave that field out")
	}
	if u.GetNamespace() == "" {
		return errors.New("a hook needs metadata.namespace")
	}
	return nil
}

// Options say how hooks are run.
type Options struct {
	Set     string        // the ID of the set that the hooks are of; required
	Timeout time.Duration // of each hook; 0 means five minutes
	Tell    func(string)  // what is being done; may be nil

	// Superseded, where not nil, is asked before each hook; when it says true, no
	// other begins. A hook that runs is never interrupted: it may be a migration.
	Superseded func(context.Context) bool
}

// runner runs hooks of one set.
type runner struct {
	cluster *cluster.Cluster
	opts    Options
}

// Run runs hooks one after the other and waits for each. It stops at the first
// that fails; the error names it and where to look, or is
// [health.ErrSuperseded]. It needs the verbs get, create and delete on Jobs.
func Run(ctx context.Context, c *cluster.Cluster, hooks []*unstructured.Unstructured, opts Options) error {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	r := runner{c, opts}
	for _, u := range hooks {
		if opts.Superseded != nil && opts.Superseded(ctx) {
			return health.ErrSuperseded
		}
		if opts.Tell != nil {
			opts.Tell("running hook " + cluster.IDOf(u).String())
		}
		if err := r.run(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// Check has the server try to create hooks, without storing them, and says which
// could not be run: everything that is wrong, at once. Nothing is written.
func Check(ctx context.Context, c *cluster.Cluster, hooks []*unstructured.Unstructured, opts Options) error {
	r := runner{c, opts}
	var wrong []error
	for _, u := range hooks {
		_, err := c.Create(ctx, r.labelled(u), cluster.CreateOptions{DryRun: true})
		if cluster.IsExists(err) { // the last thing that the server looks at
			_, err = r.previous(ctx, cluster.IDOf(u))
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("hook %s: %w", cluster.IDOf(u), err))
		}
	}
	return errors.Join(wrong...)
}

func (r runner) run(ctx context.Context, u *unstructured.Unstructured) error {
	timeout := r.opts.Timeout
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("hook %s has not ended within %s", cluster.IDOf(u), timeout))
	defer cancel()
	if u.GetGenerateName() == "" {
		if err := r.clear(ctx, cluster.IDOf(u)); err != nil {
			return err
		}
	}
	made, err := r.cluster.Create(ctx, r.labelled(u), cluster.CreateOptions{})
	if err != nil {
		return caused(ctx, err)
	}
	id := cluster.IDOf(made)
	live, verdict, err := r.finished(ctx, id)
	if err != nil {
		return caused(ctx, err)
	}
	if deletes(u, verdict) {
		err = r.remove(ctx, live)
	}
	if verdict.Phase == health.Failed {
		return fmt.Errorf("hook %s %s: kubectl -n %s logs job/%s says why", id, verdict.Reason, id.Namespace, id.Name)
	}
	return caused(ctx, err)
}

// finished waits for the end of a Job, and returns it as it was then.
func (r runner) finished(ctx context.Context, id cluster.ID) (*unstructured.Unstructured, health.Verdict, error) {
	judge := &health.Judge{}
	for {
		live, err := r.cluster.Get(ctx, id)
		if err != nil {
			return nil, health.Verdict{}, err
		}
		if v := judge.Of(live); v.Phase != health.Progressing {
			return live, v, nil
		}
		if err := sleep(ctx); err != nil {
			return nil, health.Verdict{}, err
		}
	}
}

// clear deletes the Job of an earlier run and waits until it is gone with its
// pods, so that no two of them work at the same time.
func (r runner) clear(ctx context.Context, id cluster.ID) error {
	var deleted *unstructured.Unstructured // as it was when its deletion was asked for, or seen
	for {
		live, err := r.previous(ctx, id)
		if err != nil {
			return held(ctx, deleted, fmt.Errorf("hook %s: %w", id, err))
		}
		if live == nil {
			return nil
		}
		deleted = live
		if live.GetDeletionTimestamp() == nil {
			if err := r.delete(ctx, live); err != nil && !cluster.IsConflict(err) {
				return held(ctx, deleted, err)
			}
		}
		if err := sleep(ctx); err != nil {
			return held(ctx, deleted, err)
		}
	}
}

// held says what keeps a Job of an earlier run, where the wait for its end was
// over before it was gone.
func held(ctx context.Context, deleted *unstructured.Unstructured, err error) error {
	if ctx.Err() == nil || deleted == nil {
		return caused(ctx, err)
	}
	return fmt.Errorf("%w: the Job of an earlier run is still being deleted: its pods have not ended, or finalizers are not removed by their controllers: %q",
		context.Cause(ctx), deleted.GetFinalizers())
}

// remove deletes a hook that has ended, without waiting. It is judged anew where
// it changed in between, as when its status was written once more.
func (r runner) remove(ctx context.Context, live *unstructured.Unstructured) error {
	uid := live.GetUID()
	for {
		err := r.delete(ctx, live)
		if !cluster.IsConflict(err) {
			return err
		}
		id := cluster.IDOf(live)
		if live, err = r.previous(ctx, id); err != nil {
			return fmt.Errorf("hook %s: %w", id, err)
		}
		if live == nil || live.GetUID() != uid || live.GetDeletionTimestamp() != nil {
			return nil
		}
		if err := sleep(ctx); err != nil {
			return err
		}
	}
}

// delete asks for the deletion of the very object that was read, in the very
// state in which it was found to be ours.
func (r runner) delete(ctx context.Context, u *unstructured.Unstructured) error {
	err := r.cluster.Delete(ctx, cluster.IDOf(u), cluster.DeleteOptions{
		UID: u.GetUID(), ResourceVersion: u.GetResourceVersion(), Propagation: metav1.DeletePropagationForeground,
	})
	if cluster.IsNotFound(err) {
		return nil
	}
	return err
}

// deletes says whether a hook wants to be gone after such an end.
func deletes(u *unstructured.Unstructured, v health.Verdict) bool {
	wanted := strings.Split(u.GetAnnotations()[deleteWhen]+","+u.GetAnnotations()[argoDelete], ",")
	for _, when := range wanted {
		switch strings.TrimSpace(when) {
		case "succeeded", "HookSucceeded":
			if v.Phase == health.Healthy {
				return true
			}
		case "failed", "HookFailed":
			if v.Phase == health.Failed {
				return true
			}
		}
	}
	return false
}

// caused prefers the reason why a context ended.
func caused(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func sleep(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(interval):
		return nil
	}
}
