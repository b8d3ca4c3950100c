// Package gate is the driver: it takes a snapshot of a repository, seals it,
// discovers the targets, renders each, runs every check, and gathers one report.
//
//	repo.Open -> secrets.Seal -> render.Discover -> render.Build -> checks -> finding.Report
//
// It decides what the checks leave open: severities, waivers, order, limits. The
// report is the same, byte for byte, whatever the number of workers.
package gate

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/policy"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
	"github.com/sallyport/sallyport/validate"
)

// Options say what to check and how. The zero value checks the work tree of the
// current directory with the bundled schemas and policies.
//
// Own and ConfigFile both name a file that may lie outside the repository. What
// ConfigFile refers to is of the repository all the same: its policies, data,
// schemas and creation rules are paths in it. What Own refers to is relative to
// Own, on disk, and nothing counts that the repository says about itself: no
// configuration, policy, waiver or creation rule of it. Patterns are of paths in
// the repository in both.
type Options struct {
	Path       string         // directory in a repository; "" is the current one
	Selector   repo.Selector  // work tree, index or commit
	Snapshot   *repo.Snapshot // instead of Path and Selector
	ConfigFile string         // instead of the nearest .sallyport.yaml
	Own        string         // configuration of whoever runs the gate, see above
	Targets    []string       // patterns of target paths; empty takes all
	Jobs       int            // workers; 0 takes one for each processor

	Versions   []string // Kubernetes minor versions; empty takes the configuration's
	Schemas    []string // schema locations before the configuration's
	Policies   []string // directories or files of Rego, beside the configuration's
	Data       []string // data files for policies
	Namespaces []string // Rego packages to evaluate; empty takes "main"

	ChangedSince string   // only targets that the change since the merge base with this revision can affect
	Files        []string // of Targets: only targets that these files can affect
	PolicyFrom   string   // revision whose configuration, policies, creation rules and waivers judge
	Commits      string   // BASE..HEAD: also judge what each commit of the range adds

	FailOn       finding.Severity // lowest severity that fails; 0 is Error
	Strict       bool             // a missing schema is a finding
	AllowNetwork bool
	AllowEmpty   bool // no target found is not an error

	Only  []string // of Checks; empty is all
	Shard Shard    // of Check: one of several parts of the targets; the zero value is all

	Cache string // directory for verdicts; "" keeps none. Whoever can write it decides what the gate says
	Build string // tells this program from every other; "" keeps no verdicts

	Diff diff.Options // of Diff and Between

	ToolVersion string
	Now         func() time.Time                    // for waivers; nil is time.Now
	Trace       func(stage string, d time.Duration) // may be nil
}

// UsageError marks what the caller has to put right in the command line or the
// configuration, as against findings in the repository.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// ErrNoTargets is wrapped where nothing would have been checked: that is never
// a success.
var ErrNoTargets = errors.New("nothing to check")

// Result is a finished check. Source gives the lines of a file for printing,
// with every secret value masked; nil where the file is not to be shown.
type Result struct {
	Report *finding.Report
	Source func(file string) []string
	Rules  []finding.Rule   // every rule that the run could report, for formats that carry help
	Reach  func() []Reach   // what each checked target is made of
	Diff   Differ           // what the change does to the targets
	Notes  []string         // parts of the run that looked at nothing, and why
	FailOn finding.Severity // Options.FailOn
	Failed bool             // at least one finding at or above FailOn
}

