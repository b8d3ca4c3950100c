package gate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// expectations says what the trusted revision demands of encrypted files.
func (g *gate) expectations() secrets.Expectations {
	c := g.config.Secrets
	e := secrets.Expectations{
		Creation:   secrets.CreationFor(g.creationTree()),
		KeyTypes:   c.KeyTypes,
		Substitute: c.Substitute,
		Metadata:   c.Metadata.Allow,
		NoBase:     g.admitting,
		From:       g.opts.PolicyFrom,
	}
	for _, b := range c.Bind {
		e.Bind = append(e.Bind, secrets.Binding{Files: path.Join(g.config.dir, b.Files), Namespaces: b.Namespaces})
	}
	e.Environments = g.environments()
	return e
}

func (g *gate) environments() (out []secrets.Environment) {
	for _, env := range g.config.Secrets.Environments {
		out = append(out, secrets.Environment{
			Name: env.Name, Targets: g.config.abs(env.Targets), Recipients: env.Recipients,
		})
	}
	return out
}

// creationTree is where the creation rules come from: the trusted revision, with
// the configured file under the name that sops looks for.
func (g *gate) creationTree() repo.Tree {
	if g.own != nil {
		return g.own.creation
	}
	return g.config.creationTree(g.trusted)
}

// CreationTree is a snapshot in which the creation rules that its configuration
// names stand where sops looks for them.
func CreationTree(snap *repo.Snapshot) (repo.Tree, error) {
	config, err := loadConfig(snap, "")
	if err != nil {
		return nil, err
	}
	return config.creationTree(snap), nil
}

func (c *Config) creationTree(snap *repo.Snapshot) repo.Tree {
	from := c.Secrets.Recipients.From
	if from == "" || path.Base(from) == secrets.CreationRulesName {
		return snap
	}
	return renamed{snap, path.Join(c.dir, from), path.Join(c.dir, secrets.CreationRulesName)}
}

// renamed is a tree in which one file stands under another name.
type renamed struct {
	repo.Tree
	from, to string
}

func (r renamed) Files() []repo.Entry {
	entry, ok := r.Tree.Lookup(r.from)
	if !ok {
		return r.Tree.Files()
	}
	entry.Path = r.to
	files := slices.DeleteFunc(slices.Clone(r.Tree.Files()), func(e repo.Entry) bool { return e.Path == r.to })
	files = append(files, entry)
	slices.SortFunc(files, func(a, b repo.Entry) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return files
}

func (r renamed) ReadFile(name string) ([]byte, error) {
	if name == r.to {
		name = r.from
	}
	return r.Tree.ReadFile(name)
}

// scanFiles asks every question that needs no render: about files as they are,
// against the creation rules, against the base, and in each commit of a range.
func (g *gate) scanFiles(ctx context.Context, e secrets.Expectations) ([]finding.Finding, error) {
	start := time.Now()
	out, err := g.checkFiles(ctx)
	if err != nil {
		return nil, err
	}
	g.opts.Trace("files", time.Since(start))
	if g.base != nil {
		compared, err := g.sealed.Compare(ctx, g.base.sealed, e)
		if err != nil {
			return nil, err
		}
		start = time.Now()
		rolledBack, err := g.sealed.CheckRollback(ctx, g.base.sealed, g.base.snap)
		if err != nil {
			return nil, err
		}
		g.opts.Trace("history", time.Since(start))
		out = append(append(out, compared...), rolledBack...)
	}
	return out, nil
}

// scanCommits judges what each commit of the range added.
func (g *gate) scanCommits(ctx context.Context) ([]finding.Finding, error) {
	if g.opts.Commits == "" {
		return nil, nil
	}
	from, to, err := repo.ParseRange(g.opts.Commits)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("--commits: %w", err)}
	}
	start := time.Now()
	defer func() { g.opts.Trace("commits", time.Since(start)) }()
	if err := g.noteEmptyRange(ctx, from, to); err != nil {
		return nil, fmt.Errorf("--commits: %w", err)
	}
	found, err := g.sealed.CheckCommits(ctx, g.snap, from, to)
	if err != nil {
		return nil, fmt.Errorf("--commits: %w", err)
	}
	return found, nil
}

// noteEmptyRange says so where a range has no commit, since nothing found would
// else look like nothing there.
func (g *gate) noteEmptyRange(ctx context.Context, from, to string) error {
	commits, err := g.snap.Commits(ctx, from, to)
	if err != nil || len(commits) > 0 {
		return err
	}
	reason := fmt.Sprintf("--commits %s..%s holds no commit: nothing was scanned", from, to)
	if back, err := g.snap.Commits(ctx, to, from); err == nil && len(back) > 0 {
		reason += fmt.Sprintf("; %s..%s holds %s, the two are swapped", to, from, count(len(back), "commit"))
	}
	g.unscanned = []finding.NotChecked{{Check: "commits", Reason: reason}}
	return nil
}
