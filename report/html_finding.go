package report

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// htmlGroup holds the findings of one rule, and what the rule means.
type htmlGroup struct {
	Rule     string
	Title    string
	Mark     string
	Level    string
	Counts   string
	Open     bool
	Explain  *htmlExplain
	Findings []htmlFinding
}

// htmlExplain is a rule's documentation.
type htmlExplain struct {
	Doc       []htmlProse // paragraphs
	Fix       htmlProse
	Bad, Good []htmlFile
}

type htmlFile struct{ Name, Text string }

// htmlProse is text of which some parts are code.
type htmlProse []htmlWords

type htmlWords struct {
	Text string
	Code bool
}

// htmlFinding is one card.
type htmlFinding struct {
	ID          string
	Rule        string
	Severity    string // error, warning
	Mark        string
	Level       string
	State       string // error, warning or waived: what the filter asks for
	Message     string
	Place       htmlPlace
	Unplaced    string
	Frame       []htmlLine
	Related     []htmlRelated
	MoreRelated int
	Object      string
	Pointer     string
	Targets     htmlTargets
	Commit      string
	Help        []string
	Fingerprint string
	Waiver      *finding.Waiver
}

// htmlTargets names targets: the first of them, and the numbers of all.
type htmlTargets struct {
	Names   []string
	More    int
	Numbers string // "0-3 7", positions in htmlFilter.Targets
}

type htmlRelated struct {
	Message string
	Place   htmlPlace
	Frame   []htmlLine
}

// htmlPlace is file:line:column, with a link where the file can be read.
type htmlPlace struct{ Text, Link string }

// htmlLine is one line of a source frame; Marked is the part that is meant.
type htmlLine struct {
	Number                int
	Before, Marked, After string
	Meant                 bool
}

// findings groups the open findings by rule, errors first.
func (h *htmlWriter) findings(page *htmlPage, r *finding.Report) {
	list := ranked(r.Findings)
	prints := fingerprints(list)
	page.LeftOut = max(len(list)-maxHTMLFindings, 0)
	at := map[string]int{}
	perGroup := [][]finding.Finding{}
	for i, f := range list[:len(list)-page.LeftOut] {
		card := h.card(f, prints[i])
		if f.Waiver != nil {
			page.Waived = append(page.Waived, card)
			continue
		}
		key := f.Severity.String() + f.Rule
		if _, ok := at[key]; !ok {
			at[key] = len(page.Groups)
			page.Groups = append(page.Groups, h.group(card))
			perGroup = append(perGroup, nil)
		}
		g := at[key]
		page.Groups[g].Findings = append(page.Groups[g].Findings, card)
		perGroup[g] = append(perGroup[g], f)
	}
	for i := range page.Groups {
		page.Groups[i].Counts = number(len(perGroup[i]), page.Groups[i].Findings[0].Severity)
		page.Groups[i].Open = len(list) <= openHTMLFindings
	}
}

// group begins the group of a finding's rule.
func (h *htmlWriter) group(first htmlFinding) htmlGroup {
	g := htmlGroup{Rule: first.Rule, Mark: first.Mark, Level: first.Level}
	for _, rule := range h.opts.Rules {
		if Sanitize(rule.Name) == first.Rule {
			g.Title, g.Explain = rule.Title, explain(rule)
		}
	}
	return g
}

// explain is what `sallyport explain RULE` says.
func explain(rule finding.Rule) *htmlExplain {
	e := &htmlExplain{Fix: htmlCode(rule.Fix), Bad: exampleFiles(rule.Bad), Good: exampleFiles(rule.Good)}
	for _, paragraph := range strings.Split(strings.ReplaceAll(rule.Doc, "\r\n", "\n"), "\n\n") {
		if strings.TrimSpace(paragraph) != "" {
			e.Doc = append(e.Doc, htmlCode(paragraph))
		}
	}
	return e
}

func exampleFiles(e finding.Example) []htmlFile {
	var out []htmlFile
	for _, name := range slices.Sorted(maps.Keys(e)) {
		out = append(out, htmlFile{name, clip(strings.Trim(e[name], "\n"), maxHTMLText)})
	}
	return out
}

// htmlCode splits Markdown's code spans from a text.
func htmlCode(s string) htmlProse {
	var out htmlProse
	parts := strings.Split(clip(s, maxHTMLText), "`")
	for i, part := range parts {
		code := i%2 == 1 && i < len(parts)-1
		if i%2 == 1 && !code {
			part = "`" + part // a backtick without its fellow
		}
		if part != "" {
			out = append(out, htmlWords{part, code})
		}
	}
	return out
}

// card makes the card of one finding.
func (h *htmlWriter) card(f finding.Finding, fingerprint string) htmlFinding {
	c := htmlFinding{
		ID: "f-" + fingerprint, Fingerprint: fingerprint, Rule: Sanitize(f.Rule), Severity: levelOf(f.Severity), Mark: markBad, Level: "bad",
		Message: clip(cmp.Or(f.Message, f.Rule, "finding"), maxHTMLText), Pointer: clip(f.Pointer, maxHTMLText),
		Unplaced: clip(f.Unplaced, maxHTMLText), Targets: h.targets(f.Targets), Waiver: f.Waiver,
	}
	c.State = c.Severity
	if f.Severity != finding.Error {
		c.Mark, c.Level = markWarn, "warn"
	}
	if f.Waiver != nil {
		c.State = "waived"
	}
	if f.Object != nil {
		c.Object = strings.TrimSpace(f.Object.String())
	}
	if f.Help != "" {
		c.Help = sanitizeLines(clip(f.Help, maxHTMLText))
	}
	if f.Commit != "" {
		c.Commit = shortCommit(f.Commit)
	}
	h.places(&c, f)
	return c
}

