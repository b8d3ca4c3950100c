package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

var update = flag.Bool("update", false, "write the golden files")

// files are the masked sources of the shop and hostile reports.
var files = map[string]string{
	"base/payments/db-secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db-credentials\n\nstringData:\n  password: ••••••••\n",
	"overlays/prod/web.yaml":       "spec:\r\n  replicas: \"6\"\r\n",
	"base/web/deployment.yaml":     strings.Repeat("# padding\n", 11) + "  replicas: 2\n",
	"hostile.yaml":                 "a: \x1b[31mred\x1b[0m \u202egpj.exe\n\tkey:\t名前: wide e\u0301x\n",
	"long.yaml":                    "args: [" + strings.Repeat("\"--flag\", ", 40) + "bad, " + strings.Repeat("\"--flag\", ", 40) + "]\n",
}

func lines(file string) []string {
	text, ok := files[file]
	if !ok {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func span(file string, line, start, end int) finding.Span {
	return finding.Span{File: file, Start: finding.Position{Line: line, Column: start}, End: finding.Position{Line: line, Column: end}}
}

// shop is the report of an ordinary day: every kind of block once.
func shop() *finding.Report {
	r := &finding.Report{
		Tool:     finding.Tool{Name: "sallyport", Version: "0.1.0"},
		Snapshot: finding.Snapshot{Kind: "worktree", Revision: "0123456789abcdef0123456789abcdef01234567"},
		Targets: []finding.Target{
			{Path: "overlays/dev", Kind: "kustomize", Status: finding.Passed, Objects: 13, Digest: "sha256:aa"},
			{Path: "overlays/prod", Kind: "kustomize", Status: finding.Failed, Objects: 15, Digest: "sha256:bb"},
			{Path: "overlays/staging", Kind: "kustomize", Status: finding.NotRendered, Reason: "base/gone does not exist"},
		},
		NotChecked: []finding.NotChecked{
			{Target: "overlays/dev", Object: finding.Object{APIVersion: "monitoring.coreos.com/v1", Kind: "PodMonitor", Namespace: "shop", Name: "web"}, Check: "schema", Reason: "no schema for monitoring.coreos.com/v1 PodMonitor"},
			{Target: "overlays/prod", Object: finding.Object{APIVersion: "monitoring.coreos.com/v1", Kind: "PodMonitor", Namespace: "shop", Name: "web"}, Check: "schema", Reason: "no schema for monitoring.coreos.com/v1 PodMonitor"},
		},
		Summary: finding.Summary{
			Targets: 3, Objects: 28, Errors: 3, Warnings: 2, Waived: 1, NotChecked: 2,
			Checks: []finding.Check{
				{Name: "render", Count: 3, Unit: "targets", Errors: 1, Note: "28 objects"},
				{Name: "schema", Count: 26, Unit: "objects", Errors: 1},
				{Name: "policy", Count: 18, Unit: "rules", Warnings: 2},
				{Name: "secrets", Count: 5, Unit: "Secrets", Errors: 1, Note: "4 encrypted"},
			},
		},
	}
	r.Findings = finding.Merge([]finding.Finding{
		{
			Rule: "secret-plaintext", Severity: finding.Error, Message: "Secret value is committed in plaintext",
			Help:     "sallyport seal base/payments/db-secret.yaml; rotate the value if it was pushed",
			Object:   &finding.Object{APIVersion: "v1", Kind: "Secret", Namespace: "payments", Name: "db-credentials"},
			Pointer:  "/stringData/password",
			Location: span("base/payments/db-secret.yaml", 7, 13, 16),
			Targets:  []string{"overlays/prod", "overlays/dev"},
		},
		{
			Rule: "schema-invalid", Severity: finding.Error, Message: "replicas must be an integer, not a string",
			Help:     "write the number without quotes\nor remove the field",
			Object:   &finding.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"},
			Pointer:  "/spec/replicas",
			Location: span("overlays/prod/web.yaml", 2, 13, 16),
			Related: []finding.Related{
				{Message: "replaced here", Location: span("base/web/deployment.yaml", 12, 13, 14)},
				{Message: "not shown", Location: span("base/unreadable.yaml", 3, 1, 2)},
			},
			Targets: []string{"overlays/prod"},
		},
		{
			Rule: "render-error", Severity: finding.Error, Message: "base/gone does not exist",
			Unplaced: "kustomize names no file", Targets: []string{"overlays/staging"},
		},
		{
			Rule: "image-latest", Severity: finding.Warning, Message: "image nginx:latest can change under you",
			Object:   &finding.Object{APIVersion: "v1", Kind: "Pod", Name: "web"},
			Location: finding.Span{File: "README.md"},
			Targets:  []string{"overlays/a", "overlays/b", "overlays/c", "overlays/d"},
		},
		{Rule: "component-unused", Severity: finding.Warning, Message: "no target uses this component", Location: span("gone.yaml", 4, 1, 2), Targets: []string{"overlays/dev"}},
		{
			Rule: "image-digest", Severity: finding.Warning, Message: "waived", Location: span("base/web/deployment.yaml", 1, 1, 2),
			Waiver: &finding.Waiver{Reason: "vendor", Owner: "@team", Expires: "2027-01-31"},
		},
	})
	return r
}

// hostile is a report about a repository that attacks whoever reads it.
func hostile() *finding.Report {
	return &finding.Report{
		Tool:    finding.Tool{Name: "sallyport", Version: "0.1.0"},
		Targets: []finding.Target{{Path: "evil\x1b]0;x\a", Kind: "kustomize", Status: finding.Passed}},
		Summary: finding.Summary{Targets: 1, Errors: 2, Warnings: 2, Checks: []finding.Check{{Name: "render", Count: 1, Unit: "targets", Note: "\u009b2J"}}},
		NotChecked: []finding.NotChecked{
			{Target: "evil", Check: "schema", Reason: "no schema for \x1b[2Jevil/v1 X"},
			{Target: "evil", Check: "schema", Reason: "no schema for <b>&amp;/v1 Y"},
		},
		Findings: []finding.Finding{
			{Rule: "a", Severity: finding.Error, Message: "line one\nerror: forged [x]\r\x1b[2K", Location: span("hostile.yaml", 1, 4, 99), Help: "\u2066hidden\u2069", Targets: []string{"evil\x1b]0;x\a"}},
			{Rule: "b", Severity: finding.Warning, Message: "tab, wide and combining", Location: span("hostile.yaml", 2, 12, 16)},
			{Rule: "c", Severity: finding.Warning, Message: "long line", Location: span("long.yaml", 1, 408, 411)},
			{Rule: "d", Severity: finding.Error, Message: "bad \xff bytes", Location: span("dir/\u202efile.yaml", 1, 1, 2), Object: &finding.Object{Kind: "Pod\x7f", Name: "x\u0000"}},
		},
	}
}

func clean() *finding.Report {
	return &finding.Report{
		Targets: []finding.Target{{Path: "app", Kind: "directory", Status: finding.Passed, Objects: 1}},
		Summary: finding.Summary{Targets: 1, Objects: 1, Checks: []finding.Check{{Name: "render", Count: 1, Unit: "targets", Note: "1 object"}}},
	}
}

func write(t *testing.T, format string, r *finding.Report, opts report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, format, r, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	reports := map[string]*finding.Report{"shop": shop(), "hostile": hostile(), "clean": clean(), "empty": {}}
	for name, r := range reports {
		for _, format := range report.Formats() {
			t.Run(name+"."+format, func(t *testing.T) {
				got := write(t, format, r, report.Options{Source: lines, Elapsed: 940 * time.Millisecond})
				golden(t, name+"."+format, got)
			})
		}
	}
	t.Run("shop.colour", func(t *testing.T) {
		golden(t, "shop.colour.text", write(t, "text", shop(), report.Options{Source: lines, Color: true}))
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if strings.HasSuffix(name, ".html") {
		got = bare(got)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./report -update writes it):\n%s", name, got)
	}
}

// Colour adds nothing but escape sequences: the words are the same without it.
func TestColourCarriesNothing(t *testing.T) {
	plain := write(t, "text", shop(), report.Options{Source: lines})
	coloured := write(t, "text", shop(), report.Options{Source: lines, Color: true})
	for _, sgr := range []string{"0", "1", "1;31", "1;32", "1;33", "34"} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+sgr+"m", "")
	}
	if coloured != plain {
		t.Errorf("without its colours the text is\n%s\nwant\n%s", coloured, plain)
	}
}

// Nothing that a repository contains reaches the terminal as a control
// character or as text that cannot be seen.
func TestNothingHidden(t *testing.T) {
	for _, format := range report.Formats() {
		out := write(t, format, hostile(), report.Options{Source: lines})
		for i, r := range out {
			if r != '\n' && !unicode.IsGraphic(r) {
				t.Errorf("%s: %U at byte %d", format, r, i)
			}
		}
	}
	if n := strings.Count(write(t, "line", hostile(), report.Options{}), "\n"); n != 4 {
		t.Errorf("4 findings make %d lines", n)
	}
}

// What JSON escapes is still the same string to a JSON parser.
func TestJSONKeepsStrings(t *testing.T) {
	var got struct {
		Findings []struct {
			Message  string
			Location finding.Span
		}
		NotChecked []finding.NotChecked
	}
	if err := json.Unmarshal([]byte(write(t, "json", hostile(), report.Options{})), &got); err != nil {
		t.Fatal(err)
	}
	want := hostile()
	if got.Findings[3].Location.File != want.Findings[3].Location.File || got.Findings[0].Message != want.Findings[0].Message {
		t.Errorf("got %q", got.Findings)
	}
	if got.NotChecked[1].Reason != want.NotChecked[1].Reason {
		t.Errorf("got %q", got.NotChecked[1].Reason)
	}
}

// Lists are [] and never null, also in the empty report.
func TestJSONNeverNull(t *testing.T) {
	for _, r := range []*finding.Report{{}, shop(), {Findings: []finding.Finding{{}}}} {
		if out := write(t, "json", r, report.Options{}); strings.Contains(out, "null") {
			t.Errorf("null in\n%s", out)
		}
	}
}

// The underline of a masked value has the length of the mask, whatever the
// length of the value.
func TestMaskHidesLength(t *testing.T) {
	texts := map[string]bool{}
	for _, end := range []int{14, 16, 21, 40, 900} {
		r := &finding.Report{Findings: []finding.Finding{{Rule: "r", Severity: finding.Error, Location: span("base/payments/db-secret.yaml", 7, 13, end)}}}
		texts[write(t, "text", r, report.Options{Source: lines})] = true
	}
	if len(texts) != 1 {
		t.Errorf("values of different lengths print %d different texts: %v", len(texts), texts)
	}
}

func TestFailOnWarningMarksTheRun(t *testing.T) {
	r := &finding.Report{Summary: finding.Summary{Targets: 1, Warnings: 1}}
	if out := write(t, "text", r, report.Options{}); !strings.HasPrefix(out, "! 1 warning.") {
		t.Errorf("got %q", out)
	}
	if out := write(t, "text", r, report.Options{FailOn: finding.Warning}); !strings.HasPrefix(out, "✗ 1 warning.") {
		t.Errorf("got %q", out)
	}
}

func TestUnknownFormat(t *testing.T) {
	err := report.Write(&bytes.Buffer{}, "xml", &finding.Report{}, report.Options{})
	if err == nil || !strings.Contains(err.Error(), `"xml" (known: text, line, json, sarif, junit, gitlab, github, markdown, html)`) {
		t.Errorf("got %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrors(t *testing.T) {
	for _, format := range report.Formats() {
		if err := report.Write(fullDisk{}, format, shop(), report.Options{}); err == nil {
			t.Errorf("%s: a failed write is no error", format)
		}
	}
}
