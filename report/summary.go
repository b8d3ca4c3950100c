package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport/sallyport/finding"
)

// The marks of a check or a run, each beside words that say the same.
const (
	markGood = "✓"
	markWarn = "!"
	markBad  = "✗"
)

// checks writes one line for each check, and under them the reasons for what
// was not checked, where one line has no room for them.
func (p *printer) checks(r *finding.Report) {
	if len(r.Summary.Checks) == 0 {
		return
	}
	why := reasons(r.NotChecked)
	name, count, unit, result := 0, 0, 0, 0
	for _, c := range r.Summary.Checks {
		name, count = max(name, len(c.Name)), max(count, len(fmt.Sprint(c.Count)))
		unit, result = max(unit, len(unitOf(c))), max(result, len(counts(c.Errors, c.Warnings)))
	}
	for _, c := range r.Summary.Checks {
		lead := fmt.Sprintf("%-*s  %*d %-*s  ", name, c.Name, count, c.Count, unit, unitOf(c))
		columns := []string{}
		if n := counts(c.Errors, c.Warnings); n != "" {
			columns = append(columns, fmt.Sprintf("%-*s", result, n))
		}
		if c.Note != "" {
			columns = append(columns, Sanitize(c.Note))
		}
		if n := notCheckedNote(c.Name, why); n != "" {
			columns = append(columns, n)
		}
		p.line(strings.TrimRight(lead+p.mark(c.Errors, c.Warnings)+"  "+strings.Join(columns, "   "), " "))
	}
	p.reasons(why)
	p.line()
}

// unitOf returns the check's unit, singular where it counted one.
func unitOf(c finding.Check) string {
	if c.Count == 1 {
		return strings.TrimSuffix(c.Unit, "s")
	}
	return c.Unit
}

// verdict writes the last line: how it went, how long it took, where to read on.
func (p *printer) verdict(r *finding.Report) {
	s := r.Summary
	mark := p.mark(s.Errors, s.Warnings)
	if s.Targets == 0 && s.Errors == 0 && s.Files == 0 {
		mark = p.style.paint(boldYellow, markWarn) // nothing checked is never good
	}
	line := mark + " " + p.style.paint(bold, verdict(r))
	if p.opts.Elapsed > 0 {
		line += " in " + elapsed(p.opts.Elapsed)
	}
	line += "."
	if rule := worstRule(r); rule != "" {
		line += "  More: sallyport explain " + Sanitize(rule)
	}
	p.line(line)
}

// WriteVerdict writes the verdict as one line of plain words, and one for each
// reason why objects were not checked. It is for standard error, beside a
// machine's format, and the same for equal reports.
func WriteVerdict(w io.Writer, r *finding.Report) error {
	var b strings.Builder
	b.WriteString(verdict(r) + "\n")
	why := reasons(r.NotChecked)
	for _, w := range why[:min(len(why), maxReasons)] {
		fmt.Fprintf(&b, "not checked: %s: %s\n", w.count(), Sanitize(w.text))
	}
	if more := len(why) - maxReasons; more > 0 {
		fmt.Fprintf(&b, "not checked: %s more; -o json lists all\n", number(more, "reason"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict says in words what the counts say.
func verdict(r *finding.Report) string {
	s := r.Summary
	var parts []string
	switch {
	case s.Targets == 0 && s.Errors+s.Warnings == 0 && s.Files > 0:
		parts = append(parts, "no findings in "+number(s.Files, "file"))
	case s.Targets == 0 && s.Errors+s.Warnings == 0:
		parts = append(parts, "no targets, nothing checked")
	case s.Errors+s.Warnings == 0:
		parts = append(parts, fmt.Sprintf("no findings in %s, %s", looked(r), number(s.Objects, "object")))
	default:
		parts = append(parts, counts(s.Errors, s.Warnings))
	}
	if s.Waived > 0 {
		parts = append(parts, fmt.Sprintf("%d waived", s.Waived))
	}
	if s.NotChecked > 0 {
		parts = append(parts, sum(reasons(r.NotChecked))+" not checked")
	}
	if len(s.NotRun) > 0 {
		parts = append(parts, "not run: "+strings.Join(s.NotRun, " "))
	}
	return strings.Join(parts, ", ")
}

// looked says how many targets were looked at, and of how many where a change
// leaves some of them alone.
func looked(r *finding.Report) string {
	checked := 0
	for _, t := range r.Targets {
		if t.Status != finding.Skipped {
			checked++
		}
	}
	if checked == len(r.Targets) {
		return number(r.Summary.Targets, "target")
	}
	return fmt.Sprintf("%d of %s", checked, number(r.Summary.Targets, "target"))
}

// mark says whether the counts fail the run, warn, or are good.
func (p *printer) mark(errors, warnings int) string {
	switch {
	case errors > 0, warnings > 0 && p.opts.FailOn == finding.Warning:
		return p.style.paint(boldRed, markBad)
	case warnings > 0:
		return p.style.paint(boldYellow, markWarn)
	}
	return p.style.paint(boldGreen, markGood)
}

// worstRule returns the rule of the first error, else of the first warning.
func worstRule(r *finding.Report) string {
	list := open(r)
	for _, f := range list {
		if f.Severity == finding.Error {
			return f.Rule
		}
	}
	if len(list) > 0 {
		return list[0].Rule
	}
	return ""
}

// counts returns "2 errors, 1 warning", leaving out what is zero.
func counts(errors, warnings int) string {
	var parts []string
	if errors > 0 {
		parts = append(parts, number(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, number(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

func number(n int, noun string) string { return fmt.Sprintf("%d %s", n, plural(n, noun)) }

// elapsed rounds to what a person reads: 40ms, 0.9s, 12.3s.
func elapsed(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%dms", max(d.Milliseconds(), 1))
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
