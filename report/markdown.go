package report

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Marker is the first line of the Markdown report. Whoever posts the report as a
// comment finds the comment of an earlier run by it and edits that one.
const Marker = "<!-- sallyport -->"

const (
	// openErrors is how many errors stand in the open; more are folded, so that
	// the comment does not bury the conversation.
	openErrors = 10

	// What is shown of one text, in characters, so that no single finding
	// crowds out the others.
	maxPlace   = 200
	maxName    = 100
	maxMessage = 300
	maxHelp    = 500
	// maxLink is the longest link in bytes; a longer one is left out.
	maxLink = 1_000
	// summaryRoom is kept from the warnings for the sections after them.
	summaryRoom = 8_000
)

// markdown writes the comment on a merge request.
type markdown struct {
	comment
	link string // where files can be read, "" for nowhere
}

// writeMarkdown writes one comment for GitHub and GitLab that always fits:
// errors first, then warnings by rule, what was not checked, targets and waived
// findings. Details are left out before findings, and nothing is kept at the
// cost of an error.
func writeMarkdown(w *bufio.Writer, r *finding.Report, opts Options) error {
	m := &markdown{link: linkBase(opts.LinkBase)}
	m.head(r, opts)
	m.errors(r)
	m.warnings(r)
	m.notChecked(r)
	m.targets(r)
	m.waived(r)
	m.note()
	_, err := w.WriteString(m.String())
	return err
}

func (m *markdown) head(r *finding.Report, opts Options) {
	s := r.Summary
	mark := (&printer{opts: opts}).mark(s.Errors, s.Warnings)
	if s.Targets == 0 && s.Errors == 0 {
		mark = markWarn // nothing checked is never good
	}
	fmt.Fprintf(m, "%s\n### %s sallyport: %s\n\n", Marker, mark, verdict(r))
	fmt.Fprintf(m, "Checked %s, %s", looked(r), number(s.Objects, "object"))
	if rev := r.Snapshot.Revision; rev != "" {
		what := map[string]string{"index": "the index on", "worktree": "the work tree on"}[r.Snapshot.Kind]
		fmt.Fprintf(m, " of %s", strings.TrimSpace(what+" "+code(shortCommit(rev))))
	}
	m.WriteString(".\n\n")
}

// errors are in full as long as all warnings fit too; else those that are folded
// go without details.
func (m *markdown) errors(r *finding.Report) {
	errors := ofRank(r, rankError)
	n := min(len(errors), openErrors)
	entries := m.entries(errors)
	if size(entries)+size(m.brief(ofRank(r, rankWarning))) > m.room()-summaryRoom {
		entries = append(entries[:n:n], m.brief(errors[n:])...)
	}
	m.put(section{noun: "error", entries: entries[:n], tail: "\n"})
	m.put(folded("error", number(len(entries)-n, "more error"), entries[n:]))
}

// warnings are folded by rule, since most rules find the same thing many times.
// They leave some room to say what was not checked and how the targets fared,
// unless there was none for all errors.
func (m *markdown) warnings(r *finding.Report) {
	warnings := ofRank(r, rankWarning)
	slices.SortStableFunc(warnings, func(a, b finding.Finding) int { return cmp.Compare(a.Rule, b.Rule) })
	cut := m.full
	m.reserved = summaryRoom
	entries := m.entries(warnings)
	for from := 0; from < len(entries); {
		rule, to := warnings[from].Rule, from+1
		for to < len(entries) && warnings[to].Rule == rule {
			to++
		}
		title := fmt.Sprintf("%s: <code>%s</code>", number(to-from, "warning"), codeHTML(clip(rule, maxName)))
		m.put(folded("warning", title, entries[from:to]))
		from = to
	}
	m.reserved, m.full = 0, cut
}

func (m *markdown) notChecked(r *finding.Report) {
	var entries []string
	why := reasons(r.NotChecked)
	for _, w := range why[:min(len(why), maxReasons)] {
		entries = append(entries, fmt.Sprintf("- %s: %s: %s\n", w.count(), prose(clip(w.check, maxName)), prose(clip(w.text, maxMessage))))
	}
	if rest := len(why) - maxReasons; rest > 0 {
		entries = append(entries, fmt.Sprintf("- and %d more %s\n", rest, plural(rest, "reason")))
	}
	m.put(folded("not-checked reason", sum(why)+" not checked", entries))
}

// targets is a table, those that need a person first.
func (m *markdown) targets(r *finding.Report) {
	order := []finding.Status{finding.NotRendered, finding.Failed, finding.Skipped, finding.Passed}
	list := slices.Clone(r.Targets)
	slices.SortStableFunc(list, func(a, b finding.Target) int {
		return cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status))
	})
	var rows []string
	for _, t := range list {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %d | %s |\n", code(tableText(clip(t.Path, maxPlace))),
			prose(tableText(clip(t.Kind, maxName))), prose(tableText(clip(string(t.Status), maxName))), t.Objects, prose(tableText(clip(t.Reason, maxMessage)))))
	}
	table := folded("target", number(len(rows), "target"), rows)
	table.head += "| target | kind | status | objects | reason |\n| --- | --- | --- | ---: | --- |\n"
	m.put(table)
}

func (m *markdown) waived(r *finding.Report) {
	var entries []string
	for _, f := range ofRank(r, rankWaived) {
		entries = append(entries, m.line(f)+"\\\n  "+prose(clip(waived(*f.Waiver), maxMessage))+"\n")
	}
	m.put(folded("waived finding", number(len(entries), "waived finding"), entries))
}

// folded is a section that opens on a click. The title is HTML.
func folded(noun, title string, entries []string) section {
	return section{noun: noun, head: "<details>\n<summary>" + title + "</summary>\n\n", entries: entries, tail: "\n</details>\n\n"}
}

// ofRank returns the findings of one rank.
func ofRank(r *finding.Report, n int) []finding.Finding {
	var out []finding.Finding
	for _, f := range r.Findings {
		if rank(f) == n {
			out = append(out, f)
		}
	}
	return out
}
