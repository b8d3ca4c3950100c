package report_test

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type junitNote struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitReport struct {
	XMLName xml.Name `xml:"testsuites"`
	junitCounts
	Suites []struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []struct {
			Class   string     `xml:"classname,attr"`
			Name    string     `xml:"name,attr"`
			Failure *junitNote `xml:"failure"`
			Error   *junitNote `xml:"error"`
			Skipped *junitNote `xml:"skipped"`
			Out     string     `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// parseJUnit reads the report strictly and checks its counts.
func parseJUnit(t *testing.T, out string) junitReport {
	t.Helper()
	var got junitReport
	d := xml.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if token, err := d.Token(); err == nil {
		if _, space := token.(xml.CharData); !space {
			t.Errorf("%v after the end", token)
		}
	} else if err != io.EOF {
		t.Error(err)
	}
	var total junitCounts
	for _, s := range got.Suites {
		counts, names := junitCounts{Tests: len(s.Cases)}, map[string]bool{}
		for _, c := range s.Cases {
			if c.Failure != nil {
				counts.Failures++
			}
			if c.Error != nil {
				counts.Errors++
			}
			if c.Skipped != nil {
				counts.Skipped++
			}
			if c.Class != s.Name || names[c.Name] {
				t.Errorf("case %q of class %q twice or outside its suite %q", c.Name, c.Class, s.Name)
			}
			names[c.Name] = true
		}
		if counts != s.junitCounts {
			t.Errorf("suite %q counts %v, has %v", s.Name, s.junitCounts, counts)
		}
		total.Tests += counts.Tests
		total.Failures += counts.Failures
		total.Errors += counts.Errors
		total.Skipped += counts.Skipped
	}
	if total != got.junitCounts {
		t.Errorf("the report counts %v, has %v", got.junitCounts, total)
	}
	return got
}

// shownXML is repository text as JUnit shows it.
func shownXML(s string) string {
	s = strings.NewReplacer("\ufffe", "<U+FFFE>", "\uffff", "<U+FFFF>").Replace(report.Sanitize(s))
	return strings.ReplaceAll(s, "[[ATTACHMENT", "[ [ATTACHMENT")
}

// checkJUnit holds that every finding is in the suite of each of its targets.
func checkJUnit(t *testing.T, r *finding.Report, out string) {
	t.Helper()
	texts := map[string]string{}
	for _, s := range parseJUnit(t, out).Suites {
		for _, c := range s.Cases {
			texts[s.Name] += c.Out
			for _, note := range []*junitNote{c.Failure, c.Error, c.Skipped} {
				if note != nil {
					texts[s.Name] += note.Text
				}
			}
		}
	}
	for _, f := range r.Findings {
		for _, target := range append(slices.Clone(f.Targets), "")[:max(len(f.Targets), 1)] {
			if target == "" {
				target = "repository"
			}
			if !strings.Contains(texts[shownXML(target)], shownXML(f.Message)) {
				t.Errorf("no %q in suite %q", f.Message, target)
			}
		}
	}
	if strings.Contains(out, "[[ATTACHMENT") {
		t.Error("an attachment is asked for")
	}
}

func TestJUnitStates(t *testing.T) {
	waiver := &finding.Waiver{Reason: "vendor", Owner: "@team", Expires: "2027-01-31"}
	r := &finding.Report{
		Targets: []finding.Target{
			{Path: "bad", Status: finding.Failed}, {Path: "good", Status: finding.Passed},
			{Path: "gone", Status: finding.NotRendered, Reason: "why"}, {Path: "left", Status: finding.Skipped, Reason: "out of scope"},
		},
		Findings: []finding.Finding{
			{Rule: "broken", Severity: finding.Error, Message: "one", Targets: []string{"bad"}},
			{Rule: "broken", Severity: finding.Error, Message: "two", Targets: []string{"bad"}},
			{Rule: "careful", Severity: finding.Warning, Message: "three", Targets: []string{"good"}},
			{Rule: "accepted", Severity: finding.Error, Message: "four", Targets: []string{"good"}, Waiver: waiver},
		},
		NotChecked: []finding.NotChecked{{Target: "good", Check: "schema", Reason: "no schema", Object: finding.Object{Kind: "X", Name: "x"}}},
		Summary:    finding.Summary{Checks: []finding.Check{{Name: "render"}, {Name: "schema", Errors: 2}, {Name: "policy", Warnings: 1}}},
	}
	for _, c := range []struct {
		failOn finding.Severity
		want   string
	}{
		{finding.Error, "bad: broken failed, render passed, policy passed; good: accepted skipped, careful passed, render passed, schema passed, policy passed, schema not checked skipped; gone: render error; left: render skipped"},
		{finding.Warning, "bad: broken failed, render passed; good: accepted skipped, careful failed, render passed, schema not checked skipped; gone: render error; left: render skipped"},
	} {
		var suites []string
		for _, s := range parseJUnit(t, write(t, "junit", r, report.Options{FailOn: c.failOn})).Suites {
			var cases []string
			for _, c := range s.Cases {
				state := "passed"
				switch {
				case c.Failure != nil:
					state = "failed"
				case c.Error != nil:
					state = "error"
				case c.Skipped != nil:
					state = "skipped"
				}
				cases = append(cases, c.Name+" "+state)
			}
			suites = append(suites, s.Name+": "+strings.Join(cases, ", "))
		}
		if got := strings.Join(suites, "; "); got != c.want {
			t.Errorf("fail on %s:\n got %s\nwant %s", c.failOn, got, c.want)
		}
	}
}
