package report

import (
	"bufio"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/diff"
)

// DiffMarker is the first line of the Markdown diff, by which whoever posts it
// finds the comment of an earlier run.
const DiffMarker = "<!-- sallyport diff -->"

const (
	// maxFields is how many fields of one object a comment lists.
	maxFields = 40
	// foldFields is how many may stand in the open.
	foldFields = 12
)

// diffMarkdown writes one comment with a diff.
type diffMarkdown struct {
	markdown
	r *diff.Result
}

// writeDiffMarkdown writes one comment that always fits: what a prune deletes
// stands in the open, then the changes folded by target, those of many targets
// once. Full diffs are dropped before lists of fields, and those before the
// objects.
func writeDiffMarkdown(w *bufio.Writer, r *diff.Result, opts DiffOptions) error {
	m := &diffMarkdown{markdown: markdown{link: linkBase(opts.LinkBase)}, r: r}
	mark := markGood
	switch {
	case r.Summary.Loss > 0:
		mark = "⚠️"
	case r.Differs():
		mark = "~"
	}
	fmt.Fprintf(m, "%s\n### %s sallyport diff: %s\n\n", DiffMarker, mark, prose(diffVerdict(r)))
	fmt.Fprintf(m, "%s.\n\n", prose(clip(diffTitle(r), maxMessage)))
	m.losses()
	m.special()
	m.byTargets()
	m.followers()
	if note := noiseNote(r); note != "" && m.room() > len(note) {
		m.WriteString(prose(note) + ".\n\n")
	}
	m.note()
	_, err := w.WriteString(m.String())
	return err
}

// losses lists what a prune deletes, in the open.
func (m *diffMarkdown) losses() {
	var entries []string
	for _, c := range m.r.Changes {
		if c.Action == diff.Removed {
			entries = append(entries, m.brief(c))
		}
	}
	head := "**A prune deletes:**\n\n"
	if m.r.Between() {
		head = code(clip(m.r.To.Target, maxPlace)) + " **lacks:**\n\n"
	}
	m.put(section{noun: "removed object", head: head, entries: entries, tail: "\n"})
}

// special lists the targets that need a word of their own.
func (m *diffMarkdown) special() {
	var entries []string
	for _, t := range m.r.Targets {
		if text := targetText(t); text != "" {
			entries = append(entries, fmt.Sprintf("- %s: %s\n", code(clip(t.Path, maxPlace)), prose(clip(text, maxMessage))))
		}
	}
	m.put(section{noun: "target", head: "**Targets:**\n\n", entries: entries, tail: "\n"})
}

// byTargets folds the changes by the set of targets in which they are the same.
func (m *diffMarkdown) byTargets() {
	var order []string
	byKey := map[string][]diff.Change{}
	for _, c := range m.r.Changes {
		if c.Action == diff.Removed || onlyFollows(c) {
			continue
		}
		key := strings.Join(targetsOf(c), "\x00")
		if byKey[key] == nil {
			order = append(order, key)
		}
		byKey[key] = append(byKey[key], c)
	}
	slices.SortStableFunc(order, func(a, b string) int { return strings.Count(b, "\x00") - strings.Count(a, "\x00") })
	for _, key := range order {
		changes := byKey[key]
		full, brief, size := []string{}, []string{}, 0
		for _, c := range changes {
			full, brief = append(full, m.entry(c)), append(brief, m.brief(c))
			size += len(full[len(full)-1])
		}
		if size > m.room()-noteRoom {
			full = brief
		}
		m.put(folded("object", m.heading(targetsOf(changes[0]), changes), full))
	}
}

// heading names the targets of a fold, as HTML.
func (m *diffMarkdown) heading(targets []string, changes []diff.Change) string {
	shown, more := targets, ""
	if len(targets) > maxTargets {
		shown = targets[:maxTargets-1]
		more = fmt.Sprintf(" and %d more targets", len(targets)-len(shown))
	}
	names := make([]string, len(shown))
	for i, t := range shown {
		names[i] = "<code>" + html.EscapeString(clip(Sanitize(t), maxName)) + "</code>"
	}
	return strings.Join(names, ", ") + more + ": " + number(len(changes), "object")
}

// brief is one line about an object.
func (m *diffMarkdown) brief(c diff.Change) string {
	sign := map[diff.Action]string{diff.Removed: "➖", diff.Added: "➕", diff.Changed: "✏️"}[c.Action]
	if c.Loss != "" && c.Kept == "" {
		sign = "⚠️"
	}
	line := fmt.Sprintf("- %s %s", sign, code(clip(c.Object.String(), maxPlace)))
	if c.Action == diff.Removed && !m.r.Between() {
		line += " in " + markdownTargets(targetsOf(c))
	}
	for _, remark := range remarks(c) {
		line += "\\\n  " + prose(clip(remark, maxMessage))
	}
	return line + "\n"
}

// entry is an object with its fields.
func (m *diffMarkdown) entry(c diff.Change) string {
	var b strings.Builder
	b.WriteString(m.brief(c))
	lines := m.fieldLines(c)
	if len(lines) == 0 {
		return b.String()
	}
	if len(lines) > foldFields {
		b.WriteString("\n  <details><summary>" + number(len(c.Fields), "field") + "</summary>\n")
	}
	fence := strings.Repeat("`", max(3, longestRun(strings.Join(lines, "\n"), '`')+1))
	b.WriteString("\n  " + fence + "diff\n")
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("  " + fence + "\n")
	if len(lines) > foldFields {
		b.WriteString("  </details>\n")
	}
	b.WriteString("\n")
	return b.String()
}

// fieldLines writes the fields for a code block, in which nothing is markup.
func (m *diffMarkdown) fieldLines(c diff.Change) []string {
	var out []string
	for i, f := range c.Fields {
		if i == maxFields {
			out = append(out, fmt.Sprintf("# … %d more fields", len(c.Fields)-i))
			break
		}
		place := ""
		if at := placed(f); !at.IsZero() {
			place = "  # " + at.String()
		}
		path := clip(Sanitize(f.Path), maxPlace)
		text := fieldText(f)
		if text != "" {
			text = ": " + text
		}
		switch {
		case f.Action == diff.Changed && !f.Sealed && len(f.Hunks) == 0 && !f.Order:
			out = append(out, "- "+path+": "+inline(f.Old), "+ "+path+": "+inline(f.New)+place)
		case f.Action == diff.Changed:
			out = append(out, "! "+path+text+place)
		case f.Action == diff.Removed:
			out = append(out, "- "+path+text+place)
		default:
			out = append(out, "+ "+path+text+place)
		}
		out = append(out, blockLines(f)...)
		for _, h := range f.Hunks {
			out = append(out, fmt.Sprintf("@@ line %d @@", h.NewStart))
			out = append(out, h.Lines...)
			if h.Cut > 0 {
				out = append(out, fmt.Sprintf("# … %d more lines", h.Cut))
			}
		}
	}
	for i, line := range out {
		out[i] = Sanitize(line)
	}
	return out
}

func (m *diffMarkdown) followers() {
	var entries []string
	for _, c := range followers(m.r) {
		entries = append(entries, fmt.Sprintf("- %s in %s\n", code(clip(c.Object.String(), maxPlace)), markdownTargets(targetsOf(c))))
	}
	m.put(folded("object", "references follow the new names of generated objects", entries))
}
