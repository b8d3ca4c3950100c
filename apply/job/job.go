// Package job is the way of one commit into a cluster, from the fetch to the
// last prune, and what is told about it.
//
//	fetch -> gate -> decrypt -> plan, preflight, apply -> hooks, health, smoke tests -> prune -> status
//
// A [Job] is made once and run often. Every run reads its configuration, its
// credentials and its keys anew, takes one commit and stays with it. What the
// repository says about itself does not count: policies, waivers, recipients and
// bindings come from the configuration of the cluster.
//
// Nothing is decrypted before the gate has passed, and nothing that was decrypted
// leaves the process except in a Secret on its way to the API server.
package job

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/gate"
)

// leaseName is one for all runners of a namespace: two of them take turns,
// whatever targets they have.
const leaseName = "sallyport"

// leaseWait is how long one run waits for another to end. A Job that was started
// twice should see the first one through its rollout, not fail beside it.
const leaseWait = 15 * time.Minute

// Options say what to apply and to which cluster.
type Options struct {
	Config    string   // the cluster's own configuration; required, and outside the repository
	Directory string   // the repository, where the configuration names no URL
	Revision  string   // instead of the configured branch, tag or commit
	Targets   []string // patterns of target paths; empty takes all that the configuration includes
	Expect    string   // digest of the sealed render, or a JSON report of the gate; "" expects nothing

	Kubeconfig string // "" is the ServiceAccount of the pod
	Context    string // of the kubeconfig
	Namespace  string // of inventory, status and lease: the runner's own
	Holder     string // who holds the lease, such as the pod's name

	ToolVersion string
	Jobs        int              // workers of the gate; 0 takes one for each processor
	Now         func() time.Time // nil is time.Now
	Tell        func(string)     // a line of progress, without secrets; called by several goroutines; may be nil
}

// Job applies commits.
type Job struct {
	opts    Options
	metrics *metrics
	waiting *stalled      // what failed last, so that it is not tried again at once
	key     []byte        // of the hashes of drift
	home    home          // where the last run told how it went
	every   time.Duration // how often the reference is looked up while waiting
}

