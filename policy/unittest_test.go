package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestUnitTests(t *testing.T) {
	opts := file(`package main

deny contains "no replicas" if input.replicas == 0

deny contains "never tested" if {
	input.replicas > 100
	input.replicas < 1000
}
`)
	opts.Namespaces = []string{"elsewhere"} // tests run whatever is chosen for a check
	opts.Data = []Source{{Path: "data/limits.yaml", Data: []byte("limits: {low: 0}")}}
	opts.Sources = append(opts.Sources, Source{Path: "policy/p_test.rego", Data: []byte(`package main

test_passes if "no replicas" in deny with input as {"replicas": data.limits.low}

test_fails if {
	print("seen", input)
	count(deny) == 7 with input as {}
}

todo_test_later if false

test_errs if {
	x := {"a": v | some v in [1, 2]}
	x.a
}
`)})
	report, err := Test(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Tests {
		got = append(got, fmt.Sprintf("%s:%d %s.%s %s", r.Span.File, r.Span.Start.Line, r.Package, r.Name, r.Status))
	}
	want := []string{
		"policy/p_test.rego:3 main.test_passes passed",
		"policy/p_test.rego:5 main.test_fails failed",
		"policy/p_test.rego:10 main.todo_test_later skipped",
		"policy/p_test.rego:12 main.test_errs error",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if report.OK() || report.Count(TestPassed) != 1 {
		t.Error("a failed test does not count")
	}
	if out := report.Tests[1].Output; !strings.Contains(out, "seen") {
		t.Errorf("print gives %q", out)
	}
	if m := report.Tests[3].Message; m != "policy/p_test.rego:13:8: object keys must be unique" {
		t.Errorf("message %q", m)
	}
	if len(report.Files) != 1 {
		t.Fatalf("files: %+v", report.Files)
	}
	file := report.Files[0]
	if file.File != "policy/p.rego" || file.Uncovered != 2 || file.Percent() >= 100 {
		t.Errorf("coverage: %+v", file)
	}
	if want := [][2]int{{5, 5}, {7, 7}}; !slices.Equal(file.Missed, want) {
		t.Errorf("missed %v, want %v", file.Missed, want)
	}
}

func TestUnitTestsOfABrokenPolicy(t *testing.T) {
	opts := file("package main\n\ndeny contains msg if true\n")
	_, err := Test(t.Context(), opts)
	if config := (*ConfigError)(nil); !errors.As(err, &config) || config.Span.Start.Line != 3 {
		t.Errorf("got %v", err)
	}
}
