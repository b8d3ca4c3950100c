package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// outcomeJSON is the form of -o json of apply and drift.
type outcomeJSON struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Revision   string        `json:"revision"`
	Signer     string        `json:"signer,omitempty"`
	Reverted   string        `json:"reverted,omitempty"`
	Notes      []string      `json:"notes,omitempty"`
	Errors     []string      `json:"errors"`
	Targets    []targetJSON  `json:"targets"`
	Findings   []findingJSON `json:"findings"`
}

// findingJSON is a finding as in the report of check.
type findingJSON = finding.Finding

type targetJSON struct {
	Path     string         `json:"path"`
	Set      string         `json:"set"`
	Digest   string         `json:"digest"`
	Previous string         `json:"previous"`
	Stage    job.Stage      `json:"failedIn,omitempty"`
	Actions  []actionJSON   `json:"actions"`
	Drift    []drift.Object `json:"drift"`
	Requests int            `json:"requests"`
	Warnings []string       `json:"warnings"`
}

type actionJSON struct {
	Object string     `json:"object"`
	Verb   apply.Verb `json:"verb"`
	Reason string     `json:"reason,omitempty"`
}

// writeOutcome says how a run went.
func writeOutcome(s *streams, format string, out *job.Outcome, err error) error {
	if format == "json" {
		return writeOutcomeJSON(s.out, out, err)
	}
	if a := out.Admission; a != nil && a.Failed {
		write := report.Options{Source: a.Source, Rules: a.Rules, FailOn: finding.Error}
		if err := report.Write(s.out, "line", a.Report, write); err != nil {
			return err
		}
	}
	for _, t := range out.Targets {
		if err := writeTarget(s.out, t, out.Revision); err != nil {
			return err
		}
	}
	if out.Reverted != "" {
		fmt.Fprintf(s.out, "went back to %s\n", out.Reverted)
	}
	for _, note := range out.Notes {
		fmt.Fprintln(s.err, "note: "+report.Sanitize(note))
	}
	// What the error of a finding says is not printed elsewhere.
	if job.IsFinding(err) {
		for _, line := range errorLines(err) {
			fmt.Fprintln(s.err, "error: "+line)
		}
	}
	return nil
}

// errorLines are the lines of an error, fit for a terminal.
func errorLines(err error) []string {
	if err == nil {
		return []string{}
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = report.Sanitize(line)
	}
	return lines
}

// writeTarget writes a line for the target, and one for each object that was
// changed or differs.
func writeTarget(w io.Writer, t *job.TargetOutcome, revision string) error {
	counts := map[string]int{}
	var changed []string
	if t.Result != nil {
		for _, a := range t.Result.Actions {
			if a.Verb == "" {
				continue
			}
			counts[string(a.Verb)]++
			if a.Verb != apply.Unchanged {
				line := fmt.Sprintf("  %s %s", a.Verb, a.ID)
				if a.Reason != "" {
					line += ": " + a.Reason
				}
				changed = append(changed, line)
			}
		}
	}
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[verb], verb))
	}
	head := t.Target
	if revision != "" {
		head += " at " + revision
	}
	head += ": " + verdict(t)
	if len(parts) > 0 {
		head += " (" + strings.Join(parts, ", ") + ")"
	}
	lines := append([]string{head}, changed...)
	for _, d := range t.Drift {
		lines = append(lines, "  "+strings.ReplaceAll(t.DriftText(d), "\n", "\n  "))
	}
	lines = strings.Split(strings.Join(lines, "\n"), "\n") // what drifted has several
	for i, line := range lines {
		lines[i] = report.Sanitize(line)
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func verdict(t *job.TargetOutcome) string {
	var failed *job.Error
	drifts := func(o drift.Object) bool { return o.What != drift.Added }
	switch {
	case errors.As(t.Err, &failed):
		return "failed in " + string(failed.Stage)
	case slices.ContainsFunc(t.Drift, func(o drift.Object) bool { return drifts(o) && !t.PutBack(o) }):
		return "differs from Git"
	case slices.ContainsFunc(t.Drift, drifts):
		return "differed from Git, and was put back"
	case t.Result == nil:
		return "as in Git"
	}
	return "applied and healthy"
}

func writeOutcomeJSON(w io.Writer, out *job.Outcome, err error) error {
	doc := outcomeJSON{
		APIVersion: finding.APIVersion, Kind: "Outcome", Revision: out.Revision, Signer: out.Signer, Reverted: out.Reverted, Notes: out.Notes,
		Errors: errorLines(err), Targets: []targetJSON{}, Findings: []findingJSON{},
	}
	if out.Admission != nil {
		doc.Findings = append(doc.Findings, out.Admission.Report.Findings...)
	}
	for _, t := range out.Targets {
		one := targetJSON{Path: t.Target, Set: t.Set, Digest: t.Digest, Previous: t.Previous, Actions: []actionJSON{}, Drift: append([]drift.Object{}, t.Drift...), Warnings: []string{}}
		var failed *job.Error
		if errors.As(t.Err, &failed) {
			one.Stage = failed.Stage
		}
		if t.Result != nil {
			one.Requests, one.Warnings = t.Result.Requests, append(one.Warnings, t.Result.Warnings...)
			for _, a := range t.Result.Actions {
				one.Actions = append(one.Actions, actionJSON{a.ID.String(), a.Verb, a.Reason})
			}
		}
		doc.Targets = append(doc.Targets, one)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
