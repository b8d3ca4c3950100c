package job

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/fetch"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/apply/hook"
	"github.com/sallyport/sallyport/apply/inventory"
	"github.com/sallyport/sallyport/apply/smoke"
	"github.com/sallyport/sallyport/gate"
)

// The defaults of the configuration, as its documentation states them.
const (
	defaultTimeout = 5 * time.Minute
	defaultStable  = 5 * time.Second
	// supersedeInterval is how often the reference is looked up while waiting, in a
	// loop that does not look more often anyway.
	supersedeInterval = 15 * time.Second
)

// applyOptions are what the engine may do.
func (r *run) applyOptions(t *target) apply.Options {
	config := r.config.Apply
	return apply.Options{
		Set: t.set, Revision: r.outcome.Revision, DefaultNamespace: config.Namespace,
		TakeOver:    config.TakeOver,
		Reclaim:     r.comparing || r.same(t),
		Protect:     kinds(config.Prune.Protect),
		PruneBudget: apply.Budget{Count: config.Prune.Count, Share: float64(config.Prune.Share) / 100},
		Adjust:      r.ignores.Adjust,
		Hold:        r.hold(t),
		Settle: func(ctx context.Context, applied []*unstructured.Unstructured) error {
			ids := make([]cluster.ID, len(applied))
			for i, u := range applied {
				ids[i] = cluster.IDOf(u)
			}
			opts := r.healthOptions(t.set)
			opts.Stable = -1 // of the end only: a wave goes on as soon as it can
			if err := health.Wait(ctx, t.cluster, ids, opts); err != nil {
				return err
			}
			return t.late(ctx, r)
		},
		Step: func(name string) { r.job.opts.Tell(t.outcome.Target + ": " + name) },
	}
}

// hold keeps drift from being put back where the configuration does not ask for
// that. A new revision is applied as it is.
func (r *run) hold(t *target) func(apply.Change) string {
	config := r.config.Apply.Drift
	return func(c apply.Change) string {
		switch {
		case !r.same(t) || config.Heal == "always" || c.State == apply.Same:
			return ""
		case config.Heal == "listed" && slices.ContainsFunc(config.Listed, func(pattern string) bool { return matches(pattern, c.ID) }):
			return ""
		}
		return "it differs from the revision that was applied, and apply.drift.heal does not ask to put it back"
	}
}

// same says whether a target was applied completely with this very revision and
// no other was begun since, so that whatever differs now was changed by somebody.
func (r *run) same(t *target) bool {
	return r.outcome.Revision != "" && t.outcome.Previous == r.outcome.Revision && t.begun == ""
}

// matches compares an ID with a pattern of one, part by part.
func matches(pattern string, id cluster.ID) bool {
	ok, err := path.Match(pattern, id.String())
	return err == nil && ok
}

func (r *run) healthOptions(set inventory.Set) health.Options {
	config := r.config.Apply.Health
	opts := health.Options{Judge: r.judge, Selector: set.Selector(), Timeout: r.timeout(), Stable: config.Stable, Superseded: r.superseded()}
	if opts.Stable == 0 {
		opts.Stable = defaultStable
	}
	return opts
}

func (r *run) driftOptions(t *target) drift.Options {
	return drift.Options{Key: r.job.key, Ignored: r.ignores.Ignored, Redact: t.redact}
}

func (r *run) hookOptions(set inventory.Set) hook.Options {
	return hook.Options{Set: set.ID(), Timeout: r.timeout(), Tell: r.job.opts.Tell, Superseded: r.superseded()}
}

func (r *run) timeout() time.Duration {
	if d := r.config.Apply.Health.Timeout; d > 0 {
		return d
	}
	return defaultTimeout
}

// newer asks now and then whether the reference has moved on. All targets that
// wait share it.
type newer struct {
	opts     fetch.Options
	revision string
	every    time.Duration
	mu       sync.Mutex
	next     time.Time
	found    bool
}