// New makes a job. It looks at the options only.
func New(opts Options) (*Job, error) {
	switch {
	case opts.Config == "":
		return nil, &gate.UsageError{Err: errors.New("the cluster's own configuration is needed (--config): what a repository says about itself does not count here")}
	case opts.Namespace == "":
		return nil, &gate.UsageError{Err: errors.New("the namespace of inventory and status is not known outside a cluster: give --namespace")}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Tell == nil {
		opts.Tell = func(string) {}
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it does not fail: crypto/rand.Read
	return &Job{opts: opts, metrics: newMetrics(), waiting: &stalled{}, key: key, every: supersedeInterval}, nil
}

// Stage is a part of a run, in the words of errors, events and the status.
type Stage string

// The stages, in their order.
const (
	StageFetch   Stage = "fetch"
	StageGate    Stage = "gate"
	StageDigest  Stage = "digest"
	StageConnect Stage = "connect"
	StageDecrypt Stage = "decrypt"
	StageApply   Stage = "apply"
	StageHooks   Stage = "hooks"
	StageHealth  Stage = "health"
	StageSmoke   Stage = "smoke tests"
	StagePrune   Stage = "prune"
)

// Error is a run, or one target of it, that ended in a stage.
type Error struct {
	Stage  Stage
	Target string // "" where all targets are concerned
	Err    error

	redact func(string) string // of the target; nil before anything of it was decrypted
}

// Error implements error. Nothing that was decrypted for the target is in it.
func (e *Error) Error() string {
	text := e.Err.Error()
	if e.redact != nil {
		text = e.redact(text)
	}
	if e.Target == "" {
		return fmt.Sprintf("%s: %s", e.Stage, text)
	}
	return fmt.Sprintf("%s: %s: %s", e.Target, e.Stage, text)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrRefused says that the gate has findings which forbid to apply. They are in
// the outcome.
var ErrRefused = errors.New("the gate refuses this commit")

// Outcome is what became of a run. It is never nil, whatever the error.
type Outcome struct {
	Revision  string          // full SHA; "" for a directory outside Git
	Signer    string          // who signed, where that was asked for
	Admission *gate.Admission // nil where the run did not come that far
	Targets   []*TargetOutcome
	Reverted  string   // the revision that was applied instead, after a failed rollout
	Notes     []string // what an operator should know, such as sets without a target
}

// Run takes the commit that the reference names now into the cluster. Where another
// runner was at work since it was looked up, it is looked up once more, so that
// nothing older is applied than what is there.
//
// The error joins an [Error] for each target that failed, or is one for all of
// them. It wraps [ErrRefused] where the gate refuses, and has a
// *gate.UsageError where the configuration is wrong.
func (j *Job) Run(ctx context.Context) (*Outcome, error) {
	begin := j.opts.Now()
	out, err := j.run(ctx)
	j.metrics.ran(out, err, j.opts.Now().Sub(begin), j.opts.Now())
	return out, err
}

func (j *Job) run(ctx context.Context) (*Outcome, error) {
	r, err := j.enter(ctx)
	if err != nil {
		r.report(ctx, err)
		return r.outcome, err
	}
	lease := cluster.Lease{Namespace: r.namespace, Name: leaseName, Identity: j.opts.Holder, Wait: leaseWait}
	lease.Waiting = func(holder string) { j.opts.Tell("waiting for " + holder + ", which holds the lease") }
	led := false
	err = r.cluster.Lead(ctx, lease, func(ctx context.Context) error {
		led = true
		fresh, err := r.afresh(ctx)
		if r = fresh; err != nil {
			r.report(ctx, err)
			return err
		}
		err = r.rollout(ctx)
		if good := r.lastGood(); rolloutFailed(err) && !r.standIn && r.config.Apply.OnFailure == "revert" && good != "" && ctx.Err() == nil {
			return r.revert(ctx, good, err)
		}
		return err
	})
	if cluster.IsForbidden(err) && !led {
		err = &Error{Stage: StageConnect, Err: err}
		r.report(ctx, err)
	}
	return r.outcome, err
}

// enter takes the commit that is to be applied now through the gate. The run is
// never nil.
func (j *Job) enter(ctx context.Context) (*run, error) {
	r, err := j.prepare(ctx)
	if err != nil {
		return r, err
	}
	r.turn = r.look(ctx) // before the reference is: whoever comes between is seen
	revision := j.opts.Revision
	if instead := j.instead(ctx); instead != "" {
		revision, r.standIn = instead, true
	}
	return r, r.take(ctx, revision)
}

// take fetches a revision, has the gate judge it, and decrypts it.
func (r *run) take(ctx context.Context, revision string) error {
	defer r.close()
	if err := r.fetch(ctx, revision); err != nil {
		return &Error{Stage: StageFetch, Err: err}
	}
	return r.admit(ctx)
}

// rolloutFailed says whether what was applied does not work, as against a run
// that was refused, interrupted, or lost its lease to another runner.
func rolloutFailed(err error) bool {
	var e *Error
	if errors.Is(err, health.ErrSuperseded) || errors.Is(err, cluster.ErrLost) || !errors.As(err, &e) {
		return false
	}
	return e.Stage == StageHealth || e.Stage == StageHooks || e.Stage == StageSmoke
}

// revert applies the revision that was the last to be healthy, under the lease
// that the one which failed had: nothing newer can have come between. The error
// stays that of the revision which failed: going back is no success.
func (r *run) revert(ctx context.Context, good string, failed error) error {
	r.job.opts.Tell("going back to " + good)
	back, err := r.job.prepare(ctx)
	back.standIn = true
	if err == nil {
		err = back.take(ctx, good)
	}
	if err == nil {
		err = back.rollout(ctx)
	} else {
		back.report(ctx, err)
	}
	if err == nil {
		r.outcome.Reverted = back.outcome.Revision
	} else {
		failed = errors.Join(failed, fmt.Errorf("going back to %s: %w", good, err))
	}
	r.tell(ctx, "", r.statusOfRun(failed))
	return failed
}

// IsFinding says whether an error is what the gate or the cluster found, as
// against something that kept the run from looking: the configuration, the
// network, Git.
func IsFinding(err error) bool {
	var wrong *gate.UsageError
	var e *Error
	if errors.As(err, &wrong) || !errors.As(err, &e) {
		return false
	}
	switch e.Stage {
	case StageFetch, StageConnect:
		return false
	case StageGate:
		return errors.Is(err, ErrRefused)
	}
	var refused *cluster.Error
	return !errors.As(err, &refused) || refused.Code != 0 || refused.NoMatch
}

// Unhealthy is how long a loop with an interval may be silent before something is
// wrong with it: a run may wait for the lease, for health and for deletions.
func Unhealthy(interval time.Duration) time.Duration {
	return interval + leaseWait + 30*time.Minute
}
