package gate

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
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
	crds        key // of the files that define custom resources, wherever they are
	next        *parts
	stale       bool // next differs from what is kept
}

// parts are the findings of a run, piece by piece.
type parts struct {
	Files     map[string]filePart
	Targets   map[string]targetPart
	Discovery discoveryPart
	Encrypted encryptedPart
}

// filePart is what was found in a file by itself. Answer is what the tree said
// about it.
type filePart struct {
	Answer  string
	Verdict secrets.FileVerdict
	CRD     bool // it speaks of CustomResourceDefinitions
}

// targetPart is what was found in a target. Key is of the target with the answers
// to its questions, CRDs of all definitions of the tree.
type targetPart struct {
	Key, CRDs key
	Questions questions
	Evidence  targetEvidence
}

// encryptedPart is what was found in all encrypted files together.
type encryptedPart struct {
	Key      key
	Findings []finding.Finding
	Count    int
}

// remember opens the cache, before anything is sealed. A run that depends on more
// than the files of the snapshot, the past of a repository for example, is not
// kept as a whole, and one about a change not at all: it is short.
func (g *gate) remember() {
	if g.opts.Cache == "" || g.opts.Build == "" || g.opts.ChangedSince != "" || g.own != nil || g.opts.Shard != (Shard{}) {
		return
	}
	start := time.Now()
	defer func() { g.opts.Trace("cache", time.Since(start)) }()
	environment, err := g.environment()
	if err != nil {
		return
	}
	g.memory = &memory{store: store{g.opts.Cache}, environment: environment}
	if tree, err := g.treeKey(); err == nil && g.opts.Commits == "" && g.opts.PolicyFrom == "" {
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
		g.memory.store.save(entryParts, g.memory.environment, g.memory.next)
	}
}

// fetch begins to read the parts, while the snapshot is being sealed.
func (m *memory) fetch() {
	read := make(chan *parts, 1)
	go func() {
		var p parts
		m.store.load(entryParts, m.environment, &p)
		read <- &p
	}()
	m.parts = sync.OnceValue(func() *parts { return <-read })
}

// open begins what this run keeps in turn, once the snapshot is sealed.
func (m *memory) open(g *gate) {
	m.answers = newAnswers(g)
	m.next = &parts{Files: map[string]filePart{}, Targets: map[string]targetPart{}}
}

// survey judges every file by itself, or takes over an earlier verdict.
func (g *gate) survey(ctx context.Context) error {
	m := g.memory
	if m == nil {
		return nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("files", time.Since(start)) }()
	old := m.parts()
	files := g.snap.Files()
	found := make([]filePart, len(files))
	var fresh []int
	for i, e := range files {
		answer, ok := m.answers.of(e.Path)
		known, was := old.Files[e.Path]
		if !ok || !was || known.Answer != answer {
			known = filePart{Answer: answer}
			fresh = append(fresh, i)
		}
		found[i] = known
	}
	m.stale = len(fresh) > 0 || len(old.Files) != len(files)
	err := g.each(ctx, len(fresh), func(n int) (err error) {
		i := fresh[n]
		found[i].CRD = source.IsYAML(files[i].Path) && holdsCRD(g.sealed, files[i].Path)
		if files[i].Mode <= repo.Executable && g.inScope(files[i].Path) {
			found[i].Verdict, err = g.sealed.CheckFile(files[i].Path)
		}
		return err
	})
	h := newHasher()
	for i, e := range files {
		m.next.Files[e.Path] = found[i]
		if found[i].CRD {
			h.add(e.Path, found[i].Answer)
		}
	}
	m.crds = h.key()
	return err
}

func (g *gate) inScope(file string) bool {
	scope := g.snap.Scope()
	return scope == "" || file == scope || strings.HasPrefix(file, scope+"/")
}

// mayDefine is false for a file that is known not to define custom resources.
func (g *gate) mayDefine(file string) bool {
	return g.memory == nil || g.memory.next == nil || g.memory.next.Files[file].CRD
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
			h.add(e.Path, part.Answer)
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

// recallTarget takes over what was found in a target that is the same.
func (g *gate) recallTarget(t render.Target) (outcome, bool) {
	if g.memory == nil {
		return outcome{}, false
	}
	part, ok := g.memory.parts().Targets[t.Path]
	if !ok || part.CRDs != g.memory.crds {
		return outcome{}, false
	}
	if now, ok := g.memory.answers.key(t, part.Questions); !ok || now != part.Key {
		return outcome{}, false
	}
	o := part.Evidence.outcome()
	o.recalled, o.target = true, t
	g.sealed.Hide(o.hidden...)
	if o.references != nil {
		g.validator.Admit(o.references)
	}
	if o.variables != nil {
		g.variables.Admit(o.variables)
	}
	return o, true
}

// keepTargets adds the targets to what is kept.
func (g *gate) keepTargets(outcomes []outcome) {
	m := g.memory
	if m == nil {
		return
	}
	m.stale = m.stale || len(m.parts().Targets) != len(outcomes)
	for _, o := range outcomes {
		old, was := m.parts().Targets[o.target.Path]
		if o.recalled {
			m.next.Targets[o.target.Path] = old
			continue
		}
		q := questions{o.asked.Files, o.asked.Dirs, o.asked.Missing}
		now, ok := m.answers.key(o.target, q)
		if ok {
			m.next.Targets[o.target.Path] = targetPart{now, m.crds, q, o.evidence()}
		}
		m.stale = m.stale || ok || was
	}
}

// answers remembers what the sealed tree answered: what kustomizations make of a
// file, which says how it is sealed, is part of the answer. It belongs to one goroutine.
type answers struct {
	g     *gate
	known map[string]string // empty where it cannot be named
}

func newAnswers(g *gate) *answers { return &answers{g, map[string]string{}} }

func (a *answers) of(name string) (string, bool) {
	answer, known := a.known[name]
	if !known {
		var ok bool
		if answer, ok = a.g.answer(name); !ok {
			answer = ""
		} else if use := a.g.sealed.Use(name); use != "" {
			answer += ", " + use
		}
		a.known[name] = answer
	}
	return answer, answer != ""
}

// listing is what directories hold of which a target takes every manifest, with
// the answers.
func (a *answers) listing(t render.Target) []string {
	var out []string
	dir := t.Path
	if t.Delivery != nil {
		dir = t.Delivery.Dir
	}
	files := a.g.snap.Files()
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	start, _ := slices.BinarySearchFunc(files, prefix, func(e repo.Entry, p string) int { return strings.Compare(e.Path, p) })
	for _, e := range files[start:] {
		if !strings.HasPrefix(e.Path, prefix) {
			break
		}
		if t.Lists(e.Path) {
			answer, _ := a.of(e.Path)
			out = append(out, e.Path, answer)
		}
	}
	return out
}
