package report_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// The lines that the comment is made of, code spans taken out as \x00.
var (
	plainText = `[\p{L}0-9 .,;:!?()"'…–—\x00-]*`
	lineKinds = regexp.MustCompile(`^(?:` + strings.Join([]string{
		``, `<!-- sallyport -->`, `<details>`, `</details>`,
		`### [✗!✓] sallyport: [a-z0-9 ,]+`,
		`Checked \d+(?: of \d+)? targets?, \d+ objects?(?: of (?:the index on )?(?:\x00|–))?\.`,
		`<summary>\d+ [a-z ]+(?:, \d+ [a-z ]+)*(?:: <code>[^<>]*</code>)?</summary>`,
		`- (?:(?:\x00|–)|\[(?:\x00|–)\]\(https://git\.example/o/r/blob/0123/[A-Za-z0-9%/._~-]*(?:#L\d+)?\)) \*\*(?:` + plainText + `)[^ *]\*\* (?:\x00|–)\\?`,
		`  (?:No place|Object|In|Commit|Help): ` + plainText + `\\?`, `  waived by ` + plainText,
		`- \d+ (?:object|target|file|commit range)s?: ` + plainText, `- and \d+ more reasons?`,
		`\| target \| kind \| status \| objects \| reason \|`, `\| --- \| --- \| --- \| ---: \| --- \|`,
		`\| (?:\x00|–) \| ` + plainText + ` \| ` + plainText + ` \| \d+ \| ` + plainText + ` \|`,
		`…and [a-z0-9 ,]+, left out so that this fits one comment\. The exit code counts all of them; the log of the run lists them\.`,
	}, `|`) + `)$`)
	reference = regexp.MustCompile(`(?i)\bwww\.|\b[0-9a-f]{7,}\b|\b[A-Z]+-[0-9]`)
)

// withoutCode takes the code spans out of a line as CommonMark finds them (6.1).
func withoutCode(line string) (string, error) {
	var b strings.Builder
	for line != "" {
		at := strings.IndexByte(line, '`')
		if at < 0 {
			break
		}
		b.WriteString(line[:at])
		line = line[at:]
		n := len(line) - len(strings.TrimLeft(line, "`"))
		end := n
		for {
			next := strings.IndexByte(line[end:], '`')
			if next < 0 {
				return "", fmt.Errorf("a run of %d backticks that nothing closes", n)
			}
			end += next
			run := len(line[end:]) - len(strings.TrimLeft(line[end:], "`"))
			end += run
			if run == n {
				break
			}
		}
		b.WriteByte(0)
		line = line[end:]
	}
	b.WriteString(line)
	return b.String(), nil
}

// checkMarkdown holds that the comment fits and that every line is of a kind
// that is meant: outside of code spans nothing is left that any platform reads
// as markup, a mention, a reference or an address.
func checkMarkdown(t *testing.T, r *finding.Report, out string) {
	t.Helper()
	if len(out) > 65_536 {
		t.Errorf("%d bytes", len(out))
	}
	if !strings.HasPrefix(out, report.Marker+"\n") {
		t.Errorf("the marker is not first in\n%s", out)
	}
	entries, rows := 0, 0
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 6 {
			t.Errorf("a row of the wrong width: %q", line)
		}
		bare, err := withoutCode(line)
		if err != nil {
			t.Errorf("%v: %q", err, line)
			continue
		}
		switch {
		case strings.HasPrefix(bare, "<summary>"):
			bare = regexp.MustCompile(`<code>[^<>]*</code>`).ReplaceAllString(bare, "<code></code>")
		case strings.Contains(bare, "](https://git.example/"):
			bare = regexp.MustCompile(`/0123/[^)]*\)`).ReplaceAllString(bare, "/0123/)")
		}
		if !lineKinds.MatchString(bare) || reference.MatchString(strings.ReplaceAll(bare, "](https://git.example/o/r/blob/0123/", "")) {
			t.Errorf("unexpected line %q\nwithout code   %q", line, bare)
		}
		if strings.Contains(bare, "**") {
			entries++
		}
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") && !strings.HasPrefix(line, "| target |") {
			rows++
		}
	}
	if len(out) < 50_000 && (entries != len(r.Findings) || rows != len(r.Targets)) {
		t.Errorf("%d entries and %d rows for %d findings and %d targets", entries, rows, len(r.Findings), len(r.Targets))
	}
	if strings.Count(out, "<details>") != strings.Count(out, "</details>") && !strings.Contains(fmt.Sprint(r), "details") {
		t.Error("an unclosed fold")
	}
}

