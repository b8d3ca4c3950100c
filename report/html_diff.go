package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/diff"
)

const (
	// maxHTMLChanges is how many objects a diff draws, what is removed first.
	maxHTMLChanges = 1_000
	// maxHTMLFields is how many fields of one object.
	maxHTMLFields = 100
	// maxHTMLYAML is how many lines of rendered YAML all objects have together;
	// those after it have their fields only.
	maxHTMLYAML = 20_000
)

// htmlDiff is a drawn diff.
type htmlDiff struct {
	Alone   bool // title and verdict head the page
	Title   string
	Verdict string
	Mark    string
	Level   string
	Targets []htmlDiffTarget
	Groups  []htmlChangeGroup
	Follow  []htmlFollower
	LeftOut int
	Noise   string
}

// htmlDiffTarget is a row of the table of targets.
type htmlDiffTarget struct {
	Path, Text              string
	Link                    template.URL
	Removed, Changed, Added int
}

type htmlChangeGroup struct {
	Title   string
	Count   int
	Open    bool
	Changes []htmlChange
}

// htmlChange is what happens to one object.
type htmlChange struct {
	Sign, Word, Level string
	Object            string
	Targets           htmlTargets
	Place             htmlPlace
	Remarks           []htmlRemark
	Fields            []htmlField
	MoreFields        int
	YAML              []htmlDiffLine
}

type htmlRemark struct {
	Text string
	Loss bool
}

// htmlField is one field: Old and New where one line says them, else Text or
// Lines.
type htmlField struct {
	Sign, Word string
	Path       string
	Place      htmlPlace
	Old, New   string
	Text       string
	Lines      []htmlDiffLine
}

type htmlDiffLine struct{ Class, Text string }

type htmlFollower struct {
	Object  string
	Targets htmlTargets
}

// diff draws a diff: what a prune deletes first.
func (h *htmlWriter) diff(r *diff.Result) *htmlDiff {
	d := &htmlDiff{Title: diffTitle(r), Verdict: diffVerdict(r), Mark: (&diffPrinter{}).mark(r), Noise: noiseNote(r)}
	d.Level = levelOfMark(d.Mark)
	for _, t := range r.Targets {
		if t.Status == diff.TargetEqual {
			continue
		}
		d.Targets = append(d.Targets, htmlDiffTarget{
			Path: Sanitize(t.Path), Text: clip(targetText(t), maxHTMLText), Link: query("target", Sanitize(t.Path)),
			Removed: t.Removed, Changed: t.Changed, Added: t.Added,
		})
	}
	drawn, lines := 0, 0
	for _, g := range groups(r) {
		group := htmlChangeGroup{Title: g.title, Count: len(g.changes), Open: len(r.Changes) <= openHTMLFindings}
		for _, c := range g.changes {
			if drawn == maxHTMLChanges {
				d.LeftOut++
				continue
			}
			drawn++
			change := h.change(g.sign, c)
			if lines += strings.Count(c.Unified, "\n"); lines <= maxHTMLYAML {
				change.YAML = unifiedLines(c.Unified)
			}
			group.Changes = append(group.Changes, change)
		}
		if len(group.Changes) > 0 {
			d.Groups = append(d.Groups, group)
		}
	}
	for _, c := range followers(r) {
		if drawn == maxHTMLChanges {
			d.LeftOut++
			continue
		}
		drawn++
		d.Follow = append(d.Follow, htmlFollower{strings.TrimSpace(c.Object.String()), h.targets(targetsOf(c))})
	}
	return d
}

// change draws what happens to one object.
func (h *htmlWriter) change(sign string, c diff.Change) htmlChange {
	out := htmlChange{
		Sign: sign, Word: string(c.Action), Level: actionClass(c.Action), Object: strings.TrimSpace(c.Object.String()),
		Targets: h.targets(targetsOf(c)), MoreFields: max(len(c.Fields)-maxHTMLFields, 0),
	}
	if c.Loss != "" && c.Kept == "" {
		out.Sign = markWarn
	}
	if c.Action != diff.Changed && !c.Location.IsZero() {
		out.Place = h.place(c.Location, lost(c.Action))
	}
	for _, remark := range remarks(c) {
		out.Remarks = append(out.Remarks, htmlRemark{clip(remark, maxHTMLText), strings.HasPrefix(remark, "data loss:")})
	}
	for _, f := range c.Fields[:len(c.Fields)-out.MoreFields] {
		out.Fields = append(out.Fields, h.field(f))
	}
	return out
}

// lost names a commit other than the snapshot for what is there no more, so that
// its place gets no link into the snapshot.
func lost(a diff.Action) string {
	if a == diff.Removed {
		return "before"
	}
	return ""
}

// field draws one field.
func (h *htmlWriter) field(f diff.Field) htmlField {
	out := htmlField{
		Sign: map[diff.Action]string{diff.Removed: "-", diff.Added: "+", diff.Changed: "~"}[f.Action],
		Word: string(f.Action), Path: clip(f.Path, maxHTMLText),
	}
	if at := placed(f); !at.IsZero() {
		commit := ""
		if f.Location.IsZero() {
			commit = lost(diff.Removed)
		}
		out.Place = h.place(at, commit)
	}
	for _, line := range blockLines(f) {
		out.Lines = append(out.Lines, diffLine(line))
	}
	for _, hunk := range f.Hunks {
		out.Lines = append(out.Lines, htmlDiffLine{"at", fmt.Sprintf("@@ line %d @@", hunk.NewStart)})
		for _, line := range hunk.Lines {
			out.Lines = append(out.Lines, diffLine(line))
		}
		if hunk.Cut > 0 {
			out.Lines = append(out.Lines, htmlDiffLine{"at", fmt.Sprintf("… %d more lines", hunk.Cut)})
		}
	}
	switch {
	case len(out.Lines) > 0:
	case f.Sealed || f.Order:
		out.Text = fieldText(f)
	default:
		if f.Action != diff.Added {
			out.Old = inline(f.Old)
		}
		if f.Action != diff.Removed {
			out.New = inline(f.New)
		}
	}
	return out
}

// unifiedLines draws a unified diff of YAML.
func unifiedLines(unified string) []htmlDiffLine {
	var out []htmlDiffLine
	for line := range strings.Lines(unified) {
		out = append(out, diffLine(strings.TrimSuffix(line, "\n")))
	}
	return out
}

func diffLine(line string) htmlDiffLine {
	class := ""
	if i := slices.Index([]string{"+", "-", "@"}, line[:min(len(line), 1)]); i >= 0 {
		class = []string{"new", "old", "at"}[i]
	}
	return htmlDiffLine{class, Sanitize(clip(strings.ReplaceAll(line, "\t", "    "), maxHTMLText))}
}

func actionClass(a diff.Action) string {
	return map[diff.Action]string{diff.Removed: "old", diff.Added: "new"}[a]
}
