package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

// checkOptions are the flags of check.
type checkOptions struct {
	readFlags
	policyFlags
	cacheFlags
	only         []string
	shard        string
	targets      []string
	changedSince string
	policyFrom   string
	commits      string
	versions     []string
	schemas      []string
	strict       bool
	failOn       finding.Severity
	allowEmpty   bool
	outputs      []string
}

func newCheck(s *streams) *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check [PATH]",
		Short: "Check every target of a repository",
		Long: `check finds the targets in the directory PATH of a repository, by default the
current one, renders each without any key, and checks the objects: schema,
policies, secrets. Every finding names the file, line and column to change; paths
are relative to the root of the repository.

On a terminal the findings are printed with their source lines; elsewhere one a
line. sallyport explain RULE says what a finding means, sallyport explain
exit-codes what the exit codes mean.`,
		Example: `  sallyport check
  sallyport check clusters/prod -k 1.34 -k 1.35
  sallyport check --staged --fail-on warning
  sallyport check --changed-since origin/main --commits origin/main..HEAD
  sallyport check --target 'overlays/*' -p policies/ -o text -o json=report.json`,
		GroupID: groupMain,
		Args:    arguments(0, 1, "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd, s, o, args)
		},
	}
	targetFlag(cmd, &o.targets)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.changedSince, "changed-since", "", "only targets that the change since the merge base with `REV` can affect")
	flags.StringVar(&o.commits, "commits", "", "also judge what each commit of `BASE..HEAD` adds, even if a later one removes it")
	flags.StringVar(&o.policyFrom, "policy-from", "", "judge by the configuration, policies, creation rules and waivers of `REV`, not by those under review")
	flags.StringSliceVarP(&o.versions, "kubernetes-version", "k", nil, "judge by the API of Kubernetes `VERSION`, such as 1.35 (repeatable)")
	flags.StringArrayVar(&o.schemas, "schema-location", nil, "look for schemas at `LOCATION`, in kubeconform's template syntax (repeatable)")
	flags.BoolVar(&o.strict, "strict", false, "a missing schema is a finding, not only counted")
	o.policyFlags.add(cmd)
	flags.TextVar(&o.failOn, "fail-on", finding.Error, "exit with 1 from this `SEVERITY` on: error or warning")
	flags.StringSliceVar(&o.only, "only", nil, "run only the `CHECK`: "+strings.Join(gate.Checks(), ", ")+" (repeatable); the report says what was not run")
	flags.StringVar(&o.shard, "shard", "", "check part `I/N` of the targets, such as 2/8 (job/8: as JOB_COMPLETION_INDEX says); sallyport report merge joins the JSON reports")
	o.cacheFlags.add(cmd)
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "succeed where there is no target")
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, "write the report as `FORMAT[=FILE]`: "+strings.Join(report.Formats(), ", ")+" (repeatable; default text, or line where the output is no terminal)")
	o.readFlags.add(cmd)
	complete(cmd, "fail-on", "error", "warning")
	complete(cmd, "only", gate.Checks()...)
	complete(cmd, "output", report.Formats()...)
	return cmd
}

func runCheck(cmd *cobra.Command, s *streams, o *checkOptions, args []string) error {
	opts, err := o.options(cmd)
	if err != nil {
		return err
	}
	outputs, err := parseOutputs(o.outputs, s.outTTY)
	if err != nil {
		return usage(cmd, err)
	}
	if len(args) > 0 {
		opts.Path = args[0]
	}
	opts.Targets, opts.Versions, opts.Schemas = o.targets, o.versions, o.schemas
	opts.ChangedSince, opts.PolicyFrom, opts.Commits = o.changedSince, o.policyFrom, o.commits
	opts.Strict, opts.FailOn, opts.AllowEmpty = o.strict, o.failOn, o.allowEmpty
	opts.Only = o.only
	if opts.Shard, err = parseShard(o.shard, s.env); err != nil {
		return usage(cmd, err)
	}
	o.policyFlags.apply(&opts)
	if err := o.cacheFlags.apply(s, &opts); err != nil {
		return usage(cmd, err)
	}

	begin := time.Now()
	var result *gate.Result
	var more htmlExtras
	err = s.watch(cmd.Context(), &o.readFlags, &opts, func() (err error) {
		if result, err = gate.Check(cmd.Context(), opts); err != nil || !wants(outputs, "html") {
			return err
		}
		more, err = gatherExtras(cmd.Context(), opts, result)
		return err
	})
	if err != nil {
		return err
	}
	for _, note := range result.Notes {
		fmt.Fprintf(s.err, "warning: %s\n", note)
	}
	if err := o.write(s, outputs, result, more, time.Since(begin)); err != nil {
		return err
	}
	if result.Failed {
		return errFindings
	}
	return nil
}

// write writes every report that was asked for. Standard output comes first: a
// full disk must not hide the findings.
func (o *checkOptions) write(s *streams, outputs []output, result *gate.Result, more htmlExtras, took time.Duration) error {
	for _, out := range outputs {
		if out.file == "" {
			if err := o.print(s, out.format, result, more, took); err != nil {
				return err
			}
		}
	}
	for _, out := range outputs {
		if out.file == "" {
			continue
		}
		opts := o.reportOptions(s, result, more)
		err := writeFile(out.file, func(w io.Writer) error { return report.Write(w, out.format, result.Report, opts) })
		if err != nil {
			return fmt.Errorf("write %s: %w", out.file, err)
		}
	}
	return nil
}

// print writes the report of standard output. The time is for a person at a
// terminal only: the output of equal runs is equal. Beside lines the verdict
// goes to standard error, so that a log says how it went, and what was not
// checked.
func (o *checkOptions) print(s *streams, format string, result *gate.Result, more htmlExtras, took time.Duration) error {
	opts := o.reportOptions(s, result, more)
	opts.Color = s.color(o.color)
	if s.outTTY {
		opts.Elapsed = took
	}
	if err := report.Write(s.out, format, result.Report, opts); err != nil {
		return err
	}
	if format == "line" {
		return report.WriteVerdict(s.err, result.Report)
	}
	return nil
}

func (o *checkOptions) reportOptions(s *streams, result *gate.Result, more htmlExtras) report.Options {
	return report.Options{
		Source:     result.Source,
		Rules:      result.Rules,
		FailOn:     o.failOn,
		LinkBase:   linkBase(s.env, result.Report.Snapshot.Revision),
		Diff:       more.diff,
		DiffWhyNot: more.diffWhyNot,
		Reach:      more.reach,
	}
}

// linkBase is where the files of a revision are to be seen, as the variables of
// GitHub Actions and GitLab CI/CD tell; "" elsewhere.
func linkBase(env func(string) string, revision string) string {
	switch {
	case revision == "":
		return ""
	case env("GITHUB_REPOSITORY") != "" && env("GITHUB_SERVER_URL") != "":
		return env("GITHUB_SERVER_URL") + "/" + env("GITHUB_REPOSITORY") + "/blob/" + revision
	case env("CI_PROJECT_URL") != "":
		return env("CI_PROJECT_URL") + "/-/blob/" + revision
	}
	return ""
}
