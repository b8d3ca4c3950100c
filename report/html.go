package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
)

// The HTML report is one file that needs nothing else: no network, no server and
// no script. What is folded away is a details element, so it can be read
// without JavaScript, which only filters.
//
// Three walls stand between repository text and the reader's browser.
// html/template escapes by context. [neutralised] writes every character that
// cannot be seen as its code point. And a content security policy allows the
// page's own style and script by their hashes and nothing besides: no inline
// handler, no image, no request, no form, no base. There is no data for the
// script but attributes of the elements that it filters.

// htmlFiles are the templates, the style and the script of the page.
//
//go:embed html/*.tmpl html/page.css html/page.js
var htmlFiles embed.FS

// What the page holds at most, so that it opens at once and no repository can
// make it a file that no browser opens. It says what it leaves out.
const (
	// maxHTMLFindings is how many findings are drawn, the worst first: with
	// their frames about 10 MB.
	maxHTMLFindings = 5_000
	// openHTMLFindings is how many may stand open; of more the groups of one
	// rule are folded, and a browser lays out only what is unfolded.
	openHTMLFindings = 60
	// maxHTMLTargets is how many targets one finding or change names; the
	// matrix has the others.
	maxHTMLTargets = 40
	// maxHTMLText is how much of one text is shown, in characters.
	maxHTMLText = 4_000
)

// htmlPage is everything that the templates draw.
type htmlPage struct {
	Title      string
	Mark       string // ✓, ! or ✗
	Level      string // good, warn or bad: a class, beside the mark and the words
	Verdict    string
	Subtitle   string
	Tool       string
	Style      template.CSS
	Script     template.JS
	Policy     string
	Checks     []htmlCheck
	Filter     *htmlFilter // nil where there is nothing to filter
	Matrix     *htmlMatrix
	Groups     []htmlGroup
	Waived     []htmlFinding
	LeftOut    int // findings
	IsCheck    bool
	NotChecked []htmlReason
	MoreWhy    int // reasons left out
	Diff       *htmlDiff
	DiffWhyNot string
	Graph      *htmlGraph
}

// htmlFilter is what the filter bar offers.
type htmlFilter struct {
	Rules   []htmlCount
	Targets []string // a position in it is a target's number in data-t
	Waived  bool
}

type htmlCount struct {
	Name  string
	Count int
}

// htmlCheck is a row of the summary.
type htmlCheck struct {
	Name, Mark, Level, Count, Unit, Result, NotChecked, Note string
}

// htmlWriter turns a report into the page's parts.
type htmlWriter struct {
	opts   Options
	link   string
	number map[string]int // of targets
}

// writeHTML writes the page of a report.
func writeHTML(w *bufio.Writer, r *finding.Report, opts Options) error {
	h := &htmlWriter{opts: opts, link: linkBase(opts.LinkBase), number: map[string]int{}}
	p := &printer{opts: opts}
	page := &htmlPage{
		IsCheck:    true,
		Mark:       p.mark(r.Summary.Errors, r.Summary.Warnings),
		Verdict:    verdict(r),
		Subtitle:   htmlSubject(r),
		Tool:       htmlTool(r.Tool),
		DiffWhyNot: clip(opts.DiffWhyNot, maxHTMLText),
	}
	if r.Summary.Targets == 0 && r.Summary.Errors == 0 {
		page.Mark = markWarn // nothing checked is never good
	}
	page.Level = levelOfMark(page.Mark)
	page.Title = page.Mark + " " + page.Verdict + " – sallyport"
	h.checks(page, r)
	page.Filter = h.filter(r)
	page.Matrix = h.matrix(r)
	h.findings(page, r)
	h.notChecked(page, r)
	if opts.Diff != nil {
		page.Diff = h.diff(opts.Diff)
	}
	page.Graph = h.graph(r)
	return page.write(w)
}

// writeDiffHTML writes the page of a diff alone.
func writeDiffHTML(w *bufio.Writer, r *diff.Result, opts DiffOptions) error {
	h := &htmlWriter{link: linkBase(opts.LinkBase), number: map[string]int{}}
	page := &htmlPage{Mark: (&diffPrinter{}).mark(r), Verdict: diffVerdict(r), Subtitle: diffTitle(r), Tool: htmlTool(r.Tool)}
	page.Level = levelOfMark(page.Mark)
	page.Title = page.Mark + " " + page.Verdict + " – sallyport diff"
	if len(r.Changes) > 0 {
		page.Filter = &htmlFilter{}
		for _, t := range r.Targets {
			h.add(page.Filter, t.Path)
		}
	}
	page.Diff = h.diff(r)
	page.Diff.Alone = true
	return page.write(w)
}

