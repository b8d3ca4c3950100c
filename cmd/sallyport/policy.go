package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/policy"
	"github.com/sallyport/sallyport/report"
)

func newPolicy(s *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Work on policies",
		Long:    "policy groups what is done with Rego policies apart from a check.",
		GroupID: groupMain,
		Args:    noUnknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(newPolicyTest(s))
	return cmd
}

func newPolicyTest(s *streams) *cobra.Command {
	var flags readFlags
	var policies policyFlags
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Run the unit tests of the loaded policies, with coverage",
		Long: `test runs every Rego rule whose name begins with test_ in the policies of the
configuration and of -p, with what policies may use in a check: no network, no
clock. It says which lines no test reached; -v also names the tests that passed
and the files that are covered.`,
		Example: `  sallyport policy test
  sallyport policy test -p policies/ -d policies/data.yaml`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := flags.options(cmd)
			if err != nil {
				return err
			}
			policies.apply(&opts)
			var result policy.TestReport
			err = s.watch(cmd.Context(), &flags, &opts, func() (err error) {
				result, err = gate.PolicyTest(cmd.Context(), opts)
				return err
			})
			if err != nil {
				return err
			}
			if len(result.Tests) == 0 {
				return usage(cmd, errors.New("no test in the loaded policies; name their directory with -p"))
			}
			if err := writePolicyTests(s, result, flags.verbose); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			if !result.OK() {
				return errFindings
			}
			return nil
		},
	}
	policies.add(cmd)
	flags.add(cmd)
	return cmd
}

// writePolicyTests writes the tests that did not pass, the files with lines that
// no test reached, and a last line that counts.
func writePolicyTests(s *streams, r policy.TestReport, all bool) error {
	for _, t := range r.Tests {
		if all || t.Status != policy.TestPassed {
			writePolicyTest(s.out, t)
		}
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	covered, lines := 0, 0
	for _, c := range r.Files {
		if all || c.Uncovered > 0 {
			fmt.Fprintf(w, "%s\t%5.1f%%%s\n", report.Sanitize(c.File), c.Percent(), missed(c.Missed))
		}
		covered, lines = covered+c.Covered, lines+c.Covered+c.Uncovered
	}
	if err := w.Flush(); err != nil {
		return err
	}
	mark := "✓"
	if !r.OK() {
		mark = "✗"
	}
	parts := []string{fmt.Sprintf("%d passed", r.Count(policy.TestPassed))}
	for _, status := range []policy.TestStatus{policy.TestFailed, policy.TestErrored, policy.TestSkipped} {
		if n := r.Count(status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	total := policy.Coverage{Covered: covered, Uncovered: lines - covered}
	_, err := fmt.Fprintf(s.out, "%s %d tests: %s. %.1f%% of lines covered.\n", mark, len(r.Tests), strings.Join(parts, ", "), total.Percent())
	return err
}

func writePolicyTest(w io.Writer, t policy.TestResult) {
	fmt.Fprintf(w, "%s: %s: %s.%s", report.Sanitize(t.Span.String()), t.Status, report.Sanitize(t.Package), report.Sanitize(t.Name))
	if t.Message != "" {
		fmt.Fprintf(w, ": %s", report.Sanitize(t.Message))
	}
	fmt.Fprintln(w)
	for line := range strings.Lines(t.Output) {
		fmt.Fprintf(w, "    %s\n", report.Sanitize(strings.TrimRight(line, "\n")))
	}
}

// missed is the column that names the lines that no test reached: 3, 7-9.
func missed(ranges [][2]int) string {
	var joined [][2]int
	for _, r := range ranges {
		if n := len(joined); n > 0 && r[0] <= joined[n-1][1]+1 {
			joined[n-1][1] = max(joined[n-1][1], r[1])
			continue
		}
		joined = append(joined, r)
	}
	var parts []string
	for _, r := range joined {
		if r[0] == r[1] {
			parts = append(parts, fmt.Sprint(r[0]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", r[0], r[1]))
		}
	}
	if parts == nil {
		return ""
	}
	return "\tnot reached: lines " + strings.Join(parts, ", ")
}
