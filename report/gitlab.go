package report

import (
	"bufio"
	"cmp"

	"github.com/sallyport/sallyport/finding"
)

// gitlabIssue is one entry of a GitLab Code Quality report:
// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
type gitlabIssue struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

// writeGitLab writes every finding, also waived ones: GitLab compares the
// fingerprints of two branches, so leaving one out would show it as resolved.
func writeGitLab(w *bufio.Writer, r *finding.Report, opts Options) error {
	issues := make([]gitlabIssue, len(r.Findings))
	prints := fingerprints(r.Findings)
	for i, f := range r.Findings {
		at := anchor(f, opts)
		issues[i] = gitlabIssue{
			Description: gitlabDescription(f),
			CheckName:   f.Rule,
			Fingerprint: prints[i],
			Severity:    gitlabSeverity(f),
			Location:    gitlabLocation{Path: at.File, Lines: gitlabLines{Begin: max(at.Start.Line, 1)}},
		}
	}
	return encodeJSON(w, issues)
}

// gitlabSeverity: an error fails the gate, a waived finding only informs.
func gitlabSeverity(f finding.Finding) string {
	switch {
	case f.Waiver != nil:
		return "info"
	case f.Severity == finding.Error:
		return "critical"
	}
	return "minor"
}

// gitlabDescription is all that the widget shows beside the place.
func gitlabDescription(f finding.Finding) string {
	out := cmp.Or(f.Message, f.Rule, "finding")
	if s := subject(f); s != "" {
		out += " (" + s + ")"
	}
	if f.Waiver != nil {
		out += "; " + waived(*f.Waiver)
	}
	return out
}
