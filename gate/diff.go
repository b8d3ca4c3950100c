package gate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// Diff compares what each target renders to at the merge base with the revision
// base and in the snapshot. An empty base is the default branch of the upstream,
// else main or master; the result names the one that was taken. Only targets
// that read what has changed are rendered.
func Diff(ctx context.Context, opts Options, base string) (*diff.Result, error) {
	if err := opts.Diff.Validate(); err != nil {
		return nil, &UsageError{err}
	}
	g, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	snap, name, err := g.mergeBase(ctx, base)
	if err != nil {
		return nil, err
	}
	c, err := g.comparer(ctx, snap)
	if err != nil {
		return nil, err
	}
	return c.diff(ctx, name)
}

// diffOfChange compares as [Diff] does, with the base that a run about a change has
// open already.
func (g *gate) diffOfChange(ctx context.Context, opts diff.Options) (*diff.Result, error) {
	if g.base == nil {
		return nil, fmt.Errorf("%w: there is no base to compare with", repo.ErrRevision)
	}
	if err := opts.Validate(); err != nil {
		return nil, &UsageError{err}
	}
	with := *g
	with.opts.Diff = opts
	return with.comparerOfChange().diff(ctx, g.opts.ChangedSince)
}

// diff compares the targets of both sides; name is what the base is called.
func (c *comparer) diff(ctx context.Context, name string) (*diff.Result, error) {
	r := &diff.Result{Tool: finding.Tool{Name: "sallyport", Version: c.opts.ToolVersion}, From: c.old.name(), To: c.now.name()}
	r.From.Name = name
	all, err := c.run(ctx, r)
	if err != nil {
		return nil, err
	}
	diff.Join(r, all)
	return r, nil
}

// Between compares two targets of the snapshot, named as in [Render]: what b
// lacks counts as removed, what a lacks as added.
func Between(ctx context.Context, opts Options, a, b string) (*diff.Result, error) {
	if err := opts.Diff.Validate(); err != nil {
		return nil, &UsageError{err}
	}
	g, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	p := diff.Pair{Between: true}
	r := &diff.Result{Tool: finding.Tool{Name: "sallyport", Version: opts.ToolVersion}}
	for _, half := range []struct {
		name string
		path *string
		into **diff.State
		side *diff.Side
	}{{a, &p.From, &p.Old, &r.From}, {b, &p.Path, &p.New, &r.To}} {
		t, err := g.target(ctx, half.name)
		if err != nil {
			return nil, err
		}
		if *half.into, err = g.side().state(ctx, t); err != nil {
			return nil, err
		}
		g.side().identify(*half.into)
		*half.side = g.side().name()
		half.side.Target, *half.path = t.Path, t.Path
	}
	r.Summary.Targets = 2
	diff.Join(r, []diff.Comparison{diff.Compare(p, opts.Diff)})
	return r, nil
}

// Differ compares what a run about a change has open: see [Diff]. Without a change
// it is an error.
type Differ func(ctx context.Context, opts diff.Options) (*diff.Result, error)

// defaultBases are the revisions that a change is compared with where none is
// named, the first that exists.
func defaultBases() []string {
	return []string{"origin/HEAD", "origin/main", "origin/master", "main", "master"}
}

// mergeBase opens the merge base with a revision, and says which revision.
func (g *gate) mergeBase(ctx context.Context, base string) (*repo.Snapshot, string, error) {
	start := time.Now()
	defer func() { g.opts.Trace("base", time.Since(start)) }()
	if base != "" {
		snap, err := g.snap.Base(ctx, base)
		return snap, base, err
	}
	for _, name := range defaultBases() {
		snap, err := g.snap.Base(ctx, name)
		if !errors.Is(err, repo.ErrRevision) {
			return snap, name, err
		}
		// The revision is unknown, unless its history is what is missing.
		if _, unknown := g.snap.At(ctx, name); unknown == nil {
			return nil, "", err
		}
	}
	return nil, "", fmt.Errorf("no default branch to compare with (tried %s): name a revision", strings.Join(defaultBases(), ", "))
}

// comparer compares the targets of two sides.
type comparer struct {
	*gate
	old, now *side
	changed  map[string]bool
}

func (g *gate) comparer(ctx context.Context, snap *repo.Snapshot) (*comparer, error) {
	c := &comparer{gate: g, old: &side{snap: snap}, now: g.side(), changed: map[string]bool{}}
	changes, err := g.snap.Changed(ctx, snap)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		c.changed[change.Path] = true
	}
	if len(changes) == 0 {
		c.old = c.now.at(snap)
		return c, nil
	}
	if c.old.sealed, err = secrets.Seal(ctx, &baseTree{snap, g.snap, c.changed}); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	c.old.builder = render.NewBuilder(c.old.sealed, render.Options{AllowNetwork: g.opts.AllowNetwork, Library: g.library})
	return c, nil
}

// comparerOfChange compares with the base of the run.
func (g *gate) comparerOfChange() *comparer {
	old := &side{snap: g.base.snap, sealed: g.base.sealed, builder: g.base.builder}
	return &comparer{gate: g, old: old, now: g.side(), changed: g.base.changed}
}

