package job

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/apply"
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

// PutBack says whether what differed was written as Git has it in this run.
func (o *TargetOutcome) PutBack(d drift.Object) bool {
	return o.Result != nil && slices.ContainsFunc(o.Result.Actions, func(a apply.Action) bool {
		return a.ID == d.ID && slices.Contains([]apply.Verb{apply.Created, apply.Configured, apply.Recreated}, a.Verb)
	})
}

// DriftText is how an object differs, as [drift.Object.String] has it, and whether
// it was put back.
func (o *TargetOutcome) DriftText(d drift.Object) string {
	text := d.String()
	if !o.PutBack(d) {
		return text
	}
	first, rest, more := strings.Cut(text, "\n")
	if first += ", and was put back"; more {
		first += "\n"
	}
	return first + rest
}
