package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
)

// Admission is the verdict on what is about to be applied, and what it was given
// on: the same objects, from one pass.
//
// Failed says that at least one finding is at or above Options.FailOn, or that a
// target must not be applied whatever the configuration accepts; Targets is empty
// then. Report, Source and Rules are those of a [Result].
type Admission struct {
	Report *finding.Report
	Source func(file string) []string
	Rules  []finding.Rule
	Failed bool

	Targets      []Admitted // sorted by path; empty if Failed
	Sealed       *secrets.Sealed
	Expectations secrets.Expectations
}

// Admitted is a target that may be applied.
//
// Rendered is its sealed render: tokens stand for encrypted values, and nothing
// is masked, so that a field which only looks like a credential keeps its value.
// It must not be printed. Digest is that of the masked render, which is what
// [Check] reports for the same commit.
type Admitted struct {
	Target   render.Target
	Rendered *render.Rendered
	Digest   string
}

// Admit is Check for whoever applies what passes. It judges the chosen targets
// as a whole: options that narrow a run to a change are refused, and a target
// that was not rendered, none found, a plaintext Secret and a secret outside a
// Secret fail even where the configuration accepts them.
func Admit(ctx context.Context, opts Options) (*Admission, error) {
	if opts.ChangedSince != "" || len(opts.Files) > 0 || opts.Commits != "" || len(opts.Only) > 0 || opts.Shard != (Shard{}) {
		return nil, &UsageError{errors.New("what is applied is judged as a whole and by every check, not as a change or in part")}
	}
	opts.AllowEmpty = false
	opts.Cache = "" // whoever can write it would decide what is applied, and a verdict has no objects
	g, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	g.admitting = true
	done, err := g.judge(ctx)
	if err != nil {
		return nil, err
	}
	return g.admission(done), nil
}

func (g *gate) admission(d *done) *Admission {
	a := &Admission{
		Report: g.report(d), Source: g.sealed.Masked, Rules: d.rules,
		Sealed: g.sealed, Expectations: g.expectations(),
	}
	a.Failed = failed(a.Report, g.opts.FailOn)
	if refused := g.inadmissible(d); !a.Failed && len(refused) > 0 {
		a.Failed = true
		a.refuse(refused)
	}
	if a.Failed {
		return a
	}
	for _, o := range d.outcomes {
		if o.target.Delivery != nil && !slices.Contains(g.opts.Targets, o.target.Path) {
			continue // its directory is a target too: only who asks for it by name wants the one and not the other
		}
		a.Targets = append(a.Targets, Admitted{Target: o.target, Rendered: o.rendered, Digest: o.digest})
	}
	return a
}

// inadmissible finds what no waiver and no severity can make fit to be applied.
// A token stands for every plaintext value of a Secret, and only encrypted ones
// are ever set again.
func (g *gate) inadmissible(d *done) []finding.Finding {
	var out []finding.Finding
	for _, o := range d.outcomes {
		if o.reason != "" {
			out = append(out, o.unrendered())
			continue
		}
		for _, flow := range g.sealed.Flows(o.rendered) {
			if !flow.Encrypted || !flow.Permitted {
				out = append(out, inadmissibleFlow(flow, o.target.Path))
			}
		}
	}
	return finding.Merge(out)
}

func (o outcome) unrendered() finding.Finding {
	return finding.Finding{
		Rule: "render-error", Severity: finding.Error, Message: "target " + o.target.Path + " is not applied: " + o.reason,
		Help: "put the target right, or leave it out of what is applied", Targets: []string{o.target.Path},
		Location: finding.Span{File: o.target.File}, Unplaced: unplacedTarget(o.target),
	}
}

func unplacedTarget(t render.Target) string {
	if t.File != "" {
		return ""
	}
	return "the target is a directory"
}

func inadmissibleFlow(flow secrets.Flow, target string) finding.Finding {
	object := flow.Object
	f := finding.Finding{
		Rule: "secret-plaintext", Severity: finding.Error, Object: &object, Pointer: flow.Pointer,
		Location: flow.Span, Targets: []string{target},
		Message: fmt.Sprintf("the plaintext value %q is not applied, although the configuration accepts that it is committed", flow.Key),
		Help:    "encrypt it with sallyport seal: only encrypted values of Secrets are applied",
	}
	if flow.Encrypted {
		f.Rule = "secret-leak"
		f.Message = fmt.Sprintf("encrypted value %q is not applied outside a Secret, although the configuration accepts it", flow.Key)
		f.Help = "take away the replacement, patch or generator that copies the value"
	}
	return f
}

// refuse adds findings that no waiver covers, and corrects what counts them.
func (a *Admission) refuse(refused []finding.Finding) {
	a.Report.Findings = finding.Merge(append(a.Report.Findings, refused...))
	a.Report.Summary.Errors += len(refused)
	for _, f := range refused {
		for i := range a.Report.Targets {
			t := &a.Report.Targets[i]
			if t.Status == finding.Passed && slices.Contains(f.Targets, t.Path) {
				t.Status = finding.Failed
			}
		}
	}
}

// keep remembers the objects of a target as they are before the checks mask what
// must not be printed. What it returns puts them back, where somebody is going to
// apply them.
func (g *gate) keep(r *render.Rendered) (restore func() *render.Rendered) {
	if !g.admitting {
		return func() *render.Rendered { return nil }
	}
	values := make([]map[string]any, len(r.Objects))
	for i, o := range r.Objects {
		values[i] = clone(o.Value).(map[string]any)
	}
	return func() *render.Rendered {
		for i, o := range r.Objects {
			o.Value = values[i]
		}
		return r
	}
}

// clone copies a decoded object.
func clone(node any) any {
	switch node := node.(type) {
	case map[string]any:
		out := maps.Clone(node)
		for key, value := range out {
			out[key] = clone(value)
		}
		return out
	case []any:
		out := slices.Clone(node)
		for i, value := range out {
			out[i] = clone(value)
		}
		return out
	}
	return node
}