// run compares every target that the change can affect.
func (c *comparer) run(ctx context.Context, r *diff.Result) ([]diff.Comparison, error) {
	start := time.Now()
	tasks, err := c.tasks(ctx)
	if err != nil {
		return nil, err
	}
	r.Summary.Targets = len(tasks)
	if err := c.each(ctx, len(tasks), func(i int) error {
		tasks[i].affected = c.affects(tasks[i])
		return nil
	}); err != nil {
		return nil, err
	}
	tasks = slices.DeleteFunc(tasks, func(t task) bool { return !t.affected })
	c.opts.Trace("affected", time.Since(start))
	start = time.Now()
	all, err := c.compareAll(ctx, tasks)
	c.opts.Trace("targets", time.Since(start))
	return all, err
}

// task is one target. Of a target that one side alone has, the other is nil.
type task struct {
	path     string
	old, now *render.Target
	affected bool
	done     *diff.Comparison
	pair     diff.Pair // where both sides are not of one target
}

// tasks lists the targets that either side has, by path.
func (c *comparer) tasks(ctx context.Context) ([]task, error) {
	now, err := c.targetsOf(ctx, c.now)
	if err != nil {
		return nil, err
	}
	old := now
	if len(c.changed) > 0 {
		if old, err = c.targetsOf(ctx, c.old); err != nil {
			return nil, err
		}
	}
	at := map[string]*task{}
	for _, t := range old {
		at[t.Path] = &task{path: t.Path, old: &t}
	}
	for _, t := range now {
		if at[t.Path] == nil {
			at[t.Path] = &task{path: t.Path}
		}
		at[t.Path].now = &t
	}
	out := make([]task, 0, len(at))
	for _, t := range at {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b task) int { return strings.Compare(a.path, b.path) })
	if len(out) == 0 && !c.opts.AllowEmpty {
		return nil, &UsageError{fmt.Errorf("%w: neither state of %s has a target that the configuration and --target include", ErrNoTargets, place(c.opts.Path))}
	}
	return out, nil
}

func (g *gate) targetsOf(ctx context.Context, s *side) ([]render.Target, error) {
	found, err := render.Discover(ctx, s.sealed, render.DiscoverOptions{
		Scope:   g.snap.Scope(),
		Include: g.config.abs(g.config.Targets.Include),
		Exclude: g.config.abs(g.config.Targets.Exclude),
		Library: g.library,
		Notes:   s.notes,
	})
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	if err := g.narrow(found); err != nil {
		return nil, err
	}
	return found.Targets, nil
}

// affects reports whether the change can affect a target. One side is enough to
// tell: if no answer that the tree gives to a build has changed, the build on
// the other side asks the same.
func (c *comparer) affects(t task) bool {
	if t.old == nil || t.now == nil || t.old.Kind != t.now.Kind {
		return true
	}
	return len(c.changed) > 0 && touches(*t.now, c.changed, c.now.builder.Reads)
}

// each runs fn for every index, as many at a time as there are workers.
func (g *gate) each(ctx context.Context, n int, fn func(i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	jobs := g.opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	group.SetLimit(jobs)
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return fn(i)
		})
	}
	return group.Wait()
}

// compareAll renders both sides of every task and compares them. Targets that
// only one side has wait until it is known which of them were moved.
func (c *comparer) compareAll(ctx context.Context, tasks []task) ([]diff.Comparison, error) {
	if err := c.each(ctx, len(tasks), func(i int) error { return c.one(ctx, &tasks[i]) }); err != nil {
		return nil, err
	}
	var out []diff.Comparison
	var gone, added []diff.Pair
	for _, t := range tasks {
		switch {
		case t.done != nil:
			out = append(out, *t.done)
		case t.pair.New == nil:
			gone = append(gone, t.pair)
		default:
			added = append(added, t.pair)
		}
	}
	pairs := unite(gone, added)
	rest := make([]diff.Comparison, len(pairs))
	err := c.each(ctx, len(pairs), func(i int) error {
		rest[i] = c.compare(pairs[i])
		return nil
	})
	return append(out, rest...), err
}

// unite makes one pair of a target that was moved.
func unite(gone, added []diff.Pair) []diff.Pair {
	used := map[int]bool{}
	out := slices.Clone(added)
	for j, i := range diff.Moved(gone, added) {
		if i >= 0 {
			used[i] = true
			out[j].Old, out[j].From = gone[i].Old, gone[i].Path
		}
	}
	for i, p := range gone {
		if !used[i] {
			out = append(out, p)
		}
	}
	return out
}

// one renders a target on the sides that have it, and compares what both have.
func (c *comparer) one(ctx context.Context, t *task) error {
	t.pair.Path = t.path
	var err error
	if t.old != nil {
		if t.pair.Old, err = c.old.state(ctx, *t.old); err != nil {
			return err
		}
	}
	if t.now != nil {
		if t.pair.New, err = c.now.state(ctx, *t.now); err != nil {
			return err
		}
	}
	if t.old != nil && t.now != nil {
		done := c.compare(t.pair)
		t.done, t.pair = &done, diff.Pair{} // lets the objects go
	}
	return nil
}

func (c *comparer) compare(p diff.Pair) diff.Comparison {
	if p.Old != nil {
		c.old.identify(p.Old)
	}
	if p.New != nil {
		c.now.identify(p.New)
	}
	return diff.Compare(p, c.opts.Diff)
}