// Check runs the gate.
func Check(ctx context.Context, opts Options) (*Result, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	g, err := openUnsealed(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := g.ownCache(); err != nil {
		return nil, err
	}
	if len(g.borrowed()) > 0 {
		g.opts.Cache = "" // its keys know the schemas on disk
	}
	g.remember()
	d := g.recall()
	if d == nil {
		if err := g.seal(ctx); err != nil {
			return nil, err
		}
		if d, err = g.judge(ctx); err != nil {
			return nil, err
		}
		g.save(d)
	}
	return g.result(ctx, d)
}

// check refuses options that cannot be.
func (o Options) check() error {
	if err := o.checkOnly(); err != nil {
		return err
	}
	return o.Shard.check(o)
}

// result makes a report of what was found. What was recalled is sealed only when
// somebody asks for the lines of a file.
func (g *gate) result(ctx context.Context, d *done) (*Result, error) {
	sealed := sync.OnceValue(func() error { return g.sealAgain(ctx, d) })
	report := g.report(d)
	if err := g.shardReport(report, d); err != nil {
		return nil, err
	}
	return &Result{
		Report: report,
		Source: func(file string) []string {
			if sealed() != nil {
				return nil // what is not sealed is not shown
			}
			return g.sealed.Masked(file)
		},
		Rules: d.rules,
		Reach: func() []Reach {
			if sealed() != nil {
				return nil
			}
			return g.reach(d)
		},
		Diff:   g.diffOfChange,
		Notes:  g.notes(),
		FailOn: g.opts.FailOn,
		Failed: failed(report, g.opts.FailOn),
	}, nil
}

// sealAgain seals the snapshot of a run that was recalled.
func (g *gate) sealAgain(ctx context.Context, d *done) error {
	if g.sealed != nil {
		return nil
	}
	if err := g.seal(ctx); err != nil {
		return err
	}
	for _, o := range d.outcomes {
		g.sealed.Hide(o.hidden...)
	}
	return nil
}

// judge does everything that a verdict needs, once the gate is open.
func (g *gate) judge(ctx context.Context) (*done, error) {
	giveBack, err := g.borrow()
	if err != nil {
		return nil, err
	}
	defer giveBack()
	for _, prepare := range []func(context.Context) error{g.discover, g.load, g.compare} {
		if err := prepare(ctx); err != nil {
			return nil, err
		}
	}
	g.takeShard()
	d, err := g.run(ctx)
	if err != nil {
		return nil, err
	}
	for _, complete := range []func(context.Context) error{g.variablesElsewhere, g.readersElsewhere} {
		if err := complete(ctx); err != nil {
			return nil, err
		}
	}
	if err := g.referencesElsewhere(ctx, d); err != nil {
		return nil, err
	}
	g.conclude(d)
	if d.defined, err = g.definitionsLost(ctx, d); err != nil {
		return nil, err
	}
	d.judges, err = g.judgesChanged(ctx)
	return d, err
}

// gate is one run.
type gate struct {
	opts    Options
	snap    *repo.Snapshot
	trusted *repo.Snapshot // whose configuration and policies judge: snap, or another revision
	// schemaRoot is where schemas of the judging revision are laid out; "" where
	// they lie in the work tree, or there are none.
	schemaRoot string
	own        *own            // whose configuration judges, with Options.Own
	admitting  bool            // for Admit: what was rendered is kept
	others     []render.Target // of the other shards
	base       *base           // what the change is compared with; nil without ChangedSince
	sealed     *secrets.Sealed
	config     *Config
	discovery  *render.Discovery
	validator  *validate.Validator
	variables  *secrets.Substitutions
	readers    *secrets.Readers
	unscanned  []finding.NotChecked // ranges of commits that hold none
	policies   *policy.Set
	builder    *render.Builder
	library    *render.Library      // of kustomizations, for the snapshot and the base
	fileNotes  *render.Notes        // of files of the snapshot
	memory     *memory              // of earlier runs; nil without a cache
	defined    []*secrets.Variables // of targets that are not judged
}

// open reads the snapshot and the configuration, and seals.
func open(ctx context.Context, opts Options) (*gate, error) {
	g, err := openUnsealed(ctx, opts)
	if err != nil {
		return nil, err
	}
	return g, g.seal(ctx)
}

// openUnsealed reads the snapshot and the configuration.
func openUnsealed(ctx context.Context, opts Options) (*gate, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Trace == nil {
		opts.Trace = func(string, time.Duration) {}
	}
	if opts.FailOn == 0 {
		opts.FailOn = finding.Error
	}
	start := time.Now()
	snap, err := opts.Snapshot, error(nil)
	if snap == nil {
		snap, err = repo.Open(ctx, opts.Path, opts.Selector)
	}
	if err != nil {
		return nil, err
	}
	g := &gate{opts: opts, snap: snap, trusted: snap, library: &render.Library{}}
	if opts.PolicyFrom != "" {
		if g.trusted, err = snap.At(ctx, opts.PolicyFrom); err != nil {
			return nil, fmt.Errorf("--policy-from: %w", err)
		}
	}
	opts.Trace("snapshot", time.Since(start))
	if err := g.settle(); err != nil {
		return nil, err
	}
	return g, nil
}

// load prepares the schemas and the policies, and judges the rule names of the
// configuration, which only now are all known.
func (g *gate) load(ctx context.Context) error {
	start := time.Now()
	versions := g.opts.Versions
	if len(versions) == 0 {
		versions = g.config.KubernetesVersions
	}
	validator, err := validate.New(g.sealed, validate.Options{
		Versions:     versions,
		Locations:    append(g.opts.Schemas, g.schemas()...),
		Strict:       g.opts.Strict,
		AllowNetwork: g.opts.AllowNetwork,
		MayDefine:    g.mayDefine,
		References:   validate.ReferenceOptions{External: g.config.Secrets.External, Partial: g.partial() || g.opts.Shard.Count > 1},
	})
	if err != nil {
		for i, v := range g.config.KubernetesVersions {
			if len(g.opts.Versions) == 0 && strings.Contains(err.Error(), strconv.Quote(v)) {
				return g.config.wrong(source.Pointer("kubernetesVersions", strconv.Itoa(i)), err)
			}
		}
		return &UsageError{fmt.Errorf("schemas: %w", err)}
	}
	g.validator = validator
	g.opts.Trace("schemas", time.Since(start))

	start = time.Now()
	if g.policies, err = g.loadPolicies(ctx); err != nil {
		return err
	}
	g.opts.Trace("policies", time.Since(start))
	return g.checkRules(ctx)
}

// checkRules judges the rule names of the configuration. Those of policies that
// are switched off count as known.
func (g *gate) checkRules(ctx context.Context) error {
	if len(g.config.Rules)+len(g.config.Waivers)+len(g.config.Bundled.Disable) == 0 {
		return nil
	}
	all, err := Rules(ctx)
	if err != nil {
		return err
	}
	return g.config.checkRules(sorted(all, g.policies.Rules()))
}

// partial reports whether the run looks at some targets of the repository only.
func (g *gate) partial() bool {
	return g.opts.ChangedSince != "" || g.narrowed()
}

// narrowed reports the same of a run that is about no change.
func (g *gate) narrowed() bool {
	return len(g.opts.Targets) > 0 || g.snap.Scope() != g.config.dir ||
		len(g.config.Targets.Include) > 0 || len(g.config.Targets.Exclude) > 0
}

// notes are the reasons why a part of the run looked at nothing.
func (g *gate) notes() []string {
	var out []string
	for _, n := range g.unscanned {
		out = append(out, n.Reason)
	}
	return out
}

func failed(r *finding.Report, failOn finding.Severity) bool {
	for _, f := range r.Findings {
		if f.Waiver == nil && f.Severity >= failOn {
			return true
		}
	}
	return false
}
