package gate

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/validate"
)

// Check is one question that the gate asks of every rendered target. Unit is
// what it counts. Run reports through the Pass; its error means that it could
// not look, never that it found something.
type check struct {
	name string
	unit string
	run  func(ctx context.Context, p *pass) error
}

// pass is one check's view of one target.
type pass struct {
	*render.Rendered
	findings   []finding.Finding
	notChecked []finding.NotChecked
	count      int // of the check's unit

	hidden     []finding.Span // places of secrets that only the render shows
	references *validate.Evidence
	variables  *secrets.Variables
}

// checks returns the checks in the order in which they run. Secrets come first:
// that check masks what no other may see.
func (g *gate) checks(e secrets.Expectations) []check {
	return []check{
		{"secrets", "Secrets", func(ctx context.Context, p *pass) error {
			var judged []finding.Finding
			judged, p.hidden = g.sealed.JudgeRendered(p.Rendered)
			p.findings = slices.Concat(judged, g.sealed.CheckBinding(p.Rendered, e))
			if g.wants(checkSecrets) {
				p.notChecked = g.sealed.UncheckedBindings(p.Rendered)
			}
			p.variables = g.variables.Collect(p.Rendered)
			compared, err := g.compareTarget(ctx, p.Rendered, e)
			if err != nil {
				return err
			}
			p.findings = append(p.findings, compared...)
			for _, o := range p.Objects {
				if o.Kind == "Secret" && o.APIVersion == "v1" {
					p.count++
				}
			}
			return nil
		}},
		{"schema", "objects", func(ctx context.Context, p *pass) error {
			if !g.wants(checkSchema) {
				p.references = g.validator.Collect(p.Rendered)
				return nil
			}
			result, err := g.validator.Check(ctx, p.Rendered)
			p.references = result.Evidence
			p.findings, p.notChecked, p.count = result.Findings, result.NotChecked, result.Checked
			return err
		}},
		{"policy", "rules", func(ctx context.Context, p *pass) error {
			if !g.wants(checkPolicy) {
				return nil
			}
			var err error
			p.findings, err = g.policies.Check(ctx, p.Rendered)
			return err
		}},
	}
}

// outcome is what remains of a target once its objects are let go.
type outcome struct {
	target     render.Target
	reason     string // why it did not render
	objects    int
	digest     string
	rendered   *render.Rendered // kept for Admit, nil else
	reads      []string
	rendering  []finding.Finding
	findings   map[string][]finding.Finding // by check
	counts     map[string]int
	notChecked []finding.NotChecked

	hidden     []finding.Span // places of secrets that only the render shows
	asked      render.Reads
	recalled   bool // from the cache
	references *validate.Evidence
	variables  *secrets.Variables
}

// done is everything that a run gathered.
type done struct {
	outcomes  []outcome // in the order of the targets
	files     []finding.Finding
	commits   []finding.Finding
	judges    []finding.Finding // what the change does to the files that judge it
	across    validate.Result   // of all targets together
	looked    bool              // across is of every target, though the run is of some
	defined   []finding.Finding // about objects whose definition the change takes away
	encrypted int               // files in the checked directory
	scanned   int               // likewise

	// What conclude adds.
	snapshot   finding.Snapshot
	whole      bool // the run looks at everything that the configuration is about
	discovery  []finding.Finding
	variables  []finding.Finding
	readers    []finding.Finding
	notChecked []finding.NotChecked
	policies   int
	rules      []finding.Rule
}

