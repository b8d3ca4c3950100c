package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// arbitrary is a report with the strings a and b in every field that a
// repository, a policy or a configuration can fill: 2n errors, n warnings and n
// waived findings, placed and not.
func arbitrary(a, b string, n int) *finding.Report {
	object := &finding.Object{APIVersion: a, Kind: b, Namespace: a, Name: b}
	r := &finding.Report{
		Tool:     finding.Tool{Name: "sallyport", Version: a},
		Snapshot: finding.Snapshot{Kind: "index", Revision: b},
		Targets: []finding.Target{
			{Path: a, Kind: b, Status: finding.Failed, Objects: 1},
			{Path: b, Kind: a, Status: finding.NotRendered, Reason: a},
			{Path: a + b, Kind: a, Status: finding.Status(b), Reason: b},
			{Path: a + " ", Kind: "directory", Status: finding.Skipped, Reason: a},
		},
		NotChecked: []finding.NotChecked{
			{Target: a, Object: *object, Check: b, Reason: a},
			{Target: b, Object: *object, Check: a, Reason: b},
		},
		Summary: finding.Summary{
			Targets: 4, Objects: 1, Errors: n, Warnings: n, Waived: n, NotChecked: 2,
			Checks: []finding.Check{{Name: "render", Unit: "targets", Note: a}},
		},
	}
	for i := range n {
		placed := finding.Finding{
			Rule: a, Severity: finding.Error, Message: fmt.Sprint(a, b, i), Help: b, Object: object, Pointer: "/" + a,
			Location: finding.Span{File: b, Start: finding.Position{Line: i, Column: i}, End: finding.Position{Line: i, Column: 2 * i}},
			Related:  []finding.Related{{Message: b, Location: span(a, 1, 1, 2)}, {Message: a}},
			Targets:  []string{a, b},
		}
		unplaced := finding.Finding{Rule: b, Severity: finding.Warning, Message: b + a, Help: a, Unplaced: b, Targets: []string{a, b, a + b, "x"}}
		waived := finding.Finding{
			Rule: a, Severity: finding.Error, Message: a, Location: finding.Span{File: a},
			Waiver: &finding.Waiver{Reason: a, Owner: b, Expires: a},
		}
		earlier := finding.Finding{Rule: b, Severity: finding.Error, Message: a, Location: span(b, 3, 1, 2), Commit: a}
		r.Findings = append(r.Findings, placed, unplaced, waived, earlier)
	}
	return r
}

// hostileStrings try to get out of one format or another.
func hostileStrings() []string {
	return []string{
		"", " ", "plain words", "%0A::error::x", "\n::error::x", "\r::add-mask::x", "x ##[add-mask]y", "###[[group]", "::stop-commands::t",
		"a,title=b:c=d%", "`", "``` `` `", "`` @team ``", "\\`@team\\`", "\\", "@org/team", "#123", "GH-123", "org/repo#1", "0123456789abcdef",
		"<img src=x onerror=alert(1)>", "<!-- sallyport -->", "--> <b>", "![i](https://evil.example/i.png)", "[x](https://evil.example)", "[x][1]",
		"https://evil.example", "www.evil.example", "www.", "a@evil.example", "&lt;b&gt;", "&#64;team", "| a | b |", "\\| `x` |", "a\n\n# heading",
		"- [ ] task", "/close", "1. x", "-", "=", "---", "***", "__x__", "~~x~~", "$x$", "$`x`$", ":smile:", "*a*", "</details>", "</summary>",
		"]]>", "[[ATTACHMENT|/etc/passwd]]", "\ufffe\uffff", "\x00\x1b[2J", "\u202egpj", "\u2028", "bad \xff\xfe", "{0} {1}", "a](b)",
		"a:b.yaml", "//host/x", "/abs", "../up", "日本 語.yaml", strings.Repeat("@`", 900), strings.Repeat("x ", 900),
	}
}

var linked = report.Options{Source: lines, LinkBase: "https://git.example/o/r/blob/0123"}

// checkFormats checks every promise of every format that holds for any report.
func checkFormats(t *testing.T, r *finding.Report) {
	t.Helper()
	checkGitHub(t, r, write(t, "github", r, linked))
	checkMarkdown(t, r, write(t, "markdown", r, linked))
	checkSARIF(t, r, write(t, "sarif", r, linked))
	checkGitLab(t, r, write(t, "gitlab", r, linked))
	checkJUnit(t, r, write(t, "junit", r, linked))
	checkHTML(t, write(t, "html", r, linked))
	for _, format := range report.Formats() {
		out := write(t, format, r, linked)
		if shown := strings.ReplaceAll(out, "\n", ""); report.Sanitize(shown) != shown {
			t.Errorf("%s: a hidden character as itself in\n%s", format, out)
		}
		if out != write(t, format, r, linked) {
			t.Errorf("%s: equal reports differ", format)
		}
	}
}

func TestHostileStrings(t *testing.T) {
	if testing.Short() {
		t.Skip("writes megabytes in one goroutine")
	}
	all := hostileStrings()
	for i, a := range all {
		for j, b := range []string{"x", a, all[(i*7+3)%len(all)]} {
			n := []int{1, 11, 1}[j]
			checkFormats(t, arbitrary(a, b, n))
			if t.Failed() {
				t.Fatalf("with %q and %q, %d times", a, b, n)
			}
		}
	}
}

func FuzzFormats(f *testing.F) {
	all := hostileStrings()
	for i, s := range all {
		f.Add(s, all[len(all)-1-i], 1+i%3)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		const long = 400 // more costs time and shows nothing new
		checkFormats(t, arbitrary(a[:min(len(a), long)], b[:min(len(b), long)], min(max(n, 0), 3)))
	})
}
