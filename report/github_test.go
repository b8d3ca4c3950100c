package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// command is what a runner makes of a line.
type command struct {
	name, data string
	properties map[string]string
}

// registered are the commands that a runner obeys.
var registered = []string{
	"stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher",
	"debug", "warning", "error", "notice", "group", "endgroup", "echo", "internal-set-repo-path",
}

// parseCommand reads a line as actions/runner does (ActionCommand.cs): as
// ::command::, else with ##[command] anywhere in it.
func parseCommand(line string) (command, bool) {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "::"); ok {
		if info, data, ok := strings.Cut(rest, "::"); ok {
			if c, ok := newCommand(info, data, ",", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%"); ok {
				c.data = unescape(data, "%0D", "\r", "%0A", "\n", "%25", "%")
				return c, true
			}
		}
	}
	if _, rest, ok := strings.Cut(line, "##["); ok {
		if info, data, ok := strings.Cut(rest, "]"); ok {
			return newCommand(info, data, ";")
		}
	}
	return command{}, false
}

func newCommand(info, data, separator string, escapes ...string) (command, bool) {
	name, properties, _ := strings.Cut(info, " ")
	known := false
	for _, r := range registered {
		known = known || strings.EqualFold(r, name)
	}
	c := command{name: name, data: data, properties: map[string]string{}}
	for _, p := range strings.Split(strings.TrimSpace(properties), separator) {
		if key, value, ok := strings.Cut(p, "="); ok && value != "" {
			c.properties[key] = unescape(value, escapes...)
		}
	}
	return c, known
}

// unescape replaces one escape after the other, as the runner does.
func unescape(s string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

// checkGitHub holds that a runner sees the commands that are meant, and no other.
func checkGitHub(t *testing.T, r *finding.Report, out string) {
	t.Helper()
	got := map[string]int{}
	for _, line := range strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' }) {
		c, ok := parseCommand(line)
		if !ok {
			continue
		}
		got[c.name]++
		for key := range c.properties {
			if !strings.Contains(" file line endLine col endColumn title ", " "+key+" ") {
				t.Errorf("property %q in %q", key, line)
			}
		}
	}
	errors, warnings := countOpen(r)
	want := map[string]int{}
	set := func(name string, n int) {
		if n > 0 {
			want[name] = n
		}
	}
	set("error", min(errors, 10))
	set("warning", min(warnings, 10))
	if errors > 10 || warnings > 10 {
		want["group"], want["endgroup"], want["notice"] = 1, 1, 1
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("a runner sees the commands %v, want %v, in\n%s", got, want, out)
	}
}

func countOpen(r *finding.Report) (errors, warnings int) {
	for _, f := range r.Findings {
		switch {
		case f.Waiver != nil:
		case f.Severity == finding.Error:
			errors++
		default:
			warnings++
		}
	}
	return errors, warnings
}

// What the runner reads is what was written.
func TestGitHubKeepsStrings(t *testing.T) {
	file, message := "a,b::c%0A=d.yaml", "100% of 1, 2: %0A %25"
	r := &finding.Report{Findings: []finding.Finding{{Rule: "r,x:y", Severity: finding.Error, Message: message, Help: "do", Location: span(file, 3, 5, 9)}}}
	line, _, _ := strings.Cut(write(t, "github", r, report.Options{}), "\n")
	c, ok := parseCommand(line)
	want := "map[col:5 endColumn:8 endLine:3 file:" + file + " line:3 title:sallyport r,x:y]"
	if !ok || c.name != "error" || c.data != message+"\ndo" || fmt.Sprint(c.properties) != want {
		t.Errorf("%q is read as %q", line, c)
	}
}

