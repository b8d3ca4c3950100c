package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
)

func newTargets(s *streams) *cobra.Command {
	var flags readFlags
	var targets []string
	var format, affectedBy string
	var files []string
	cmd := &cobra.Command{
		Use:   "targets [PATH]",
		Short: "List the targets of a repository, and why each is one",
		Long: `targets lists what check would check in the directory PATH, by default the
current one: every kustomization that no other refers
to, every directory of plain manifests that no kustomization owns, and every
Flux Kustomization and Argo CD Application that changes what it builds. Below it,
what looks deployable and is no target, with the reason. With --affected-by or
--files it lists only the targets that a change can affect, from the exact record
of what each target reads and looks for.`,
		Example: `  sallyport targets
  sallyport targets clusters/prod -o json
  sallyport targets --affected-by origin/main
  sallyport targets --files base/deployment.yaml
  sallyport targets -o mermaid`,
		GroupID: groupMain,
		Args:    arguments(0, 1, "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(cmd)
			if err != nil {
				return err
			}
			write, ok := targetWriters[format]
			switch {
			case !ok:
				return usage(cmd, fmt.Errorf("-o %q: unknown format (known: %s)", format, strings.Join(targetFormats(), ", ")))
			case affectedBy != "" && len(files) > 0:
				return usage(cmd, errors.New("--affected-by and --files exclude each other"))
			}
			if len(args) > 0 {
				opts.Path = args[0]
			}
			opts.Targets, opts.ChangedSince, opts.Files = targets, affectedBy, files
			var listing *gate.Listing
			err = s.watch(cmd.Context(), &flags, &opts, func() (err error) {
				listing, err = gate.Targets(cmd.Context(), opts)
				return err
			})
			if err != nil {
				return err
			}
			if listing.Every != "" {
				fmt.Fprintln(s.err, "every target counts as affected, since", report.Sanitize(listing.Every))
			}
			if len(listing.Targets) == 0 && (affectedBy != "" || len(files) > 0) {
				fmt.Fprintln(s.err, "no target is affected")
			}
			return write(s, listing)
		},
	}
	targetFlag(cmd, &targets)
	cmd.Flags().StringVar(&affectedBy, "affected-by", "", "only targets that the change since the merge base with `REV` can affect")
	cmd.Flags().StringSliceVar(&files, "files", nil, "only targets that a change of `FILE` can affect (repeatable)")
	cmd.Flags().StringVarP(&format, "output", "o", "text", "print as `FORMAT`: text or json, or dot or mermaid for the graph")
	flags.add(cmd)
	complete(cmd, "output", targetFormats()...)
	return cmd
}

// targetWriters are the formats of targets.
var targetWriters = map[string]func(*streams, *gate.Listing) error{
	"text": writeTargets, "json": writeTargetsJSON, "dot": writeTargetsDot, "mermaid": writeTargetsMermaid,
}

func targetFormats() []string { return []string{"text", "json", "dot", "mermaid"} }

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
	Path string   `json:"path"`
	Kind string   `json:"kind"`
	File string   `json:"file"`
	Why  string   `json:"why"`
	Uses []string `json:"uses"` // directories of the kustomizations it is made of, sorted
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
	for i, t := range l.Targets {
		uses := []string{}
		for _, e := range l.Edges[i] {
			uses = append(uses, e.To)
		}
		slices.Sort(uses)
		doc.Targets = append(doc.Targets, targetEntry{t.Path, string(t.Kind), t.File, t.Why, slices.Compact(uses)})
	}
	for _, t := range l.Skipped {
		doc.Skipped = append(doc.Skipped, skippedTarget(t))
	}
	return report.WriteJSON(s.out, doc)
}
