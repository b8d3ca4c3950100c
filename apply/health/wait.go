package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/sallyport/apply/cluster"
)

// The defaults of a wait.
const (
	defaultTimeout  = 5 * time.Minute // half of a Deployment's progress deadline: most rollouts take one
	defaultStable   = 5 * time.Second
	defaultInterval = 500 * time.Millisecond // a request for each kind and namespace: nothing to an API server

	// failedFor is how long an object must stay failed before waiting ends:
	// controllers report what they were about to correct.
	failedFor = 2 * time.Second
	// stuckFor is the same for pods that do not start: an image registry may
	// hiccup, and a Secret from elsewhere may come a moment later.
	stuckFor = 15 * time.Second
)

// ErrSuperseded says that waiting ended since there is something newer to apply.
var ErrSuperseded = errors.New("a newer revision ended the wait")

// Options says how to wait. The zero value waits for five minutes.
type Options struct {
	Judge    *Judge        // nil knows no rules
	Selector string        // a label selector for the objects, so that no others are read
	Timeout  time.Duration // until everything must be healthy
	Stable   time.Duration // for how long without a break; negative does not ask for it
	Interval time.Duration // between two looks

	// Superseded, where not nil, ends the wait when it says true.
	Superseded func(context.Context) bool
	// Progress, where not nil, is told what is not healthy yet after each look.
	Progress func([]State)
}

// State is an object and how it does.
type State struct {
	ID cluster.ID
	Verdict
}

func (s State) String() string {
	text := s.ID.String() + " is " + s.Phase.String()
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// Error says which objects are not healthy, and why waiting ended.
type Error struct {
	Why    string
	States []State // those that are not healthy, failed ones first
}

func (e *Error) Error() string {
	lines := []string{e.Why}
	for _, s := range e.States {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n  ")
}

// Wait returns nil when all objects have been healthy for a while. It needs the
// verb list on their kinds, on pods if it is to say why a rollout hangs, and get
// on storageclasses to know of a claim that nobody uses that it need not be bound.
//
// The error is an [Error], wraps [ErrSuperseded], is the context's, or that of
// a request that will not succeed later either.
func Wait(ctx context.Context, c *cluster.Cluster, objects []cluster.ID, opts Options) error {
	w := &watch{cluster: c, opts: opts, judge: Judge{redact: c.Redact}, since: map[cluster.ID]time.Time{}, classes: map[string]binding{}}
	if opts.Judge != nil {
		w.judge.rules = opts.Judge.rules
	}
	w.groups = w.grouped(objects)
	if len(w.groups) == 0 {
		return nil
	}
	stable := opts.Stable
	if stable == 0 {
		stable = defaultStable
	}
	deadline := time.Now().Add(or(opts.Timeout, defaultTimeout))
	var healthySince time.Time
	for {
		bad, err := w.look(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		switch {
		case len(bad) > 0:
			healthySince = time.Time{}
		case healthySince.IsZero():
			healthySince = now
		}
		if opts.Progress != nil {
			opts.Progress(states(bad))
		}
		switch hopeless := w.hopeless(ctx, bad, now); {
		case len(hopeless) > 0:
			return &Error{Why: "waiting longer does not help:", States: hopeless}
		case len(bad) == 0 && now.Sub(healthySince) >= stable:
			return nil
		case len(bad) > 0 && now.After(deadline):
			return &Error{Why: fmt.Sprintf("not healthy within %s:", or(opts.Timeout, defaultTimeout)), States: states(bad)}
		case opts.Superseded != nil && opts.Superseded(ctx):
			return ErrSuperseded
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(or(opts.Interval, defaultInterval)):
		}
	}
}

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
