package gate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// report joins what all workers gathered: equal findings become one, severities
// and waivers are applied, everything is sorted.
func (g *gate) report(d *done) *finding.Report {
	r := &finding.Report{
		APIVersion: finding.APIVersion,
		Kind:       finding.Kind,
		Tool:       finding.Tool{Name: "sallyport", Version: g.opts.ToolVersion},
		Snapshot:   d.snapshot,
		Targets:    []finding.Target{},
		NotChecked: []finding.NotChecked{},
	}
	byCheck := g.collect(d)
	var all []finding.Finding
	checkOf := map[string]string{} // rule -> check, for the summary
	for _, name := range []string{"render", "secrets", "schema", "policy"} {
		for _, f := range byCheck[name] {
			checkOf[f.Rule] = name
		}
		all = append(all, byCheck[name]...)
	}
	all = finding.Merge(g.config.severities(all))
	r.Findings = g.waive(all, d.whole)
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	for _, o := range d.outcomes {
		r.Targets = append(r.Targets, o.result(r.Findings))
		r.NotChecked = append(r.NotChecked, o.notChecked...)
		r.Summary.Objects += o.objects
	}
	if g.base != nil {
		for _, t := range g.base.skipped {
			r.Targets = append(r.Targets, finding.Target{
				Path: t.Path, Kind: string(t.Kind), Status: finding.Skipped,
				Reason: "not affected by the change since " + g.opts.ChangedSince,
			})
		}
		slices.SortFunc(r.Targets, func(a, b finding.Target) int { return cmp.Compare(a.Path, b.Path) })
	}
	r.NotChecked = slices.Concat(r.NotChecked, d.across.NotChecked, d.notChecked, g.notJudged(d))
	slices.SortFunc(r.NotChecked, compareNotChecked)
	g.summarise(r, d, checkOf)
	return r
}

// collect gathers the findings by check. A finding about a file concerns every
// target that read the file.
func (g *gate) collect(d *done) map[string][]finding.Finding {
	out := map[string][]finding.Finding{
		"render":  slices.Clone(d.discovery),
		"secrets": slices.Concat(g.aboutFiles(d), d.commits, d.variables, d.readers),
		"schema":  slices.Concat(d.across.Findings, d.defined),
	}
	for _, o := range d.outcomes {
		out["render"] = append(out["render"], o.rendering...)
		for name, findings := range o.findings {
			out[name] = append(out[name], findings...)
		}
	}
	for _, name := range Checks() {
		if !g.wants(name) && name != checkSchema {
			delete(out, name)
		}
	}
	out[checkPolicy] = append(out[checkPolicy], d.judges...) // whatever is checked
	return out
}

// aboutFiles gives the findings about files their targets. Where the run is
// narrowed to some targets, files that none of them reads are left out; a change
// also answers for the files that it touches.
func (g *gate) aboutFiles(d *done) []finding.Finding {
	readers := map[string][]string{}
	for _, o := range d.outcomes {
		for _, file := range o.reads {
			readers[file] = append(readers[file], o.target.Path)
		}
	}
	var out []finding.Finding
	for _, f := range d.files {
		f.Targets = append(slices.Clone(f.Targets), readers[f.Location.File]...)
		touched := g.base != nil && g.base.changed[f.Location.File]
		if (len(g.opts.Targets) > 0 || g.base != nil) && len(f.Targets) == 0 && !touched {
			continue
		}
		out = append(out, f)
	}
	return out
}

func (o outcome) result(findings []finding.Finding) finding.Target {
	t := finding.Target{
		Path: o.target.Path, Kind: string(o.target.Kind), Status: finding.Passed,
		Objects: o.objects, Digest: o.digest, Reason: o.reason,
	}
	if o.reason != "" {
		t.Status = finding.NotRendered
		return t
	}
	for _, f := range findings {
		if f.Waiver == nil && f.Severity == finding.Error && slices.Contains(f.Targets, t.Path) {
			t.Status = finding.Failed
			return t
		}
	}
	return t
}

func compareNotChecked(a, b finding.NotChecked) int {
	return cmp.Or(
		cmp.Compare(a.Target, b.Target), cmp.Compare(a.Object.Kind, b.Object.Kind),
		cmp.Compare(a.Object.Namespace, b.Object.Namespace), cmp.Compare(a.Object.Name, b.Object.Name),
		cmp.Compare(a.Object.APIVersion, b.Object.APIVersion), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Reason, b.Reason),
	)
}

// summarise counts. A check's line counts what it looked at over all targets.
func (g *gate) summarise(r *finding.Report, d *done, checkOf map[string]string) {
	r.Summary.Targets, r.Summary.NotChecked = len(r.Targets), len(r.NotChecked)
	lines := []finding.Check{
		{Name: "render", Count: len(d.outcomes), Unit: "targets", Note: g.scope(r)},
		{Name: "schema", Unit: "objects"},
		{Name: "policy", Count: d.policies, Unit: "rules"},
		{Name: "secrets", Unit: "Secrets", Note: count(d.encrypted, "encrypted file")},
	}
	for i := range lines {
		for _, o := range d.outcomes {
			lines[i].Count += o.counts[lines[i].Name]
		}
	}
	for _, f := range r.Findings {
		at := slices.IndexFunc(lines, func(c finding.Check) bool { return c.Name == checkOf[f.Rule] })
		switch {
		case f.Waiver != nil:
			r.Summary.Waived++
			continue
		case f.Severity == finding.Error:
			r.Summary.Errors++
			if at >= 0 {
				lines[at].Errors++
			}
		default:
			r.Summary.Warnings++
			if at >= 0 {
				lines[at].Warnings++
			}
		}
	}
	r.Summary.Checks = g.withoutNotRun(lines)
	if r.Summary.NotRun = g.notRun(); len(r.Summary.NotRun) > 0 {
		r.Summary.Files = d.scanned
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// scope says what was rendered, and why not less or more.
func (g *gate) scope(r *finding.Report) string {
	note := count(r.Summary.Objects, "object")
	if s := g.opts.Shard; s.Count > 1 {
		note += fmt.Sprintf("; shard %d of %d", s.Index, s.Count)
	}
	switch {
	case g.base == nil:
	case g.base.every != "":
		note += "; every target, since " + g.base.every
	default:
		note += fmt.Sprintf("; %d not affected since %s", len(g.base.skipped), g.opts.ChangedSince)
	}
	return note
}
