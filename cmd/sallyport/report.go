package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/report"
)

// maxReportBytes bounds a JSON report that is read. One of 1,000 targets with its
// evidence has 10 MiB.
const maxReportBytes = 1 << 30

func newReport(s *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "report",
		Short:   "Work with reports that check wrote",
		Long:    "report groups what is done with the JSON reports of check.",
		GroupID: groupMore,
		Args:    noUnknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newReportMerge(s))
	return cmd
}

// mergeOptions are the flags of report merge.
type mergeOptions struct {
	outputs     []string
	source, rev string
	staged      bool
	color       string
}

func newReportMerge(s *streams) *cobra.Command {
	o := &mergeOptions{}
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Join the JSON reports of all shards into one report",
		Long: `merge joins the JSON reports that check --shard I/N -o json wrote, one of each
shard, into the report that check would have written in one run, byte for byte, in
any format. It needs no repository; with --source PATH the text format shows the
lines of the files there.

A shard that is missing or given twice, and shards of another revision, program,
configuration or other options, are a mistake (2). Otherwise the exit code is that
of check.`,
		Example: `  sallyport report merge shard-*.json
  sallyport report merge shard-*.json --source . -o text -o sarif=sallyport.sarif`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, errors.New(cmd.CommandPath()+" needs the reports of all shards"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runReportMerge(cmd, s, o, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, "write the report as `FORMAT[=FILE]`: "+strings.Join(report.Formats(), ", ")+" (repeatable; default text, or line where the output is no terminal)")
	flags.StringVar(&o.source, "source", "", "show the lines of the repository at `PATH`, in the state that the shards saw")
	flags.BoolVar(&o.staged, "staged", false, "with --source: read the Git index")
	flags.StringVar(&o.rev, "rev", "", "with --source: read the commit that `REV` names")
	flags.StringVar(&o.color, "color", "auto", "colour the output: `WHEN` is auto, always or never; NO_COLOR is honoured")
	complete(cmd, "output", report.Formats()...)
	complete(cmd, "color", "auto", "always", "never")
	return cmd
}

func runReportMerge(cmd *cobra.Command, s *streams, o *mergeOptions, files []string) error {
	outputs, err := parseOutputs(o.outputs, s.outTTY)
	if err != nil {
		return usage(cmd, err)
	}
	if o.source == "" && (o.rev != "" || o.staged) {
		return usage(cmd, errors.New("--rev and --staged say what to read with --source"))
	}
	result, err := o.merge(cmd.Context(), files)
	if err != nil {
		return err
	}
	like := &checkOptions{readFlags: readFlags{color: o.color}, failOn: result.FailOn}
	if err := like.write(s, outputs, result, htmlExtras{}, 0); err != nil {
		return err
	}
	if result.Failed {
		return errFindings
	}
	return nil
}

func (o *mergeOptions) merge(ctx context.Context, files []string) (*gate.Result, error) {
	shards := make([]*finding.Report, len(files))
	for i, file := range files {
		r, err := readReport(file)
		if err != nil {
			return nil, err
		}
		if r.Shard == nil {
			return nil, &usageError{err: fmt.Errorf("%s is the report of a whole run, not of a shard", file), hint: "sallyport check --shard I/N -o json writes one"}
		}
		shards[i] = r
	}
	return gate.Merge(ctx, gate.Options{Path: o.source, Selector: repo.Selector{Staged: o.staged, Rev: o.rev}}, shards)
}

func readReport(file string) (*finding.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := report.Read(io.LimitReader(f, maxReportBytes))
	if err != nil {
		return nil, &usageError{err: fmt.Errorf("%s: %w", file, err), hint: "sallyport check --shard I/N -o json writes one"}
	}
	return r, nil
}
