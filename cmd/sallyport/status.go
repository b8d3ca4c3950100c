package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/apply/notify"
	"github.com/sallyport/sallyport/report"
)

// statusTimeout is how long a person waits for an answer before asking whether
// the cluster is there at all.
const statusTimeout = 10 * time.Second

func newStatus(s *streams) *cobra.Command {
	f := &clusterFlags{}
	format := "text"
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what the runners of a namespace did last",
		Long: `status reads what apply wrote about its last runs: the revision of each target,
whether it is healthy, what failed and what differs from Git. It exits with 1 if
a target failed or differs.`,
		Example: `  sallyport status --kubeconfig ~/.kube/config --namespace sallyport
  sallyport status -o json`,
		GroupID: groupMain,
		Args:    arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return usage(cmd, fmt.Errorf("-o %q: unknown format (known: text, json)", format))
			}
			namespace := f.own()
			if namespace == "" {
				return usage(cmd, errors.New("the namespace of the runner is not known outside a cluster: give --namespace"))
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), statusTimeout)
			defer cancel()
			c, err := cluster.Connect(ctx, cluster.Options{Kubeconfig: f.kubeconfig, Context: f.context})
			if err != nil {
				return err
			}
			all, err := job.Statuses(ctx, c, namespace)
			if err != nil {
				return err
			}
			if err := writeStatuses(s, format, namespace, all); err != nil {
				return err
			}
			for _, one := range all {
				if one.State == notify.Failed || one.State == notify.Drifted {
					return errFindings
				}
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&format, "output", "o", "text", "print as `FORMAT`: text or json")
	complete(cmd, "output", "text", "json")
	return cmd
}

func writeStatuses(s *streams, format, namespace string, all []job.Status) error {
	if format == "json" {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"apiVersion": "sallyport.dev/v1", "kind": "StatusList", "items": append([]job.Status{}, all...)})
	}
	if len(all) == 0 {
		_, err := fmt.Fprintf(s.out, "nothing has been applied from namespace %s\n", namespace)
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TARGET\tSTATE\tREVISION\tLAST GOOD\tFINISHED")
	for _, one := range all {
		state := string(one.State)
		if one.Stage != "" {
			state += " in " + string(one.Stage)
		}
		cells := []string{orDash(one.Target, "(run)"), state, orDash(one.Revision, "-"), orDash(one.Good, "-"), one.Finished.UTC().Format(time.RFC3339)}
		for i, cell := range cells { // one by one, since a tab between them is ours
			cells[i] = report.Sanitize(cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	told := map[string]bool{} // by a target, whose lines need not be repeated for the run
	for _, one := range all {
		for _, line := range one.Errors {
			told[line] = told[line] || one.Target != ""
		}
	}
	for _, one := range all {
		for _, line := range statusLines(one, told) {
			fmt.Fprintln(s.out, report.Sanitize(orDash(one.Target, "(run)")+": "+line))
		}
	}
	return nil
}

// statusLines are what a status has to say beyond its row.
func statusLines(one job.Status, told map[string]bool) []string {
	if one.Target != "" {
		lines := slices.Concat(one.Errors, one.Drift)
		for i, line := range lines {
			lines[i] = strings.TrimPrefix(line, one.Target+": ")
		}
		for _, warning := range one.Warnings {
			lines = append(lines, "warning: "+warning)
		}
		return lines
	}
	lines := slices.DeleteFunc(slices.Clone(one.Errors), func(line string) bool { return told[line] })
	for _, note := range one.Warnings {
		lines = append(lines, "note: "+note)
	}
	return lines
}

func orDash(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