// The runner refuses columns across lines, and an end before its start.
func TestGitHubRanges(t *testing.T) {
	for name, c := range map[string]struct {
		start, end finding.Position
		want       string
	}{
		"one line":      {finding.Position{Line: 2, Column: 3}, finding.Position{Line: 2, Column: 7}, "file=f,line=2,endLine=2,col=3,endColumn=6,"},
		"empty":         {finding.Position{Line: 2, Column: 3}, finding.Position{Line: 2, Column: 3}, "file=f,line=2,endLine=2,col=3,endColumn=3,"},
		"no end":        {finding.Position{Line: 2, Column: 3}, finding.Position{}, "file=f,line=2,endLine=2,col=3,endColumn=3,"},
		"no column":     {finding.Position{Line: 2}, finding.Position{}, "file=f,line=2,endLine=2,"},
		"several lines": {finding.Position{Line: 2, Column: 3}, finding.Position{Line: 4, Column: 2}, "file=f,line=2,endLine=4,"},
		"up to a line":  {finding.Position{Line: 2, Column: 3}, finding.Position{Line: 4, Column: 1}, "file=f,line=2,endLine=3,"},
		"next line":     {finding.Position{Line: 2, Column: 3}, finding.Position{Line: 3, Column: 1}, "file=f,line=2,endLine=2,col=3,endColumn=3,"},
		"whole file":    {finding.Position{}, finding.Position{}, "file=f,"},
	} {
		r := &finding.Report{Findings: []finding.Finding{{Rule: "r", Severity: finding.Error, Location: finding.Span{File: "f", Start: c.start, End: c.end}}}}
		if out := write(t, "github", r, report.Options{}); !strings.HasPrefix(out, "::error "+c.want+"title=") {
			t.Errorf("%s: %q", name, out)
		}
	}
}

// A line of another commit is not a line of what the reader sees.
func TestOtherCommitsHaveNoLines(t *testing.T) {
	r := &finding.Report{Findings: []finding.Finding{{
		Rule: "r", Severity: finding.Error, Message: "m", Location: span("f.yaml", 3, 1, 2), Commit: "0123456789abcdef0123",
	}}}
	for format, want := range map[string]string{
		"github":   "::error file=f.yaml,title=sallyport r::m%0Ain the content of commit 0123456789ab\n",
		"markdown": "- `f.yaml:3` **m** `r`\\\n  Commit: `0123456789ab`\n",
		"gitlab":   `"begin": 1`,
		"junit":    "\nf.yaml:3:1: error: m\n  commit: 0123456789ab\n",
	} {
		if out := write(t, format, r, linked); !strings.Contains(out, want) {
			t.Errorf("%s:\n%s", format, out)
		}
	}
	if at := parseSARIF(t, write(t, "sarif", r, linked)).Results[0].Locations[0].PhysicalLocation; at.Region != nil || at.ArtifactLocation.URI != "f.yaml" {
		t.Errorf("sarif: %v", at)
	}
}

// Past ten of a kind the runner drops annotations: errors come first, and the
// last line says how many are missing.
func TestGitHubLimit(t *testing.T) {
	r := &finding.Report{Summary: finding.Summary{Targets: 1, Errors: 12, Warnings: 3}}
	for i := range 15 {
		severity := finding.Error
		if i < 3 {
			severity = finding.Warning
		}
		r.Findings = append(r.Findings, finding.Finding{Rule: "r", Severity: severity, Message: fmt.Sprintf("m%02d", i), Location: span("f.yaml", i+1, 1, 2)})
	}
	out := strings.Split(strings.TrimSuffix(write(t, "github", r, report.Options{}), "\n"), "\n")
	if !strings.HasPrefix(out[0], "::error ") || !strings.HasSuffix(out[9], "::m12") || !strings.HasPrefix(out[10], "::warning ") {
		t.Errorf("errors are not first:\n%s", strings.Join(out, "\n"))
	}
	want := []string{
		"::group::2 findings without an annotation",
		"error: f.yaml:14:1: m13 [r]",
		"error: f.yaml:15:1: m14 [r]",
		"::endgroup::",
		"::notice title=sallyport::12 errors, 3 warnings. GitHub shows 10 annotations of a kind for each step; not shown here but in the log: 2 errors.",
	}
	if got := strings.Join(out[13:], "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the end is\n%s", got)
	}
}
