package gate

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/validate"
)

// maxShardBytes bounds what the evidence of one shard unpacks to. 1,000 targets
// take 12 MiB.
const maxShardBytes = 1 << 30

// shardEvidence is what a shard saw, in the form in which its JSON report carries
// it: beside the findings what the verdicts over all targets need.
type shardEvidence struct {
	Tree       string // key of the snapshot's files
	Terms      shardTerms
	Targets    []targetEvidence
	Defined    []*secrets.Variables // of targets that are not judged
	Discovery  []finding.Finding
	Files      []finding.Finding    // of the first shard
	Commits    []finding.Finding    // of the first shard
	Judges     []finding.Finding    // of the first shard
	Words      []validate.FileWords // of every Count-th file, for references that nothing answers
	Holders    []string             // directories with a kustomization; of the first shard
	Encrypted  int
	Scanned    int
	Policies   int
	Rules      []finding.Rule
	NotChecked []finding.NotChecked
	Lost       []finding.Finding // about definitions that the change takes away
	Change     *changeEvidence   // nil where the run is about none
}

// shardTerms are the options and the configuration by which findings are judged.
type shardTerms struct {
	Tool     string
	Snapshot finding.Snapshot
	Config   Config
	Dir      string
	Waivers  []finding.Span // where the waivers of Config stand
	Only     []string
	Targets  []string
	Whole    bool
	Partial  bool
	Today    string
	FailOn   finding.Severity
}

// shardReport adds to the report of a shard what merging needs.
func (g *gate) shardReport(r *finding.Report, d *done) error {
	if g.opts.Shard == (Shard{}) {
		return nil
	}
	inputs, tree := g.shardInputs()
	e := shardEvidence{
		Tree: tree, Terms: g.shardTerms(d), Defined: g.defined, Discovery: d.discovery, Files: d.files, Commits: d.commits, Judges: d.judges,
		Encrypted: d.encrypted, Scanned: d.scanned, Policies: d.policies, Rules: d.rules, NotChecked: slices.Concat(g.unscanned, g.outsized()),
		Lost: d.defined, Change: g.changeEvidence(d),
	}
	for _, o := range d.outcomes {
		e.Targets = append(e.Targets, o.evidence())
	}
	if g.everyReference() && g.wants(checkReferences) {
		e.Words = validate.WordsOf(g.sealed, g.mineOfFiles())
	}
	if g.opts.Shard.Index == 1 {
		for _, f := range g.snap.Files() {
			if slices.Contains(kustomizationNames(), path.Base(f.Path)) {
				e.Holders = append(e.Holders, path.Dir(f.Path))
			}
		}
	}
	packed, err := pack(e)
	if err != nil {
		return fmt.Errorf("shard: %w", err)
	}
	r.Shard = &finding.Shard{Index: g.opts.Shard.Index, Count: g.opts.Shard.Count, Inputs: inputs, Evidence: packed}
	return nil
}

func kustomizationNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// mineOfFiles chooses every Count-th file.
func (g *gate) mineOfFiles() func(file string) bool {
	mine := map[string]bool{}
	for i, f := range g.snap.Files() {
		mine[f.Path] = i%g.opts.Shard.Count == g.opts.Shard.Index-1
	}
	return func(file string) bool { return mine[file] }
}

// shardInputs names what all shards of one run must have in common, and the files.
func (g *gate) shardInputs() (inputs, tree string) {
	h := newHasher()
	h.add("shards", g.opts.ToolVersion, g.opts.Build, g.snap.Kind(), g.snap.Revision(), g.opts.Commits, g.opts.PolicyFrom, g.opts.ChangedSince)
	if g.base != nil {
		h.add(g.base.snap.Revision())
	}
	if k, err := g.environment(); err == nil {
		h.add(k.String())
	}
	if k, err := g.treeKey(); err == nil {
		tree = k.String()
	}
	h.add(tree)
	return h.key().String(), tree
}

func (g *gate) shardTerms(d *done) shardTerms {
	t := shardTerms{
		Tool: g.opts.ToolVersion, Snapshot: d.snapshot, Config: *g.config, Dir: g.config.dir, Only: g.opts.Only, Targets: g.opts.Targets,
		Whole: d.whole, Partial: !g.everyReference(), Today: g.opts.Now().UTC().Format(time.DateOnly), FailOn: g.opts.FailOn,
	}
	for _, w := range g.config.Waivers {
		t.Waivers = append(t.Waivers, w.span)
	}
	return t
}

// pack makes text of a shard's evidence: the same for the same evidence.
func pack(e shardEvidence) (string, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return "", err
	}
	if err := cmp.Or(json.NewEncoder(w).Encode(e), w.Close()); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func unpack(text string) (e shardEvidence, err error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return e, err
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxShardBytes))
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(data, &e)
}

