package job

import (
	"context"

	"github.com/sallyport/sallyport/apply/drift"
)

// Drift compares the cluster with the commit that the reference names, and
// changes nothing. It needs the same rights as Run, since a dry-run is checked
// like a write; the shipped admission policy takes everything but dry-runs from
// the account that it runs as.
//
// Every target of the outcome lists what differs. The error is as in Run.
func (j *Job) Drift(ctx context.Context) (*Outcome, error) {
	r, err := j.prepare(ctx)
	r.comparing = true
	if err == nil {
		err = r.take(ctx, j.opts.Revision)
	}
	if err != nil {
		return r.outcome, err
	}
	for _, t := range r.targets {
		j.opts.Tell("comparing " + t.outcome.Target)
		if stage, err := t.plan(ctx, r); err != nil {
			t.fail(stage, err)
			continue
		}
		t.outcome.Drift = drift.Compare(t.run, r.driftOptions(t))
	}
	j.metrics.compared(r.outcome)
	return r.outcome, r.err()
}

// Drifted reports whether anything differs.
func (o *Outcome) Drifted() bool {
	for _, t := range o.Targets {
		if len(t.Drift) > 0 {
			return true
		}
	}
	return false
}
