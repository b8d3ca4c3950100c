package gate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/validate"
)

// targetEvidence is an outcome in the form in which it is kept: by the cache, and
// in the report of a shard. Nothing in it is a value of the repository; what a
// report prints of a file is read from the snapshot again, and masked.
type targetEvidence struct {
	Target     render.Target
	Reason     string
	Objects    int
	Digest     string
	Reads      []string
	Rendering  []finding.Finding
	Checks     []checkEvidence // sorted by name
	NotChecked []finding.NotChecked
	Hidden     []finding.Span // places of secrets that only the render shows
	References *validate.Evidence
	Variables  *secrets.Variables
}

// checkEvidence is what one check said about a target.
type checkEvidence struct {
	Name     string
	Findings []finding.Finding
	Count    int
}

func (o outcome) evidence() targetEvidence {
	e := targetEvidence{
		Target: o.target, Reason: o.reason, Objects: o.objects, Digest: o.digest, Reads: o.reads, Rendering: o.rendering,
		NotChecked: o.notChecked, Hidden: o.hidden, References: o.references, Variables: o.variables,
	}
	e.Target.Delivery = nil // it has text of the repository
	for _, name := range slices.Sorted(maps.Keys(o.findings)) {
		e.Checks = append(e.Checks, checkEvidence{name, o.findings[name], o.counts[name]})
	}
	return e
}

func (e targetEvidence) outcome() outcome {
	o := outcome{
		target: e.Target, reason: e.Reason, objects: e.Objects, digest: e.Digest, reads: e.Reads, rendering: e.Rendering,
		findings: map[string][]finding.Finding{}, counts: map[string]int{},
		notChecked: e.NotChecked, hidden: e.Hidden, references: e.References, variables: e.Variables,
	}
	for _, c := range e.Checks {
		o.findings[c.Name], o.counts[c.Name] = c.Findings, c.Count
	}
	return o
}

// runEvidence is what a report is made of beside the configuration: everything
// that a whole run found, before severities and waivers.
type runEvidence struct {
	Targets    []targetEvidence // in the order of the targets, without References and Variables
	Discovery  []finding.Finding
	Files      []finding.Finding
	Across     validate.Result
	Variables  []finding.Finding
	Hidden     []finding.Span
	Encrypted  int
	Scanned    int
	Policies   int
	Rules      []finding.Rule
	NotChecked []finding.NotChecked // of the collected readers
}

// conclude adds to what was gathered what only all targets together tell.
func (g *gate) conclude(d *done) {
	d.snapshot = finding.Snapshot{Kind: g.snap.Kind(), Revision: g.snap.Revision()}
	d.whole = g.whole()
	d.discovery = g.discovery.Findings
	d.variables = g.variables.Findings()
	d.readers, d.notChecked = g.readers.Findings(), slices.Concat(g.readers.NotChecked(), g.unscanned, g.outsized())
	d.policies, d.rules = g.policies.Len(), sorted(builtin(), g.policies.Rules())
}

// outsized lists the files that are too large to be read. Whatever stands in them
// was not looked at, and nobody should believe otherwise.
func (g *gate) outsized() []finding.NotChecked {
	var out []finding.NotChecked
	for _, e := range g.snap.Files() {
		if e.Size > repo.MaxFileSize && (e.Mode == repo.File || e.Mode == repo.Executable) && g.inScope(e.Path) && g.wants(checkSecrets) {
			out = append(out, finding.NotChecked{Check: checkSecrets, Reason: fmt.Sprintf("%s is larger than %d MiB, and was not searched", e.Path, repo.MaxFileSize>>20)})
		}
	}
	return out
}

func (d *done) evidence() *runEvidence {
	e := &runEvidence{
		Discovery: d.discovery, Files: d.files, Across: d.across, Variables: d.variables,
		Encrypted: d.encrypted, Scanned: d.scanned, Policies: d.policies, Rules: d.rules, NotChecked: d.notChecked,
	}
	e.Across.Evidence = nil
	for _, o := range d.outcomes {
		t := o.evidence()
		t.References, t.Variables = nil, nil
		e.Targets = append(e.Targets, t)
		e.Hidden = append(e.Hidden, t.Hidden...)
	}
	return e
}

// done is the opposite of evidence, for a run of this gate.
func (e *runEvidence) done(g *gate) *done {
	d := &done{
		snapshot: finding.Snapshot{Kind: g.snap.Kind(), Revision: g.snap.Revision()}, whole: g.whole(),
		discovery: e.Discovery, files: e.Files, across: e.Across, variables: e.Variables,
		encrypted: e.Encrypted, scanned: e.Scanned, policies: e.Policies, rules: e.Rules, notChecked: e.NotChecked,
	}
	for _, t := range e.Targets {
		d.outcomes = append(d.outcomes, t.outcome())
	}
	return d
}
