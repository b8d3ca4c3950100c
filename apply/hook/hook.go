// Package hook runs Jobs around an apply: a migration before it, a notification
// behind it, a clean-up when it failed.
//
// A hook is a Job with an annotation, ours or Argo CD's. It is no member of the
// set: it is made anew each time, waited for, and left behind so that its logs
// can be read, unless it asks to be deleted.
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
	Timeout time.Duration // of each hook; 0 means five minutes
	Tell    func(string)  // what is being done; may be nil
}

// Run runs hooks one after the other and waits for each. It stops at the first
// that fails; the error names it and where to look.
func Run(ctx context.Context, c *cluster.Cluster, hooks []*unstructured.Unstructured, opts Options) error {
	for _, u := range hooks {
		if opts.Tell != nil {
			opts.Tell("running hook " + cluster.IDOf(u).String())
		}
		if err := run(ctx, c, u, opts); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, c *cluster.Cluster, u *unstructured.Unstructured, opts Options) error {
	timeout := opts.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("hook %s has not ended within %s", cluster.IDOf(u), timeout))
	defer cancel()
	if u.GetGenerateName() == "" {
		if err := clear(ctx, c, cluster.IDOf(u)); err != nil {
			return caused(ctx, err)
		}
	}
	made, err := c.Create(ctx, u, cluster.CreateOptions{})
	if err != nil {
		return caused(ctx, err)
	}
	id := cluster.IDOf(made)
	verdict, err := finished(ctx, c, id)
	if err != nil {
		return caused(ctx, err)
	}
	if deletes(u, verdict) {
		err = remove(ctx, c, made)
	}
	if verdict.Phase == health.Failed {
		return fmt.Errorf("hook %s %s: kubectl -n %s logs job/%s says why", id, verdict.Reason, id.Namespace, id.Name)
	}
	return caused(ctx, err)
}

// finished waits for the end of a Job.
func finished(ctx context.Context, c *cluster.Cluster, id cluster.ID) (health.Verdict, error) {
	judge := &health.Judge{}
	for {
		live, err := c.Get(ctx, id)
		if err != nil {
			return health.Verdict{}, err
		}
		if v := judge.Of(live); v.Phase != health.Progressing {
			return v, nil
		}
		if err := sleep(ctx); err != nil {
			return health.Verdict{}, err
		}
	}
}

// clear deletes the Job of an earlier run and waits until it is gone with its
// pods, so that no two of them work at the same time.
func clear(ctx context.Context, c *cluster.Cluster, id cluster.ID) error {
	for {
		live, err := c.Get(ctx, id)
		if cluster.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, asked := phase(live); !asked {
			return fmt.Errorf("hook %s: a Job of that name exists and is no hook: rename the hook", id)
		}
		if live.GetDeletionTimestamp() == nil {
			if err := remove(ctx, c, live); err != nil {
				return err
			}
		}
		if err := sleep(ctx); err != nil {
			return err
		}
	}
}

func remove(ctx context.Context, c *cluster.Cluster, u *unstructured.Unstructured) error {
	err := c.Delete(ctx, cluster.IDOf(u), cluster.DeleteOptions{UID: u.GetUID(), Propagation: metav1.DeletePropagationForeground})
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
