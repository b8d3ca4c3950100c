package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
)

// The colours of what is gone and what is new (ECMA-48, 8.3.117).
const (
	red   = "31"
	green = "32"
)

// diffPrinter writes a diff for a person.
type diffPrinter struct {
	w      *bufio.Writer
	style  style
	prefix string // of all target paths; left out where targets are named
}

// writeDiffText writes what a prune deletes first, then what changes field by
// field, what is added, how the targets fared, and the sum.
func writeDiffText(w *bufio.Writer, r *diff.Result, opts DiffOptions) error {
	p := &diffPrinter{w: w, style: style{opts.Color}, prefix: commonDir(targetPaths(r))}
	p.line(p.style.paint(bold, Sanitize(diffTitle(r))))
	p.line()
	for _, g := range groups(r) {
		p.line(p.style.paint(bold, Sanitize(g.title)+":"))
		for _, c := range g.changes {
			p.change(r, g.sign, c)
		}
		p.line()
	}
	p.followers(r)
	p.targets(r)
	p.line(p.mark(r) + " " + p.style.paint(bold, Sanitize(diffVerdict(r))) + ".")
	if note := noiseNote(r); note != "" {
		p.line("  " + note)
	}
	return nil
}

func targetPaths(r *diff.Result) []finding.Target {
	out := make([]finding.Target, 0, len(r.Targets))
	for _, t := range r.Targets {
		out = append(out, finding.Target{Path: t.Path})
	}
	return out
}

func (p *diffPrinter) line(parts ...string) {
	for _, s := range parts {
		p.w.WriteString(s)
	}
	p.w.WriteByte('\n')
}

// mark says whether data is lost, something differs, or nothing.
func (p *diffPrinter) mark(r *diff.Result) string {
	switch {
	case r.Summary.Loss > 0:
		return p.style.paint(boldRed, markWarn)
	case r.Differs():
		return p.style.paint(boldYellow, "~")
	}
	return p.style.paint(boldGreen, markGood)
}

// signs paints a line that begins with -, + or ~.
func (p *diffPrinter) sign(action diff.Action, text string) string {
	switch action {
	case diff.Removed:
		return p.style.paint(red, text)
	case diff.Added:
		return p.style.paint(green, text)
	}
	return text
}

func (p *diffPrinter) change(r *diff.Result, sign string, c diff.Change) {
	head := "  " + sign + " "
	if c.Loss != "" && c.Kept == "" {
		head = "  " + markWarn + " "
	}
	head = p.sign(c.Action, head) + p.style.paint(bold, Sanitize(c.Object.String()))
	if !r.Between() {
		head += "  in " + p.names(targetsOf(c))
	}
	if c.Action != diff.Changed {
		head += p.at(c.Location)
	}
	p.line(head)
	for _, remark := range remarks(c) {
		text := Sanitize(remark)
		if strings.HasPrefix(remark, "data loss:") {
			text = p.style.paint(boldRed, text)
		}
		p.line("      " + text)
	}
	for _, f := range c.Fields {
		p.field(f)
	}
}

func (p *diffPrinter) at(s finding.Span) string {
	if s.IsZero() {
		return ""
	}
	return "  " + p.style.paint(blue, "--> "+Sanitize(s.String()))
}

func (p *diffPrinter) field(f diff.Field) {
	sign := map[diff.Action]string{diff.Removed: "- ", diff.Added: "+ ", diff.Changed: ""}[f.Action]
	text := Sanitize(fieldText(f))
	if text != "" {
		text = ": " + text
	}
	p.line("      " + p.sign(f.Action, sign+Sanitize(f.Path)+text) + p.at(placed(f)))
	for _, line := range blockLines(f) {
		p.line("          " + p.diffLine(line))
	}
	for _, h := range f.Hunks {
		p.hunk(h)
	}
}

func (p *diffPrinter) hunk(h diff.Hunk) {
	const indent = "          "
	p.line(indent, p.style.paint(blue, fmt.Sprintf("@@ line %d @@", h.NewStart)))
	for _, line := range h.Lines {
		p.line(strings.TrimRight(indent+p.diffLine(line), " "))
	}
	if h.Cut > 0 {
		p.line(fmt.Sprintf("%s… %d more lines", indent, h.Cut))
	}
}

// diffLine paints a line of a unified diff.
func (p *diffPrinter) diffLine(line string) string {
	text := Sanitize(line)
	switch line[:1] {
	case "-":
		return p.sign(diff.Removed, text)
	case "+":
		return p.sign(diff.Added, text)
	case "@":
		return p.style.paint(blue, text)
	}
	return text
}

// names joins target names, all of them up to maxDiffTargets.
func (p *diffPrinter) names(targets []string) string {
	short := make([]string, len(targets))
	for i, t := range targets {
		if short[i] = strings.TrimPrefix(t, p.prefix); short[i] == "" {
			short[i] = t
		}
		short[i] = Sanitize(short[i])
	}
	if len(short) <= maxDiffTargets {
		return strings.Join(short, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(short[:maxDiffTargets-1], ", "), len(short)-maxDiffTargets+1)
}

// maxDiffTargets is how many targets a change names: more than a finding, since
// which environments are touched is the question.
const maxDiffTargets = 20

func (p *diffPrinter) followers(r *diff.Result) {
	list := followers(r)
	if len(list) == 0 {
		return
	}
	p.line(p.style.paint(bold, "references follow the new names of generated objects:"))
	for _, c := range list {
		p.line("    " + Sanitize(c.Object.String()) + "  in " + p.names(targetsOf(c)))
	}
	p.line()
}

// targets lists the targets that need a word of their own.
func (p *diffPrinter) targets(r *diff.Result) {
	n := 0
	for _, t := range r.Targets {
		text := targetText(t)
		if text == "" {
			continue
		}
		n++
		p.line(p.style.paint(bold, "target ") + Sanitize(t.Path) + ": " + Sanitize(text))
	}
	if n > 0 {
		p.line()
	}
}

// targetText says what is special about a target, "" for nothing.
func targetText(t diff.Target) string {
	switch t.Status {
	case diff.TargetAdded:
		return "new, " + number(t.Added, "object")
	case diff.TargetRemoved:
		return "removed, with " + number(t.Removed, "object")
	case diff.TargetUnknown:
		return t.Reason
	case diff.TargetMoved:
		if t.Added+t.Removed+t.Changed == 0 {
			return "moved from " + t.From + ", and renders the same"
		}
		return "moved from " + t.From + ", with changes"
	}
	var parts []string
	for _, m := range t.Mapped {
		parts = append(parts, fmt.Sprintf("%s %s instead of %s", m.What, quoted(m.New), quoted(m.Old)))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " throughout: left out"
}

func quoted(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
