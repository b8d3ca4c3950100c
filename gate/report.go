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
		Snapshot:   finding.Snapshot{Kind: g.snap.Kind(), Revision: g.snap.Revision()},
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
	r.Findings = g.waive(all)
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	for _, o := range d.outcomes {
		r.Targets = append(r.Targets, o.result(r.Findings))
		r.NotChecked = append(r.NotChecked, o.notChecked...)
		r.Summary.Objects += o.objects
	}
	slices.SortFunc(r.NotChecked, compareNotChecked)
	g.summarise(r, d, checkOf)
	return r
}

// collect gathers the findings by check. A finding about a file concerns every
// target that read the file.
func (g *gate) collect(d *done) map[string][]finding.Finding {
	out := map[string][]finding.Finding{"render": g.discovery.Findings, "secrets": g.aboutFiles(d)}
	for _, o := range d.outcomes {
		out["render"] = append(out["render"], o.rendering...)
		for name, findings := range o.findings {
			out[name] = append(out[name], findings...)
		}
	}
	return out
}

// aboutFiles gives the findings about files their targets. Where --target
// narrows the run, files that no chosen target reads are left out.
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
		if len(g.opts.Targets) > 0 && len(f.Targets) == 0 {
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
		{Name: "render", Count: len(r.Targets), Unit: "targets", Note: count(r.Summary.Objects, "object")},
		{Name: "schema", Unit: "objects"},
		{Name: "policy", Count: g.policies.Len(), Unit: "rules"},
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
	r.Summary.Checks = lines
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
