package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

func newTargets(s *streams) *cobra.Command {
	var flags readFlags
	var targets []string
	var format string
	cmd := &cobra.Command{
		Use:   "targets [PATH]",
		Short: "List the targets of a repository, and why each is one",
		Long: `targets lists what check would check: every kustomization that no other refers
to, and every directory of plain manifests that no kustomization owns. Below it,
what looks deployable and is no target, with the reason.`,
		Example: `  sallyport targets
  sallyport targets clusters/prod -o json`,
		GroupID: groupMain,
		Args:    arguments(0, 1, "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(cmd)
			if err != nil {
				return err
			}
			if format != "text" && format != "json" {
				return usage(cmd, fmt.Errorf("-o %q: unknown format (known: text, json)", format))
			}
			if len(args) > 0 {
				opts.Path = args[0]
			}
			opts.Targets = targets
			var listing *gate.Listing
			err = s.watch(&flags, &opts, func() (err error) {
				listing, err = gate.Targets(cmd.Context(), opts)
				return err
			})
			if err != nil {
				return err
			}
			if format == "json" {
				return writeTargetsJSON(s, listing)
			}
			return writeTargets(s, listing)
		},
	}
	targetFlag(cmd, &targets)
	cmd.Flags().StringVarP(&format, "output", "o", "text", "print as `FORMAT`: text or json")
	flags.add(cmd)
	complete(cmd, "output", "text", "json")
	return cmd
}

func writeTargets(s *streams, l *gate.Listing) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TARGET\tKIND\tWHY")
	for _, t := range l.Targets {
		fmt.Fprintf(w, "%s\t%s\t%s\n", report.Sanitize(t.Path), t.Kind, report.Sanitize(t.Why))
	}
	if len(l.Skipped) > 0 {
		fmt.Fprintln(w, "\nNOT A TARGET\t\tWHY")
		for _, t := range l.Skipped {
			fmt.Fprintf(w, "%s\t\t%s\n", report.Sanitize(t.Path), report.Sanitize(t.Reason))
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// targetsDocument is the JSON form of a listing.
type targetsDocument struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Targets    []targetEntry   `json:"targets"`
	Skipped    []skippedTarget `json:"skipped"`
}

type targetEntry struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
	File string `json:"file"`
	Why  string `json:"why"`
}

type skippedTarget struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func writeTargetsJSON(s *streams, l *gate.Listing) error {
	doc := targetsDocument{
		APIVersion: finding.APIVersion,
		Kind:       "Targets",
		Targets:    []targetEntry{},
		Skipped:    []skippedTarget{},
	}
	for _, t := range l.Targets {
		doc.Targets = append(doc.Targets, targetEntry{t.Path, string(t.Kind), t.File, t.Why})
	}
	for _, t := range l.Skipped {
		doc.Skipped = append(doc.Skipped, skippedTarget(t))
	}
	return report.WriteJSON(s.out, doc)
}