// Merge joins the reports of all shards of one run into the result that the run
// would have had in one piece. With a path in opts the lines of files come from
// the repository there, which must be in the state that the shards saw; without
// there are none. What does not fit together is a *[UsageError].
func Merge(ctx context.Context, opts Options, shards []*finding.Report) (*Result, error) {
	parts, err := fitting(shards)
	if err != nil {
		return nil, &UsageError{err}
	}
	terms := parts[0].Terms
	now, err := latest(parts)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("shard 1: %w", err)}
	}
	config := terms.Config
	config.dir = terms.Dir
	for i := range config.Waivers {
		if i < len(terms.Waivers) {
			config.Waivers[i].span = terms.Waivers[i]
		}
	}
	g := &gate{config: &config, opts: Options{
		Only: terms.Only, Targets: terms.Targets, ToolVersion: terms.Tool, Now: func() time.Time { return now },
	}}
	d, err := g.join(parts)
	if err != nil {
		return nil, err
	}
	report := g.report(d)
	result := &Result{Report: report, Rules: d.rules, Failed: failed(report, terms.FailOn), FailOn: terms.FailOn}
	if opts.Path == "" {
		return result, nil
	}
	return result, result.show(ctx, opts, parts[0].Tree, d)
}

// show gives a merged result the lines of the repository.
func (r *Result) show(ctx context.Context, opts Options, tree string, d *done) error {
	g, err := open(ctx, opts)
	if err != nil {
		return err
	}
	unsealed := &gate{snap: g.snap}
	if now, err := unsealed.treeKey(); err != nil || now.String() != tree {
		return &UsageError{fmt.Errorf("%s is not in the state that the shards saw: name the commit with --rev, or leave --source out", place(opts.Path))}
	}
	for _, o := range d.outcomes {
		g.sealed.Hide(o.hidden...)
	}
	r.Source = g.sealed.Masked
	return nil
}

// fitting unpacks the evidence of the shards, in their order, and refuses what is
// not the whole of one run.
func fitting(shards []*finding.Report) ([]shardEvidence, error) {
	if len(shards) == 0 {
		return nil, errors.New("no report to merge")
	}
	for _, r := range shards {
		if r.Shard == nil {
			return nil, errors.New("a report is not of a shard: make it with sallyport check --shard I/N -o json")
		}
	}
	first := shards[0].Shard
	parts := make([]*shardEvidence, first.Count)
	for _, r := range shards {
		s := r.Shard
		switch {
		case s.Count != first.Count:
			return nil, fmt.Errorf("shard %d/%d and shard %d/%d are not of one run", first.Index, first.Count, s.Index, s.Count)
		case s.Index < 1 || s.Index > s.Count:
			return nil, fmt.Errorf("there is no shard %d/%d", s.Index, s.Count)
		case s.Inputs != first.Inputs:
			return nil, fmt.Errorf("shard %d/%d and shard %d/%d saw another revision, configuration, program or other options", first.Index, first.Count, s.Index, s.Count)
		case parts[s.Index-1] != nil:
			return nil, fmt.Errorf("shard %d/%d is given twice", s.Index, s.Count)
		}
		e, err := unpack(s.Evidence)
		if err != nil {
			return nil, fmt.Errorf("shard %d/%d: its evidence is damaged: %w", s.Index, s.Count, err)
		}
		parts[s.Index-1] = &e
	}
	out := make([]shardEvidence, len(parts))
	var missing []string
	for i, p := range parts {
		if p == nil {
			missing = append(missing, fmt.Sprintf("%d/%d", i+1, first.Count))
			continue
		}
		out[i] = *p
	}
	if len(missing) > 0 {
		what := "shard %s is missing"
		if len(missing) > 1 {
			what = "shards %s are missing"
		}
		return nil, fmt.Errorf(what, strings.Join(missing, ", "))
	}
	return out, nil
}

// latest is the day on which waivers are judged: of a run over midnight the second.
func latest(parts []shardEvidence) (time.Time, error) {
	day := ""
	for _, p := range parts {
		day = max(day, p.Terms.Today)
	}
	return time.Parse(time.DateOnly, day)
}

// join puts together what the shards gathered, and concludes.
func (g *gate) join(parts []shardEvidence) (*done, error) {
	first := parts[0]
	d := &done{
		snapshot: first.Terms.Snapshot, whole: first.Terms.Whole, discovery: first.Discovery, files: first.Files, commits: first.Commits, judges: first.Judges,
		encrypted: first.Encrypted, scanned: first.Scanned, policies: first.Policies, rules: first.Rules, notChecked: first.NotChecked,
	}
	var references []*validate.Evidence
	var variables []*secrets.Variables
	var words []validate.FileWords
	for _, p := range parts {
		for _, t := range p.Targets {
			d.outcomes = append(d.outcomes, t.outcome())
			if t.References != nil {
				references = append(references, t.References)
			}
			if t.Variables != nil {
				variables = append(variables, t.Variables)
			}
		}
		variables = append(variables, p.Defined...)
		d.defined = append(d.defined, p.Lost...)
		words = append(words, p.Words...)
	}
	slices.SortFunc(d.outcomes, func(a, b outcome) int { return cmp.Compare(a.target.Path, b.target.Path) })
	slices.SortFunc(words, func(a, b validate.FileWords) int { return cmp.Compare(a.File, b.File) })
	if g.wants(checkReferences) {
		var err error
		options := validate.ReferenceOptions{External: g.config.Secrets.External, Partial: first.Terms.Partial}
		if d.across, err = validate.Conclude(options, references, words); err != nil {
			return nil, err
		}
		if first.Change != nil && !options.Partial {
			d.across.NotChecked = nil
		}
	}
	g.joinChange(d, parts)
	holds := map[string]bool{}
	for _, dir := range first.Holders {
		holds[dir] = true
	}
	d.variables = secrets.ConcludeVariables(g.config.Secrets.Substitute, variables, func(dir string) bool { return holds[dir] })
	return d, nil
}
