package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Time   string       `xml:"time,attr,omitempty"`
	Suites []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Cases []junitCase `xml:"testcase"`
}

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

// junitCase has at most one of Failure, Error and Skipped; without one it passed.
type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	File    string     `xml:"file,attr,omitempty"`
	Failure *junitNote `xml:"failure"`
	Error   *junitNote `xml:"error"`
	Skipped *junitNote `xml:"skipped"`
	Out     *junitOut  `xml:"system-out"`
}

type junitNote struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",innerxml"` // escaped by junitBlock
}

type junitOut struct {
	Text string `xml:",innerxml"` // escaped by junitBlock
}

// writeJUnit writes a test suite for each target. Its cases are the rules that
// the target breaks (failed; with warnings that do not fail the run: passed,
// the warnings as output; all waived: skipped), the checks that found nothing
// (passed), and what a check could not judge (skipped).
//
// A case is a rule and not a finding because platforms tell cases apart by suite
// and name: GitLab drops the second case of a name, and the name of a finding
// would change with every edit.
func writeJUnit(w *bufio.Writer, r *finding.Report, opts Options) error {
	out := junitSuites{Name: "sallyport"}
	if opts.Elapsed > 0 {
		out.Time = fmt.Sprintf("%.3f", opts.Elapsed.Seconds())
	}
	for _, s := range newSuites(r, opts) {
		suite := junitSuite{Name: s.name, Cases: s.cases}
		for _, c := range s.cases {
			suite.count(c)
			out.count(c)
		}
		out.Suites = append(out.Suites, suite)
	}
	w.WriteString(xml.Header)
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	return w.WriteByte('\n')
}

func (n *junitCounts) count(c junitCase) {
	n.Tests++
	switch {
	case c.Failure != nil:
		n.Failures++
	case c.Error != nil:
		n.Errors++
	case c.Skipped != nil:
		n.Skipped++
	}
}

// junitText is Sanitize for XML, where U+FFFE and U+FFFF are forbidden as well
// (XML 1.0, 2.2). It also breaks [[ATTACHMENT|path]], by which a report asks
// Jenkins and GitLab to publish a file.
func junitText(s string) string {
	s = strings.NewReplacer("\uFFFE", "<U+FFFE>", "\uFFFF", "<U+FFFF>").Replace(Sanitize(s))
	return strings.ReplaceAll(s, "[[ATTACHMENT", "[ [ATTACHMENT")
}

// junitBlock escapes lines, leaving their breaks as they are for whoever opens
// the file.
func junitBlock(lines string) string {
	var b strings.Builder
	b.WriteByte('\n')
	xml.EscapeText(&b, []byte(lines)) // a Builder takes everything
	return strings.ReplaceAll(b.String(), "&#xA;", "\n")
}

// junitFinding writes a finding for a person who sees nothing else of it.
func junitFinding(f finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s\n", junitText(place(f)), levelOf(f.Severity), junitText(f.Message))
	if f.Object != nil {
		fmt.Fprintf(&b, "  object: %s\n", junitText(f.Object.String()))
	}
	if f.Commit != "" {
		fmt.Fprintf(&b, "  commit: %s\n", junitText(shortCommit(f.Commit)))
	}
	for _, rel := range f.Related[:min(len(f.Related), maxRelated)] {
		fmt.Fprintf(&b, "  note:   %s\n", junitText(strings.TrimPrefix(rel.Location.String()+": "+rel.Message, ": ")))
	}
	if f.Help != "" {
		fmt.Fprintf(&b, "  help:   %s\n", junitText(f.Help))
	}
	if f.Waiver != nil {
		fmt.Fprintf(&b, "  %s\n", junitText(waived(*f.Waiver)))
	}
	return b.String()
}

// junitFindings joins findings of one rule, and says in one line what the first
// is and how many more there are.
func junitFindings(list []finding.Finding) (line, text string) {
	line = junitText(place(list[0]) + ": " + list[0].Message)
	if n := len(list) - 1; n > 0 {
		line += fmt.Sprintf(" (and %d more)", n)
	}
	var b strings.Builder
	for _, f := range list {
		b.WriteString(junitFinding(f))
	}
	return line, junitBlock(b.String())
}