// crowd is a report of so many errors and warnings, numbered in their messages.
func crowd(errors, warnings, filler int) *finding.Report {
	r := &finding.Report{Summary: finding.Summary{Targets: 1, Errors: errors, Warnings: warnings}}
	for i := range errors + warnings {
		f := finding.Finding{
			Rule: "r", Severity: finding.Warning, Message: fmt.Sprintf("warning %d", i), Help: strings.Repeat("help ", filler),
			Location: span(fmt.Sprintf("dir/%d.yaml", i), 7, 1, 2), Targets: []string{"overlays/prod"},
		}
		if i >= warnings { // the errors are last in the report
			f.Severity, f.Message = finding.Error, fmt.Sprintf("error %d", i-warnings)
		}
		r.Findings = append(r.Findings, f)
	}
	r.Targets = []finding.Target{{Path: "overlays/prod", Kind: "kustomize", Status: finding.Failed}}
	return r
}

// Nothing is kept at the cost of an error, and what is left out is counted.
func TestMarkdownFits(t *testing.T) {
	if testing.Short() {
		t.Skip("writes megabytes in one goroutine")
	}
	var note = regexp.MustCompile(`…and (?:(\d+) more errors?)?(?:, )?(?:(\d+) more warnings?)?`)
	for _, size := range [][3]int{{5, 5, 1}, {100, 100, 1}, {100, 100, 60}, {400, 0, 20}, {500, 400, 10}, {0, 3000, 1}, {20_000, 20_000, 1}} {
		r := crowd(size[0], size[1], size[2])
		out := write(t, "markdown", r, linked)
		checkMarkdown(t, r, out)
		errors, warnings := strings.Count(out, "**error "), strings.Count(out, "**warning ")
		if warnings > 0 && errors < size[0] {
			t.Errorf("%v: %d warnings but only %d errors", size, warnings, errors)
		}
		left := note.FindStringSubmatch(out)
		if left == nil {
			left = []string{"", "", ""}
		}
		var leftErrors, leftWarnings int
		fmt.Sscan(left[1], &leftErrors)
		fmt.Sscan(left[2], &leftWarnings)
		if errors+leftErrors != size[0] || warnings+leftWarnings != size[1] {
			t.Errorf("%v: shows %d errors and %d warnings, and says %q", size, errors, warnings, left[0])
		}
		if leftErrors > 0 && len(out) < 60_000 {
			t.Errorf("%v: %d errors left out of %d bytes", size, leftErrors, len(out))
		}
	}
}

// A warning that would still fit does not take the place of an error that does
// not.
func TestMarkdownErrorsBeforeWarnings(t *testing.T) {
	r := crowd(0, 1, 0)
	for i := range 500 {
		r.Findings = append(r.Findings, finding.Finding{
			Rule: "r", Severity: finding.Error, Message: strings.Repeat("long ", 55), Location: span(strings.Repeat("d", 180), i, 1, 2),
		})
	}
	if out := write(t, "markdown", r, report.Options{}); strings.Contains(out, "**warning") || !strings.Contains(out, "1 more warning, 1 more target,") {
		t.Errorf("the end is %q", out[len(out)-300:])
	}
}

// However many warnings there are, what was not checked and the targets are
// still told.
func TestMarkdownSummarisesAfterWarnings(t *testing.T) {
	r := crowd(3, 3000, 5)
	r.NotChecked = []finding.NotChecked{{Target: "overlays/prod", Check: "schema", Reason: "no schema"}}
	out := write(t, "markdown", r, report.Options{})
	for _, want := range []string{"- 1 target: schema: no schema\n", "| `overlays/prod` | kustomize | failed | 0 |  |\n", "more warnings, left out"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %d bytes", want, len(out))
		}
	}
}

