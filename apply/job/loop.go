package job

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport/sallyport/apply/health"
)

// maxPause is the longest pause between two tries of a commit that fails. A
// person who mends something outside Git sees it taken up within that time.
const maxPause = 30 * time.Minute

// stalled is a revision that failed.
type stalled struct {
	revision string
	failures int
	until    time.Time // not to be tried before
	instead  string    // the revision that was applied in its place; "" without a revert
}

// Loop runs until the context ends, and tells the caller how each run went. A
// commit that failed is tried again after pauses that double. One that was
// reverted is not: the last good revision is kept in place until there is a new
// commit.
func (j *Job) Loop(ctx context.Context, interval time.Duration, ran func(*Outcome, error)) {
	j.every = min(interval, supersedeInterval)
	for {
		if !j.pausing(ctx) {
			out, err := j.Run(ctx)
			if ctx.Err() != nil {
				return
			}
			ran(out, err)
			if errors.Is(err, health.ErrSuperseded) {
				continue // there is something newer: at once
			}
			j.remember(out, err, interval)
		}
		if sleep(ctx, interval) != nil {
			return
		}
	}
}

// pausing says whether the revision that failed last is still the one to apply,
// and its pause not over. Whatever keeps that from being known ends the pause:
// the run will say what it is.
func (j *Job) pausing(ctx context.Context) bool {
	if j.waiting.revision == "" || j.waiting.instead != "" || !j.opts.Now().Before(j.waiting.until) {
		return false
	}
	pausing := j.still(ctx)
	if pausing {
		j.metrics.alive(j.opts.Now())
	}
	return pausing
}

// instead is the revision to keep in place of one that was reverted; "" where
// there is none, or something newer.
func (j *Job) instead(ctx context.Context) string {
	if j.waiting.instead == "" || !j.still(ctx) {
		return ""
	}
	return j.waiting.instead
}

// still says whether the reference names the revision that failed.
func (j *Job) still(ctx context.Context) bool {
	r, err := j.prepare(ctx)
	if err == nil {
		err = r.fetch(ctx, j.opts.Revision)
	}
	defer r.close()
	return err == nil && r.outcome.Revision == j.waiting.revision
}

// remember notes a failure.
func (j *Job) remember(out *Outcome, err error, interval time.Duration) {
	if j.waiting.instead != "" && out.Revision == j.waiting.instead {
		return // kept in place of what failed
	}
	if err != nil && out.Revision == "" {
		return // nothing was learnt of any commit
	}
	if err == nil {
		j.waiting = &stalled{}
		return
	}
	if j.waiting.revision != out.Revision {
		j.waiting = &stalled{revision: out.Revision}
	}
	j.waiting.instead = out.Reverted
	j.waiting.failures++
	pause := interval << min(j.waiting.failures, 10)
	j.waiting.until = j.opts.Now().Add(min(pause, maxPause))
}
