package report_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

type gitlabIssue struct {
	Description string
	CheckName   string `json:"check_name"`
	Fingerprint string
	Severity    string
	Location    struct {
		Path  string
		Lines struct{ Begin int }
	}
}

func parseGitLab(t *testing.T, out string) []gitlabIssue {
	t.Helper()
	var got []gitlabIssue
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	return got
}

// utf8 is s as JSON can carry it.
func utf8(s string) string {
	return string([]rune(s))
}

// checkGitLab holds that every finding is there once, under a fingerprint of
// its own, with the fields that GitLab requires.
func checkGitLab(t *testing.T, r *finding.Report, out string) {
	t.Helper()
	got := parseGitLab(t, out)
	if len(got) != len(r.Findings) {
		t.Fatalf("%d findings make %d issues", len(r.Findings), len(got))
	}
	seen := map[string]bool{}
	for i, f := range r.Findings {
		issue := got[i]
		if seen[issue.Fingerprint] || issue.Fingerprint == "" {
			t.Errorf("fingerprint %q is not unique", issue.Fingerprint)
		}
		seen[issue.Fingerprint] = true
		if issue.CheckName != utf8(f.Rule) || !strings.HasPrefix(issue.Description, utf8(f.Message)) || issue.Description == "" && f.Rule != "" {
			t.Errorf("%+v is read as %+v", f, issue)
		}
		if f.Location.File != "" && issue.Location.Path != utf8(f.Location.File) {
			t.Errorf("path %q is read as %q", f.Location.File, issue.Location.Path)
		}
		if !slices.Contains([]string{"blocker", "critical", "major", "minor", "info"}, issue.Severity) || issue.Location.Lines.Begin < 1 || issue.Location.Path == "" {
			t.Errorf("invalid issue %+v", issue)
		}
	}
}

// A finding without a place is shown at the kustomization of its target.
func TestUnplacedIsShownAtItsTarget(t *testing.T) {
	r := &finding.Report{Findings: []finding.Finding{{Rule: "a", Targets: []string{"overlays/prod"}}, {Rule: "b", Targets: []string{"charts/x"}}, {Rule: "c"}}}
	source := func(file string) []string {
		if file == "overlays/prod/kustomization.yml" {
			return []string{"resources: []"}
		}
		return nil
	}
	for i, issue := range parseGitLab(t, write(t, "gitlab", r, report.Options{Source: source})) {
		if want := []string{"overlays/prod/kustomization.yml", "charts/x", "."}[i]; issue.Location.Path != want {
			t.Errorf("path %q, want %q", issue.Location.Path, want)
		}
	}
}
