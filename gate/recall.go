package gate

import (
	"context"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/secrets"
)

// The kinds of entries: what a whole run found, by everything that it depends on;
// and what was found in each file and each target, by the environment, to take
// over what has not changed.
const (
	entryRun   = "run"
	entryParts = "parts"
)

// memory is what a run knows of earlier ones, nil without a cache.
type memory struct {
	store       store
	environment key
	run         key // zero where the whole run cannot be named
	parts       func() *parts
	answers     *answers
	crds        key                   // of the files that define custom resources, wherever they are
	same        map[string]targetPart // of targets whose build gets the answers that it got
	next        *parts
	stale       bool // next differs from what is kept
}

// parts are the findings of a run, piece by piece.
type parts struct {
	Files     map[string]filePart
	Targets   map[string]targetPart
	Encrypted encryptedPart
}

// encryptedPart is what was found in all encrypted files together.
type encryptedPart struct {
	Key      key
	Findings []finding.Finding
	Count    int
}

// remember opens the cache, before anything is sealed. A run that depends on more
// than the files of the snapshot, the past of a repository for example, is not
// kept as a whole.
func (g *gate) remember() {
	if g.opts.Cache == "" || g.opts.Build == "" || g.own != nil || g.opts.Shard != (Shard{}) {
		return
	}
	start := time.Now()
	defer func() { g.opts.Trace("cache", time.Since(start)) }()
	environment, err := g.environment()
	if err != nil {
		return
	}
	g.memory = &memory{store: newStore(g.opts.Cache), environment: environment}
	if g.opts.Commits != "" || g.opts.PolicyFrom != "" || g.opts.ChangedSince != "" {
		return
	}
	if tree, err := g.treeKey(); err == nil {
		h := newHasher()
		h.add(entryRun, environment.String(), tree.String())
		for _, w := range g.config.Waivers {
			h.add(w.Rule) // whose names were found to be those of rules
		}
		g.memory.run = h.key()
	}
}

// recall returns what an earlier run found that was the same in everything.
func (g *gate) recall() *done {
	if g.memory == nil {
		return nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("recall", time.Since(start)) }()
	var e runEvidence
	if g.memory.run != (key{}) && g.memory.store.load(entryRun, g.memory.run, &e) {
		return e.done(g)
	}
	g.memory.fetch()
	return nil
}

// save keeps what the run found.
func (g *gate) save(d *done) {
	if g.memory == nil {
		return
	}
	start := time.Now()
	defer func() { g.opts.Trace("save", time.Since(start)) }()
	if g.memory.run != (key{}) {
		g.memory.store.save(entryRun, g.memory.run, d.evidence())
	}
	if g.memory.next != nil && g.memory.stale {
		g.memory.store.save(entryParts, g.memory.environment, g.memory.next.keep(g.memory.crds))
	}
}

// fetch begins to read the parts, while the snapshot is looked at.
func (m *memory) fetch() {
	read := make(chan *parts, 1)
	go func() {
		var k keptParts
		m.store.load(entryParts, m.environment, &k)
		read <- k.parts()
	}()
	m.parts = sync.OnceValue(func() *parts { return <-read })
}

// checkFiles is secrets.CheckFiles, with what the survey found.
func (g *gate) checkFiles(ctx context.Context) ([]finding.Finding, error) {
	if g.memory == nil {
		return g.sealed.CheckFiles(ctx, g.snap.Scope())
	}
	var out []finding.Finding
	for _, e := range g.snap.Files() {
		out = append(out, g.memory.next.Files[e.Path].Verdict.Findings...)
	}
	return out, nil
}

// encryptedKey names the files that the checks over all encrypted files look at.
func (g *gate) encryptedKey() key {
	h := newHasher()
	for _, e := range g.snap.Files() {
		part := g.memory.next.Files[e.Path]
		if part.Verdict.Encrypted || !g.inScope(e.Path) || path.Base(e.Path) == secrets.CreationRulesName {
			h.add(e.Path, part.Answer, part.Use)
		}
	}
	return h.key()
}

// recallEncrypted judges all encrypted files together, or takes over an earlier
// verdict where all of them are the same.
func (g *gate) recallEncrypted(ctx context.Context, e secrets.Expectations) (encryptedPart, error) {
	if g.memory == nil {
		return g.checkEncrypted(ctx, e)
	}
	now, old := g.encryptedKey(), g.memory.parts().Encrypted
	if old.Key != now {
		var err error
		if old, err = g.checkEncrypted(ctx, e); err != nil {
			return old, err
		}
		old.Key = now
	}
	g.memory.next.Encrypted = old
	return old, nil
}

// checkEncrypted judges all encrypted files together: who can open them, and
// which values are in two of them.
func (g *gate) checkEncrypted(ctx context.Context, e secrets.Expectations) (p encryptedPart, err error) {
	recipients, err := g.sealed.CheckRecipients(ctx, g.snap.Scope(), e)
	if err != nil {
		return p, err
	}
	reuse, err := g.sealed.CheckReuse(ctx, g.snap.Scope())
	if err != nil {
		return p, err
	}
	p.Findings = slices.Concat(recipients, reuse)
	p.Count, err = g.encrypted(ctx)
	return p, err
}
