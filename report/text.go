package report

import (
	"bufio"
	"fmt"

	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

const (
	// maxTargets is how many targets a finding names before "and N more".
	maxTargets = 3
	// maxRelated is how many related places are drawn; with more layers than
	// this the reader needs the files, not a longer report.
	maxRelated = 3
)

// writeText writes for a person: a block for each finding, in the report's
// order, then a line for each check and the verdict, so that the end of a long
// report says how it went.
func writeText(w *bufio.Writer, r *finding.Report, opts Options) error {
	p := &printer{w: w, opts: opts, style: style{opts.Color}, prefix: commonDir(r.Targets)}
	for _, f := range open(r) {
		p.finding(f)
	}
	p.checks(r)
	p.verdict(r)
	return nil
}

// printer writes text blocks. Errors stick to the bufio.Writer and come out of
// its Flush.
type printer struct {
	w      *bufio.Writer
	opts   Options
	style  style
	prefix string // of all target paths; left out where targets are named
}

func (p *printer) line(parts ...string) {
	for _, s := range parts {
		p.w.WriteString(s)
	}
	p.w.WriteByte('\n')
}

// finding writes one block and the blank line after it.
func (p *printer) finding(f finding.Finding) {
	related := f.Related[:min(len(f.Related), maxRelated)]
	g := gutter(f.Location, related)
	p.line(p.style.severity(f.Severity, f.Severity.String()), p.style.paint(bold, ": "+Sanitize(f.Message)), " [", Sanitize(f.Rule), "]")
	p.place(g, f)
	var unseen []finding.Related
	for _, rel := range related {
		if !p.related(g, rel) {
			unseen = append(unseen, rel)
		}
	}
	for _, rel := range unseen {
		p.note(g, "note", strings.TrimPrefix(rel.Location.String()+": "+rel.Message, ": "))
	}
	if n := len(f.Related) - len(related); n > 0 {
		p.note(g, "also", fmt.Sprintf("%d more related %s", n, plural(n, "place")))
	}
	p.notes(g, f)
	p.line()
}

// place writes the arrow and the source frame, or why there is none.
func (p *printer) place(g int, f finding.Finding) {
	arrow := strings.Repeat(" ", g+1) + p.style.paint(blue, "-->") + " "
	if f.Location.IsZero() {
		why := f.Unplaced
		if why == "" {
			why = "no place in a file is known"
		}
		p.line(arrow, p.style.paint(bold, Sanitize(unplacedAt(f))), " (", Sanitize(why), ")")
		return
	}
	p.line(arrow, p.style.paint(bold, Sanitize(f.Location.String())))
	lines := p.source(f.Location)
	if lines == nil || f.Commit != "" {
		return // of another revision the lines are not at hand
	}
	at := f.Location.Start.Line
	p.bar(g, "")
	if at > 1 && strings.TrimSpace(lines[at-2]) != "" {
		before, _ := frame(lines[at-2], 1, 1, " ")
		p.numbered(g, at-1, before)
	}
	shown, underline := frame(lines[at-1], f.Location.Start.Column, endColumn(f.Location), "^")
	p.numbered(g, at, shown)
	p.bar(g, p.style.severity(f.Severity, underline))
}

// related writes a second place, its message as the label of its underline. It
// returns false where that place cannot be shown.
func (p *printer) related(g int, rel finding.Related) bool {
	lines := p.source(rel.Location)
	if lines == nil {
		return false
	}
	at := rel.Location.Start.Line
	p.line(strings.Repeat(" ", g+1), p.style.paint(blue, ":::"), " ", p.style.paint(bold, Sanitize(rel.Location.String())))
	p.bar(g, "")
	shown, underline := frame(lines[at-1], rel.Location.Start.Column, endColumn(rel.Location), "-")
	p.numbered(g, at, shown)
	p.bar(g, p.style.paint(blue, underline+" "+Sanitize(rel.Message)))
	return true
}

// notes writes what the finding is about and the next step.
func (p *printer) notes(g int, f finding.Finding) {
	targets := p.targets(f.Targets)
	switch {
	case f.Object != nil && targets != "":
		p.note(g, "object", f.Object.String()+", in "+targets)
	case f.Object != nil:
		p.note(g, "object", f.Object.String())
	case targets != "" && !f.Location.IsZero():
		p.note(g, "target", targets)
	}
	if f.Help != "" {
		p.note(g, "help", f.Help)
	}
}

// note writes "= label: text", further lines indented under the first.
func (p *printer) note(g int, label, text string) {
	const labelColumns = len("object: ")
	lead := fmt.Sprintf("%-*s", labelColumns, label+":")
	sign := p.style.paint(blue, "=")
	for _, line := range sanitizeLines(text) {
		p.line(strings.TrimRight(strings.Repeat(" ", g+2)+sign+" "+p.style.paint(bold, lead)+line, " "))
		lead, sign = strings.Repeat(" ", labelColumns), " "
	}
}

// bar writes a gutter without a number.
func (p *printer) bar(g int, rest string) {
	bar := strings.Repeat(" ", g+2) + p.style.paint(blue, "|")
	if rest != "" {
		bar += " " + rest
	}
	p.line(bar)
}

func (p *printer) numbered(g, number int, rest string) {
	p.line(strings.TrimRight(p.style.paint(blue, fmt.Sprintf(" %*d |", g, number))+" "+rest, " "))
}

// source returns the lines of the span's file, or nil where its first line
// cannot be shown.
func (p *printer) source(s finding.Span) []string {
	if p.opts.Source == nil || s.Start.Line < 1 {
		return nil
	}
	lines := p.opts.Source(s.File)
	if s.Start.Line > len(lines) {
		return nil
	}
	return lines
}

// endColumn returns the span's end on its first line, 0 for "to its end".
func endColumn(s finding.Span) int {
	if s.End.Line != s.Start.Line {
		return 0
	}
	return s.End.Column
}

// gutter returns the digits of the largest line number shown.
func gutter(at finding.Span, related []finding.Related) int {
	largest := at.Start.Line
	for _, rel := range related {
		largest = max(largest, rel.Location.Start.Line)
	}
	return len(strconv.Itoa(largest))
}