// run renders and checks every target, and scans the files beside them.
func (g *gate) run(ctx context.Context) (*done, error) {
	start := time.Now()
	d := &done{outcomes: make([]outcome, len(g.discovery.Targets))}
	e := g.expectations()
	g.variables, g.readers = g.sealed.NewSubstitutions(e), g.sealed.NewReaders(e)
	checks := g.checks(e)
	if err := g.survey(ctx); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.jobs())
	group.Go(func() error {
		return g.aside(ctx, d, e)
	})
	clock := newClock()
	for i, target := range g.discovery.Targets {
		var recalled bool
		if d.outcomes[i], recalled = g.recallTarget(target); recalled {
			continue
		}
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			d.outcomes[i], err = g.one(ctx, target, checks, clock)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if g.wants(checkReferences) {
		d.across = g.validator.Conclude()
	}
	g.keepTargets(d.outcomes)
	clock.trace(g.opts.Trace)
	g.opts.Trace("targets", time.Since(start))
	return d, nil
}

// jobs is the number of workers.
func (g *gate) jobs() int {
	if g.opts.Jobs > 0 {
		return g.opts.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// encrypted counts the encrypted files in the checked directory.
func (g *gate) encrypted(ctx context.Context) (int, error) {
	files, err := g.sealed.Encrypted(ctx)
	if err != nil {
		return 0, err
	}
	n, scope := 0, g.snap.Scope()
	for _, f := range files {
		if scope == "" || strings.HasPrefix(f.Path, scope+"/") {
			n++
		}
	}
	return n, nil
}

// aside is what there is to do beside the targets.
func (g *gate) aside(ctx context.Context, d *done, e secrets.Expectations) (err error) {
	if !g.wants(checkSecrets) || g.opts.Shard.Index > 1 {
		return nil
	}
	for _, f := range g.snap.Files() {
		if g.inScope(f.Path) {
			d.scanned++
		}
	}
	if d.files, err = g.scanFiles(ctx, e); err != nil {
		return err
	}
	if d.commits, err = g.scanCommits(ctx); err != nil {
		return err
	}
	sealed, err := g.recallEncrypted(ctx, e)
	d.files, d.encrypted = append(d.files, sealed.Findings...), sealed.Count
	return err
}

// took adds what a check left for the verdict over all targets.
func (o *outcome) took(p *pass) {
	o.hidden = append(o.hidden, p.hidden...)
	if p.references != nil {
		o.references = p.references
	}
	if p.variables != nil {
		o.variables = p.variables
	}
}

// one renders a target and runs the checks on it.
func (g *gate) one(ctx context.Context, target render.Target, checks []check, clock *clock) (outcome, error) {
	stop := clock.start("render")
	r, err := g.builder.Build(ctx, target)
	stop()
	if err != nil {
		return outcome{}, fmt.Errorf("render %s: %w", target.Path, err)
	}
	out := outcome{
		target: target, reason: r.Reason, objects: len(r.Objects), reads: r.Reads.Files,
		asked: r.Reads, rendering: r.Findings, findings: map[string][]finding.Finding{}, counts: map[string]int{},
	}
	if r.Reason != "" {
		return out, nil
	}
	restore := g.keep(r)
	for _, c := range checks {
		stop := clock.start(c.name)
		p := &pass{Rendered: r}
		err := c.run(ctx, p)
		stop()
		if err != nil {
			return outcome{}, fmt.Errorf("%s %s: %w", c.name, target.Path, err)
		}
		out.took(p)
		out.findings[c.name] = p.findings
		out.counts[c.name] = p.count
		out.notChecked = append(out.notChecked, p.notChecked...)
	}
	defer clock.start("digest")()
	out.digest = r.Digest()
	out.rendered = restore()
	return out, nil
}

// clock adds up how long each stage took over all workers.
type clock struct {
	mu    sync.Mutex
	names []string
	spent map[string]time.Duration
}

func newClock() *clock { return &clock{spent: map[string]time.Duration{}} }

func (c *clock) start(stage string) (stop func()) {
	begin := time.Now()
	return func() {
		took := time.Since(begin)
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.spent[stage]; !ok {
			c.names = append(c.names, stage)
		}
		c.spent[stage] += took
	}
}

func (c *clock) trace(to func(string, time.Duration)) {
	for _, name := range c.names {
		to(name+" (all workers)", c.spent[name])
	}
}