// places sets where the finding is, and what else belongs to it.
func (h *htmlWriter) places(c *htmlFinding, f finding.Finding) {
	if f.Location.IsZero() {
		c.Place.Text = unplacedAt(f)
		c.Unplaced = cmp.Or(c.Unplaced, "no place in a file is known")
	} else {
		c.Place = h.place(f.Location, f.Commit)
		if f.Commit == "" { // of another revision the lines are not at hand
			c.Frame = h.frame(f.Location)
		}
	}
	for _, rel := range f.Related[:min(len(f.Related), maxRelated)] {
		c.Related = append(c.Related, htmlRelated{Message: clip(rel.Message, maxHTMLText), Place: h.place(rel.Location, ""), Frame: h.frame(rel.Location)})
	}
	c.MoreRelated = max(len(f.Related)-maxRelated, 0)
}

// place links a span of the snapshot; of another commit the link would be wrong.
func (h *htmlWriter) place(at finding.Span, commit string) htmlPlace {
	p := htmlPlace{Text: clip(at.String(), maxHTMLText)}
	address := h.link + "/" + percent(at.File)
	if h.link == "" || at.File == "" || commit != "" || len(address) > maxLink {
		return p
	}
	if at.Start.Line > 0 {
		address += fmt.Sprintf("#L%d", at.Start.Line)
	}
	p.Link = address
	return p
}

// frame shows the masked line of a span and its neighbours.
func (h *htmlWriter) frame(at finding.Span) []htmlLine {
	lines := (&printer{opts: h.opts}).source(at)
	if lines == nil {
		return nil
	}
	var out []htmlLine
	const around = 2
	for n := max(at.Start.Line-around, 1); n <= min(at.Start.Line+around, len(lines)); n++ {
		line := htmlLine{Number: n}
		if n == at.Start.Line {
			line.Meant = true
			line.Before, line.Marked, line.After = marked(lines[n-1], at.Start.Column, endColumn(at))
		} else {
			line.Before, _ = frame(lines[n-1], 1, 1, " ")
		}
		out = append(out, line)
	}
	return out
}

// marked splits a line at the span from start to end, as [frame] underlines it.
func marked(line string, start, end int) (before, mid, after string) {
	cs := cells(line)
	from, to := clamp(cs, start, end)
	first, last := window(cs, from, to)
	to = max(min(to, last), from)
	if to == from && to < last {
		to++ // a place between two characters is drawn on the one after it
	}
	if before = text(cs[first:from]); first > 0 {
		before = ellipsis + before
	}
	if mid = text(cs[from:to]); mid == "" {
		mid = " " // behind the end of the line
	}
	if after = strings.TrimRight(text(cs[to:last]), " "); last < len(cs) {
		after += ellipsis
	}
	return before, mid, after
}

// targets names the first targets and numbers all.
func (h *htmlWriter) targets(paths []string) htmlTargets {
	t := htmlTargets{More: max(len(paths)-maxHTMLTargets, 0), Numbers: h.numbers(paths)}
	for _, p := range paths[:len(paths)-t.More] {
		t.Names = append(t.Names, Sanitize(p))
	}
	return t
}

// numbers writes the numbers of targets as ranges: a base that a thousand
// overlays take in is "0-999".
func (h *htmlWriter) numbers(paths []string) string {
	var all []int
	for _, p := range paths {
		if n, ok := h.number[p]; ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var out []string
	for i := 0; i < len(all); {
		j := i
		for j+1 < len(all) && all[j+1] == all[j]+1 {
			j++
		}
		if i == j {
			out = append(out, fmt.Sprint(all[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", all[i], all[j]))
		}
		i = j + 1
	}
	return strings.Join(out, " ")
}

// query is a state of the filter as a fragment of the page: key=value, both
// percent-encoded, so that it can be nothing but a fragment.
func query(pairs ...string) template.URL {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			parts = append(parts, pairs[i]+"="+percent(pairs[i+1]))
		}
	}
	return template.URL("#" + strings.Join(parts, "&"))
}

// htmlReason is why some objects were not checked.
type htmlReason struct {
	Check, Text, Count string
	Objects            []string
	More               int
}

const (
	// maxHTMLReasons and maxHTMLObjects bound what was not checked; a
	// repository of one kind without a schema has one reason and a thousand
	// objects.
	maxHTMLReasons = 100
	maxHTMLObjects = 100
)

// notChecked lists the reasons and the objects of each.
func (h *htmlWriter) notChecked(page *htmlPage, r *finding.Report) {
	why := reasons(r.NotChecked)
	page.MoreWhy = max(len(why)-maxHTMLReasons, 0)
	at := map[[2]string]*htmlReason{}
	for _, w := range why[:len(why)-page.MoreWhy] {
		at[[2]string{w.check, w.text}] = &htmlReason{Check: w.check, Text: clip(w.text, maxHTMLText), Count: number(w.objects, "object")}
	}
	for _, n := range r.NotChecked {
		reason := at[[2]string{n.Check, n.Reason}]
		switch {
		case reason == nil:
		case len(reason.Objects) == maxHTMLObjects:
			reason.More++
		default:
			name := strings.TrimSpace(n.Object.String())
			if n.Target != "" {
				name = strings.TrimPrefix(name+" in "+n.Target, " ")
			}
			reason.Objects = append(reason.Objects, name)
		}
	}
	for _, w := range why[:len(why)-page.MoreWhy] {
		page.NotChecked = append(page.NotChecked, *at[[2]string{w.check, w.text}])
	}
}
