package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/sallyport/sallyport/finding"
)

// TestStatus is how one Rego unit test fared.
type TestStatus string

// The statuses of a unit test. Skipped is OPA's todo_test_ prefix.
const (
	TestPassed  TestStatus = "passed"
	TestFailed  TestStatus = "failed"
	TestErrored TestStatus = "error"
	TestSkipped TestStatus = "skipped"
)

// TestResult is one unit test: a rule whose name starts with test_. Message is
// set where it could not be evaluated; Output is what it printed.
type TestResult struct {
	Package  string
	Name     string
	Span     finding.Span
	Status   TestStatus
	Message  string
	Output   string
	Duration time.Duration
}

// Coverage says which lines of one policy file the unit tests evaluated. Missed
// holds the first and last line of each stretch that none of them did.
type Coverage struct {
	File      string
	Covered   int // lines
	Uncovered int // lines
	Missed    [][2]int
}

// Percent is the share of lines that were evaluated, 100 for a file without
// anything to evaluate.
func (c Coverage) Percent() float64 {
	if c.Covered+c.Uncovered == 0 {
		return 100
	}
	return 100 * float64(c.Covered) / float64(c.Covered+c.Uncovered)
}

// TestReport is the result of the unit tests of a set of policies. Tests are
// sorted by place, Files by name; the test files themselves are not in Files.
type TestReport struct {
	Tests []TestResult
	Files []Coverage
}

// Count returns how many tests ended with a status.
func (r TestReport) Count(status TestStatus) int {
	n := 0
	for _, t := range r.Tests {
		if t.Status == status {
			n++
		}
	}
	return n
}

// OK reports whether every test passed or was skipped.
func (r TestReport) OK() bool {
	return r.Count(TestFailed)+r.Count(TestErrored) == 0
}

// Test runs the unit tests of the policies that opts names, in every namespace,
// with what policies may use in a check. What is wrong with the policies
// themselves is a *ConfigError.
func Test(ctx context.Context, opts Options) (TestReport, error) {
	modules, err := parseWithTests(opts)
	if err != nil {
		return TestReport{}, err
	}
	store, err := loadData(opts.Data)
	if err != nil {
		return TestReport{}, err
	}
	byFile := make(map[string]*ast.Module, len(modules))
	for _, m := range modules {
		byFile[m.file] = m.Module
	}
	coverage := cover.New()
	results, err := tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithCapabilities(capabilities()).WithEnablePrintStatements(true)).
		SetStore(store).
		SetTimeout(evalTimeout).
		SetCoverageQueryTracer(coverage).
		SetCoverageRuns(nil).
		AddCustomBuiltins([]*tester.Builtin{{Decl: parseConfigBuiltin(), Func: parseConfig()}}).
		Run(ctx, byFile)
	if err != nil {
		return TestReport{}, configError(err)
	}
	var report TestReport
	for result := range results {
		report.Tests = append(report.Tests, testResult(result))
	}
	if err := ctx.Err(); err != nil {
		return TestReport{}, err
	}
	slices.SortFunc(report.Tests, compareTests)
	report.Files = coverageOf(coverage.Report(byFile), modules)
	return report, nil
}

func testResult(r *tester.Result) TestResult {
	out := TestResult{
		Package:  strings.TrimPrefix(r.Package, "data."),
		Name:     r.Name,
		Span:     span(r.Location),
		Status:   TestPassed,
		Output:   string(r.Output),
		Duration: r.Duration,
	}
	switch {
	case r.Skip:
		out.Status = TestSkipped
	case r.Error != nil:
		out.Status = TestErrored
		out.Message = testError(r.Error)
	case r.Fail:
		out.Status = TestFailed
	}
	return out
}

func testError(err error) string {
	if topdown.IsCancel(err) {
		return fmt.Sprintf("takes more than %s", evalTimeout)
	}
	return configError(err).Error()
}

func compareTests(a, b TestResult) int {
	return cmp.Or(
		cmp.Compare(a.Span.File, b.Span.File),
		cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
		cmp.Compare(a.Name, b.Name),
	)
}

func coverageOf(report cover.Report, modules []module) []Coverage {
	var out []Coverage
	for _, m := range modules {
		file := report.Files[m.file]
		if m.isTest() || file == nil {
			continue
		}
		c := Coverage{File: m.file, Covered: file.CoveredLines, Uncovered: file.NotCoveredLines}
		for _, r := range file.NotCovered {
			c.Missed = append(c.Missed, [2]int{r.Start.Row, r.End.Row})
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Coverage) int { return cmp.Compare(a.File, b.File) })
	return out
}
