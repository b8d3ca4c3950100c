package report

import (
	"cmp"
	"fmt"
	"html/template"
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
