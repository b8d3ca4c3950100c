package report

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// entries writes findings with their details, or without where that would not
// fit.
func (m *markdown) entries(findings []finding.Finding) []string {
	full := make([]string, len(findings))
	for i, f := range findings {
		full[i] = m.line(f) + m.details(f) + "\n"
	}
	if size(full) > m.room()-noteRoom { // some room for headings
		return m.brief(findings)
	}
	return full
}

// brief writes findings without their details.
func (m *markdown) brief(findings []finding.Finding) []string {
	out := make([]string, len(findings))
	for i, f := range findings {
		out[i] = m.line(f) + "\n"
	}
	return out
}

func size(entries []string) int {
	n := 0
	for _, e := range entries {
		n += len(e)
	}
	return n
}

// line is where, what and which rule.
func (m *markdown) line(f finding.Finding) string {
	title := cmp.Or(prose(clip(f.Message, maxMessage)), prose(clip(f.Rule, maxName)), "finding")
	return fmt.Sprintf("- %s **%s** %s", m.place(f), title, code(clip(f.Rule, maxName)))
}

// details are further lines of the same entry. Each begins with a word of ours,
// so that none can begin a block of its own.
func (m *markdown) details(f finding.Finding) string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			b.WriteString("\\\n  " + label + " " + text)
		}
	}
	line("No place:", prose(clip(f.Unplaced, maxMessage)))
	if f.Object != nil {
		line("Object:", code(clip(f.Object.String(), maxPlace)))
	}
	line("In:", markdownTargets(f.Targets))
	if f.Commit != "" {
		line("Commit:", code(shortCommit(f.Commit)))
	}
	line("Help:", prose(clip(f.Help, maxHelp)))
	return b.String()
}

func markdownTargets(targets []string) string {
	shown, more := targets, ""
	if len(targets) > maxTargets {
		shown = targets[:maxTargets-1]
		more = fmt.Sprintf(" and %d more", len(targets)-len(shown))
	}
	names := make([]string, len(shown))
	for i, t := range shown {
		names[i] = code(clip(t, maxPlace))
	}
	return strings.Join(names, ", ") + more
}

// place is file:line, linked where files of the snapshot can be read.
func (m *markdown) place(f finding.Finding) string {
	at, text := f.Location, place(f)
	if at.Start.Line > 0 {
		text = fmt.Sprintf("%s:%d", at.File, at.Start.Line)
	}
	shown := code(clip(text, maxPlace))
	address := m.link + "/" + percent(at.File)
	if m.link == "" || at.File == "" || f.Commit != "" || len(address) > maxLink {
		return shown
	}
	if at.Start.Line > 0 {
		address += fmt.Sprintf("#L%d", at.Start.Line)
	}
	return "[" + shown + "](" + address + ")"
}

// linkBase returns base if it is a plain web address, else "": a link that could
// lead elsewhere is worse than none.
func linkBase(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !regexp.MustCompile(`^[A-Za-z0-9.:-]+$`).MatchString(u.Host) {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/" + percent(strings.Trim(u.Path, "/"))
}