// Errors go without details rather than warnings without a line.
func TestMarkdownDetailsOfErrorsBeforeWarnings(t *testing.T) {
	out := write(t, "markdown", crowd(150, 200, 60), linked)
	errors, warnings, help := strings.Count(out, "**error "), strings.Count(out, "**warning "), strings.Count(out, "Help:")
	if errors != 150 || warnings != 200 || help != 10 {
		t.Errorf("%d errors, %d warnings, %d with help", errors, warnings, help)
	}
}

// Details go before findings: so many errors fit without their help only.
func TestMarkdownLeavesDetailsOutFirst(t *testing.T) {
	out := write(t, "markdown", crowd(200, 0, 90), linked)
	if n := strings.Count(out, "**error "); n != 200 || strings.Contains(out, "Help:") {
		t.Errorf("%d errors, help %t", n, strings.Contains(out, "Help:"))
	}
}

func TestMarkdownLinks(t *testing.T) {
	r := &finding.Report{Findings: []finding.Finding{{Rule: "r", Severity: finding.Error, Message: "m", Location: span("a b/(c)?#%.yaml", 3, 1, 2)}}}
	for base, want := range map[string]string{
		"":                                 "- `a b/(c)?#%.yaml:3` **m** `r`",
		"https://git.example/o/r/blob/01/": "- [`a b/(c)?#%.yaml:3`](https://git.example/o/r/blob/01/a%20b/%28c%29%3F%23%25.yaml#L3) **m** `r`",
		"https://git.example/o)/@x":        "- [`a b/(c)?#%.yaml:3`](https://git.example/o%29/%40x/a%20b/%28c%29%3F%23%25.yaml#L3) **m** `r`",
		"javascript:alert(1)":              "- `a b/(c)?#%.yaml:3` **m** `r`",
		"https://git)example/o":            "- `a b/(c)?#%.yaml:3` **m** `r`",
		"not a link":                       "- `a b/(c)?#%.yaml:3` **m** `r`",
	} {
		out := strings.Split(write(t, "markdown", r, report.Options{LinkBase: base}), "\n")
		if !slices.Contains(out, want) {
			t.Errorf("with %q:\n%s", base, strings.Join(out, "\n"))
		}
	}
}

func TestMarkdownLinkedGolden(t *testing.T) {
	golden(t, "shop.linked.markdown", write(t, "markdown", shop(), linked))
}

// A sentence stays a sentence; only what could be more than a word is code.
func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"image nginx:latest can change under you":   "image `nginx:latest` can change under you",
		"as it was (compared with `main`)":          "as it was (compared with `main`)",
		"the target (in overlays/prod).":            "the target (in `overlays/prod`).",
		"call it (like f(x)) or g(y)":               "call it (like `f(x)`) or `g(y)`",
		"use (apps/v1), not \"extensions/v1beta1\"": "use (`apps/v1`), not \"`extensions/v1beta1`\"",
		"don't re-use it: 3 left, 1234567 no":       "don't re-use it: 3 left, `1234567` no",
		"ask @team, see #1 or GH-1 or PROJ-ABC":     "ask `@team`, see `#1` or `GH-1` or `PROJ-ABC`",
		"deadbeef www. e.g. a/b…":                   "`deadbeef` `www`. `e.g`. `a/b`…",
		"`x` and ``y":                               "`x` and ``` ``y ```",
		"run (`kubectl get x`), `a``b` `c":          "run (`kubectl get x`), ``` `a``b` ``` `` `c ``",
		"foo(bar)":                                  "`foo(bar)`",
	} {
		r := &finding.Report{Findings: []finding.Finding{{Rule: "r", Severity: finding.Error, Message: text}}}
		if out := write(t, "markdown", r, report.Options{}); !strings.Contains(out, "**"+want+"**") {
			t.Errorf("%q is written as\n%s", text, out)
		}
	}
}