// superseded is the question for health.Wait; nil where it has no answer: in a
// directory, and for a commit that was asked for by its SHA.
func (r *run) superseded() func(context.Context) bool {
	if r.newer == nil {
		return nil
	}
	return r.newer.ask
}

func newNewer(opts fetch.Options, revision string, every time.Duration) *newer {
	if opts.URL == "" || opts.Ref == revision {
		return nil
	}
	return &newer{opts: opts, revision: revision, every: every, next: time.Now().Add(every)}
}

func (n *newer) ask(ctx context.Context) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.found || time.Now().Before(n.next) {
		return n.found
	}
	n.next = time.Now().Add(n.every)
	source, err := fetch.Open(ctx, n.opts)
	if err != nil {
		return false // the host is away: that is no reason to stop waiting
	}
	defer source.Close()
	n.found = source.Revision() != n.revision
	return n.found
}

// settle checks the parts of the configuration that are only needed later, so
// that a mistake in them stops a run before it begins.
func (r *run) settle() error {
	config := r.config.Apply
	var err error
	if r.judge, err = health.NewJudge(healthRules(config.Health.Rules)); err != nil {
		return r.wrong("apply.health.rules", err)
	}
	if r.ignores, err = newIgnores(config.Drift.Ignore); err != nil {
		return r.wrong("apply.drift.ignore", err)
	}
	if _, err = smokeChecks(config.Smoke); err != nil {
		return r.wrong("apply.smoke", err)
	}
	for _, pattern := range config.Drift.Listed {
		if _, err := path.Match(pattern, ""); err != nil {
			return r.wrong("apply.drift.listed", fmt.Errorf("%q: %w", pattern, err))
		}
	}
	if v := config.Verify; config.Source.URL == "" && (v.Require != "" || v.AllowedSignersFile != "" || len(v.GPGKeyringFiles) > 0) {
		return r.wrong("apply.verify", errors.New("a directory has no signature that could be checked: give apply.source.url"))
	}
	if config.Prune.Share > 100 {
		return r.wrong("apply.prune.share", fmt.Errorf("%d of a hundred", config.Prune.Share))
	}
	_, err = r.receivers()
	return err
}

func (r *run) wrong(key string, err error) error {
	return &gate.UsageError{Err: fmt.Errorf("configuration: %s: %s: %w", r.job.opts.Config, key, err)}
}

func healthRules(configured []gate.HealthRuleConfig) []health.Rule {
	rules := make([]health.Rule, len(configured))
	for i, c := range configured {
		rules[i] = health.Rule{Group: c.Group, Kind: c.Kind, Healthy: c.Healthy, Failed: c.Failed}
	}
	return rules
}

func smokeChecks(configured []gate.SmokeConfig) ([]smoke.Check, error) {
	var checks []smoke.Check
	for _, c := range configured {
		check := smoke.Check{
			Name: c.Name, URL: c.URL, Method: c.Method, Headers: c.Headers, Status: c.Status, Contains: c.Contains,
			Latency: c.Latency, Timeout: c.Timeout, Within: c.Within,
		}
		if c.Matches != "" {
			pattern, err := regexp.Compile(c.Matches)
			if err != nil {
				return nil, fmt.Errorf("%s: matches: %w", c.Name, err)
			}
			check.Matches = pattern
		}
		for _, e := range c.JSON {
			check.JSON = append(check.JSON, smoke.Expectation{Path: e.Path, Equals: e.Equals})
		}
		if err := check.Validate(); err != nil {
			return nil, err
		}
		checks = append(checks, check)
	}
	return checks, nil
}

// kinds reads Kind and Kind.group.
func kinds(names []string) []schema.GroupKind {
	var out []schema.GroupKind
	for _, name := range names {
		kind, group, _ := strings.Cut(name, ".")
		out = append(out, schema.GroupKind{Group: group, Kind: kind})
	}
	return out
}
