package job

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/smoke"
)

// settleInterval is the pause before targets are tried again that wait for a
// kind or a namespace: controllers that make such things take seconds.
const settleInterval = 3 * time.Second

// rollout brings all targets into the cluster. Nothing is written before all of
// them were tried. Then it goes on with the others when one fails, and prunes only
// where everything has worked.
func (r *run) rollout(ctx context.Context) error {
	r.started(ctx)
	if r.survey(ctx) {
		r.applyAll(ctx)
	}
	r.each(func(t *target) {
		stage, err := t.wait(ctx, r)
		t.fail(stage, err)
	})
	r.smoke(ctx)
	for _, t := range r.targets {
		if t.ok() && t.run != nil {
			r.job.opts.Tell("pruning " + t.outcome.Target)
			t.fail(StagePrune, t.run.Prune(ctx))
		}
	}
	for _, t := range r.targets {
		if t.run != nil {
			t.outcome.Result = r.result(t)
		}
		t.fail(StageHooks, t.afterFailure(ctx, r))
	}
	r.outcome.Notes = append(r.outcome.Notes, r.orphans(ctx)...)
	err := r.err()
	r.report(ctx, err)
	return err
}

// applyAll applies the targets one after the other. What is refused since
// something is not there yet is tried again as long as others get on, and then
// for as long as health may take: in an empty cluster one target brings the kinds
// and namespaces of the next.
func (r *run) applyAll(ctx context.Context) {
	deadline := r.job.opts.Now().Add(r.timeout())
	pending := r.targets
	for {
		var again []*target
		failures := map[*target]*Error{}
		for _, t := range pending {
			r.job.opts.Tell("applying " + t.outcome.Target)
			if stage, err := t.apply(ctx, r); err != nil {
				again = append(again, t)
				failures[t] = t.failure(stage, err)
			}
		}
		got := len(again) < len(pending)
		mayCome := false
		for t, failure := range failures {
			mayCome = mayCome || missing(failure) || r.brings(t, failure.Err)
		}
		if ctx.Err() != nil || len(again) == 0 || !mayCome || !got && r.job.opts.Now().After(deadline) {
			for t, failure := range failures {
				t.fail(failure.Stage, failure.Err)
			}
			return
		}
		if !got {
			r.job.opts.Tell("waiting for kinds and namespaces that are not there yet")
			if sleep(ctx, settleInterval) != nil {
				continue
			}
		}
		pending = again
	}
}

// missing says whether at least one cause of a failure is something that does not
// exist yet.
func missing(err error) bool {
	var all *apply.Errors
	if errors.As(err, &all) {
		for _, one := range all.All {
			if missing(one.Err) {
				return true
			}
		}
		return false
	}
	return cluster.IsNoMatch(err) || cluster.IsNotFound(err)
}

// each runs a step for all targets that are well so far, side by side: they wait
// most of the time.
func (r *run) each(step func(*target)) {
	var wait sync.WaitGroup
	for _, t := range r.targets {
		if t.ok() {
			wait.Go(func() { step(t) })
		}
	}
	wait.Wait()
}

// smoke makes the requests once all targets are healthy. They belong to the whole:
// no target counts as good if one is not answered.
func (r *run) smoke(ctx context.Context) {
	if len(r.config.Apply.Smoke) == 0 || r.err() != nil {
		return
	}
	checks, err := smokeChecks(r.config.Apply.Smoke)
	if err == nil {
		r.job.opts.Tell("smoke tests")
		results := smoke.Run(ctx, http.DefaultClient, checks)
		for _, result := range results {
			if result.Err != nil {
				err = errors.Join(err, fmt.Errorf("%s (%s): %w", result.Name, result.URL, result.Err))
			}
		}
		for _, t := range r.targets {
			t.outcome.Smoke = results
		}
	}
	for _, t := range r.targets {
		t.fail(StageSmoke, err)
	}
}

// err joins what went wrong.
func (r *run) err() error {
	var all []error
	for _, t := range r.targets {
		all = append(all, t.outcome.Err)
	}
	return errors.Join(all...)
}

// lastGood is the revision that all targets were last healthy with; "" if there
// is none, or if it is the one that was applied now.
func (r *run) lastGood() string {
	good := ""
	for _, t := range r.targets {
		previous := t.outcome.Previous
		if previous == "" || previous == r.outcome.Revision || good != "" && previous != good {
			return ""
		}
		good = previous
	}
	return good
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