// write executes the templates. Style and script are named in the policy by the
// hash of the very bytes that stand between their tags (CSP Level 3, 8.2).
func (p *htmlPage) write(w *bufio.Writer) error {
	style, err := htmlFiles.ReadFile("html/page.css")
	if err != nil {
		return err
	}
	script, err := htmlFiles.ReadFile("html/page.js")
	if err != nil {
		return err
	}
	p.Style, p.Script = template.CSS(style), template.JS(script)
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		sourceHash(style), sourceHash(script))
	t, err := template.ParseFS(htmlFiles, "html/*.tmpl")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page.tmpl", p); err != nil {
		return err
	}
	return neutralised(w, b.String())
}

// sourceHash is a source of a content security policy.
func sourceHash(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// neutralised writes a page so that each character shows as itself or as its
// code point, as [Sanitize] has it. All that a template can print passes here.
func neutralised(w *bufio.Writer, page string) error {
	page = strings.NewReplacer("\r\n", " ", "\r", " ", "\t", " ").Replace(page)
	for _, r := range page {
		if r != '\n' && hidden(r) {
			w.WriteString(template.HTMLEscapeString(visible(r)))
			continue
		}
		w.WriteRune(r)
	}
	return nil
}

func levelOfMark(mark string) string {
	switch mark {
	case markBad:
		return "bad"
	case markGood:
		return "good"
	}
	return "warn"
}

func htmlTool(t finding.Tool) string { return strings.TrimSpace(t.Name + " " + t.Version) }

// htmlSubject says what was read.
func htmlSubject(r *finding.Report) string {
	text := looked(r) + ", " + number(r.Summary.Objects, "object")
	if r.Snapshot.Revision == "" {
		return text
	}
	what := map[string]string{"index": "the index on ", "worktree": "the work tree on "}[r.Snapshot.Kind]
	return text + " of " + what + shortCommit(r.Snapshot.Revision)
}

// checks makes the summary's rows.
func (h *htmlWriter) checks(page *htmlPage, r *finding.Report) {
	why := reasons(r.NotChecked)
	for _, c := range r.Summary.Checks {
		missed := sum(ofCheck(c.Name, why))
		row := htmlCheck{
			Name: c.Name, Mark: (&printer{opts: h.opts}).mark(c.Errors, c.Warnings),
			Count: fmt.Sprint(c.Count), Unit: unitOf(c), Result: counts(c.Errors, c.Warnings), Note: c.Note,
		}
		row.Level = levelOfMark(row.Mark)
		if row.Result == "" {
			row.Result = "no findings"
		}
		if missed != "" {
			row.NotChecked = missed + " not checked"
		}
		page.Checks = append(page.Checks, row)
	}
}

// filter numbers the targets and counts the rules.
func (h *htmlWriter) filter(r *finding.Report) *htmlFilter {
	f := &htmlFilter{}
	for _, t := range r.Targets {
		h.add(f, t.Path)
	}
	at := map[string]int{}
	for _, one := range ranked(r.Findings) {
		for _, t := range one.Targets {
			h.add(f, t)
		}
		if one.Waiver != nil {
			f.Waived = true
			continue
		}
		if _, ok := at[one.Rule]; !ok {
			at[one.Rule] = len(f.Rules)
			f.Rules = append(f.Rules, htmlCount{Name: Sanitize(one.Rule)})
		}
		f.Rules[at[one.Rule]].Count++
	}
	if h.opts.Diff != nil {
		for _, t := range h.opts.Diff.Targets {
			h.add(f, t.Path)
		}
	}
	if len(r.Findings) == 0 && h.opts.Diff == nil {
		return nil
	}
	return f
}

// add gives a target its number.
func (h *htmlWriter) add(f *htmlFilter, target string) {
	if _, ok := h.number[target]; !ok {
		h.number[target] = len(f.Targets)
		f.Targets = append(f.Targets, Sanitize(target))
	}
}
