package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
)

// topic is something that explain knows beside the rules.
type topic struct {
	name, title string
	text        func() string
}

func topics() []topic {
	return []topic{
		{"config", "The configuration file .sallyport.yaml", gate.ConfigDoc},
		{"exit-codes", "What the exit codes mean", func() string { return exitCodesDoc }},
	}
}

func newExplain(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [RULE]",
		Short: "Say what a rule means, and how to put it right",
		Long: `explain prints what a rule means and why it matters, an example that breaks it,
the same thing done right, and the next step. Without an argument it lists the
rules and the other topics.`,
		Example: `  sallyport explain
  sallyport explain secret-plaintext
  sallyport explain exit-codes
  sallyport explain config`,
		GroupID: groupMain,
		Args:    arguments(0, 1, "RULE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := gate.Rules(cmd.Context())
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if len(args) == 0 {
				listRules(&b, rules)
			} else if err := explain(&b, cmd, rules, args[0]); err != nil {
				return err
			}
			_, err = s.out.Write(b.Bytes())
			return err
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			rules, err := gate.Rules(cmd.Context())
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return topicNames(rules), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// topicNames returns everything that explain takes, rules first.
func topicNames(rules []finding.Rule) []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	for _, t := range topics() {
		names = append(names, t.name)
	}
	return names
}

func listRules(out io.Writer, rules []finding.Rule) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tSEVERITY\tTITLE")
	for _, r := range rules {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Severity, r.Title)
	}
	fmt.Fprintln(w, "\nTOPIC\t\tTITLE")
	for _, t := range topics() {
		fmt.Fprintf(w, "%s\t\t%s\n", t.name, t.title)
	}
	w.Flush()
}

func explain(w io.Writer, cmd *cobra.Command, rules []finding.Rule, name string) error {
	for _, t := range topics() {
		if t.name == name {
			fmt.Fprintf(w, "%s\n\n%s", t.title, t.text())
			return nil
		}
	}
	for _, r := range rules {
		if r.Name == name {
			explainRule(w, r)
			return nil
		}
	}
	hint := "sallyport explain lists the rules"
	if near := nearest(strings.ReplaceAll(strings.ToLower(name), "_", "-"), topicNames(rules)); near != "" {
		hint = "did you mean sallyport explain " + near + "?"
	}
	return &usageError{err: fmt.Errorf("unknown rule %q", name), hint: hint}
}

func explainRule(w io.Writer, r finding.Rule) {
	fmt.Fprintf(w, "%s (%s)\n%s\n\n%s\n", r.Name, r.Severity, r.Title, wrap(r.Doc))
	example(w, "Wrong:", r.Bad)
	example(w, "Right:", r.Good)
	fmt.Fprintf(w, "\nFix: %s\n", strings.TrimSpace(r.Fix))
}

// example prints the files of an example, indented.
func example(w io.Writer, heading string, files finding.Example) {
	if len(files) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", heading)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(w, "\n    # %s\n", name)
		for line := range strings.Lines(files[name]) {
			fmt.Fprintln(w, strings.TrimRight("    "+line, " \n"))
		}
	}
}
