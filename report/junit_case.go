package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// suite gathers what is known about one target.
type suite struct {
	name       string
	target     finding.Target // zero where the report does not list it
	findings   []finding.Finding
	notChecked []finding.NotChecked
	failOn     finding.Severity
	cases      []junitCase
}

// newSuites returns the suites in the order of the targets. Those of targets
// that are not listed follow by name; "" gathers what concerns no target.
func newSuites(r *finding.Report, opts Options) []*suite {
	byName := map[string]*suite{}
	get := func(target string) *suite {
		if byName[target] == nil {
			byName[target] = &suite{name: junitText(cmp.Or(target, "repository")), failOn: cmp.Or(opts.FailOn, finding.Error)}
		}
		return byName[target]
	}
	for _, f := range r.Findings {
		targets := f.Targets
		if len(targets) == 0 {
			targets = []string{""}
		}
		for _, t := range targets {
			s := get(t)
			s.findings = append(s.findings, f)
		}
	}
	for _, n := range r.NotChecked {
		s := get(n.Target)
		s.notChecked = append(s.notChecked, n)
	}
	var out []*suite
	for _, t := range r.Targets {
		s := get(t.Path)
		s.target = t
		out = append(out, s)
		delete(byName, t.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[name])
	}
	for _, s := range out {
		s.build(r.Summary.Checks)
	}
	return out
}

func (s *suite) build(checks []finding.Check) {
	failing := s.rules()
	s.checks(checks, failing)
	s.unchecked()
	switch {
	case s.target.Status == finding.Skipped:
		s.add(junitCase{Name: "render", Skipped: &junitNote{Message: junitText(s.target.Reason)}})
	case s.target.Status == finding.NotRendered && !failing:
		s.add(junitCase{Name: "render", Error: &junitNote{Message: junitText(s.target.Reason), Type: "not-rendered"}})
	}
}

// add puts a case into the suite unless there is one of that name.
func (s *suite) add(c junitCase) {
	c.Class, c.Name = s.name, junitText(c.Name)
	if !slices.ContainsFunc(s.cases, func(other junitCase) bool { return other.Name == c.Name }) {
		s.cases = append(s.cases, c)
	}
}

// rules adds a case for each rule that has findings, by name, and reports
// whether one of them failed.
func (s *suite) rules() (failing bool) {
	byRule := map[string][]finding.Finding{}
	for _, f := range s.findings {
		byRule[f.Rule] = append(byRule[f.Rule], f)
	}
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		c := s.rule(rule, byRule[rule])
		failing = failing || c.Failure != nil
		s.add(c)
	}
	return failing
}

// rule is the case of one rule. Its worst finding decides; all are listed.
func (s *suite) rule(name string, list []finding.Finding) junitCase {
	line, text := junitFindings(ranked(list))
	c := junitCase{Name: name, File: junitText(list[0].Location.File)}
	switch {
	case slices.ContainsFunc(list, s.fails):
		c.Failure = &junitNote{Message: line, Type: junitText(name), Text: text}
	case !slices.ContainsFunc(list, func(f finding.Finding) bool { return f.Waiver == nil }):
		c.Skipped = &junitNote{Message: junitText(waived(*list[0].Waiver)), Text: text}
	default:
		c.Out = &junitOut{Text: text}
	}
	return c
}

func (s *suite) fails(f finding.Finding) bool { return f.Waiver == nil && f.Severity >= s.failOn }

// checks adds a passed case for each check of a rendered target. A report does
// not say to which check a rule belongs, so where the target fails, only the
// checks that found nothing in the whole run are known to have passed.
func (s *suite) checks(checks []finding.Check, failing bool) {
	if s.target.Status != finding.Passed && s.target.Status != finding.Failed {
		return
	}
	for _, c := range checks {
		clean := c.Errors == 0 && (c.Warnings == 0 || s.failOn == finding.Error)
		if clean || !failing {
			s.add(junitCase{Name: c.Name})
		}
	}
}

// unchecked adds a skipped case for each check that could not judge every
// object, with the reasons and the objects.
func (s *suite) unchecked() {
	byCheck := map[string][]finding.NotChecked{}
	for _, n := range s.notChecked {
		byCheck[n.Check] = append(byCheck[n.Check], n)
	}
	for _, check := range slices.Sorted(maps.Keys(byCheck)) {
		list := byCheck[check]
		why := reasons(list)
		line := sum(why) + " not checked: " + junitText(why[0].text)
		if n := len(why) - 1; n > 0 {
			line += fmt.Sprintf(" (and %d more %s)", n, plural(n, "reason"))
		}
		var text strings.Builder
		for _, n := range list {
			fmt.Fprintf(&text, "%s: %s\n", junitText(n.Object.String()), junitText(n.Reason))
		}
		s.add(junitCase{Name: check + " not checked", Skipped: &junitNote{Message: line, Text: junitBlock(text.String())}})
	}
}
