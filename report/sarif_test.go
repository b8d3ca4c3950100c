package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// schemaModule carries the standard's JSON Schema as a constant of a package.
const schemaModule = "github.com/owenrumney/go-sarif/v3@v3.3.1"

// sarifSchema compiles the schema of SARIF 2.1.0, once; nil where its module
// cannot be had.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	cmd := exec.Command("go", "mod", "download", "-json", schemaModule)
	cmd.Env = append(cmd.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be had: %w", schemaModule, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, err
	}
	text, err := constant(filepath.Join(module.Dir, "pkg/report/v210/sarif/schema.go"), "schema")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("sarif.json")
})

// constant returns a string constant of a Go file.
func constant(file, name string) (string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return "", err
	}
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.GenDecl); ok {
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name == name {
					return strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				}
			}
		}
	}
	return "", fmt.Errorf("%s has no constant %s", file, name)
}

func validateSARIF(t *testing.T, out string) {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Skip(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%#v", err)
	}
}

func TestSARIFSchema(t *testing.T) {
	for _, r := range []*finding.Report{{}, shop(), hostile(), clean(), arbitrary("a", "b", 3)} {
		validateSARIF(t, write(t, "sarif", r, report.Options{Source: lines, Rules: documentation()}))
	}
	all := hostileStrings()
	for i, s := range all {
		validateSARIF(t, write(t, "sarif", arbitrary(s, all[len(all)-1-i], 2), report.Options{}))
	}
}

// The schema is not just any: it refuses what is wrong.
func TestSARIFSchemaRefuses(t *testing.T) {
	schema, err := sarifSchema()
	if err != nil {
		t.Skip(err)
	}
	good := write(t, "sarif", shop(), report.Options{})
	for old, bad := range map[string]string{`"2.1.0"`: `"2.0.0"`, `"ruleIndex": 3`: `"ruleIndex": "3"`, `"startLine": 7`: `"startLine": 0`, `"level": "note"`: `"level": "waived"`} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(good, old, bad, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(doc) == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

type sarifResult struct {
	RuleID    string
	RuleIndex int
	Level     string
	Message   struct{ Text string }
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI, URIBaseID string }
			Region           *struct{ StartLine, StartColumn, EndLine, EndColumn int }
		}
	}
	RelatedLocations    []struct{ Message struct{ Text string } }
	PartialFingerprints map[string]string
	Suppressions        []struct{ Justification string }
}

type sarifRun struct {
	Tool struct {
		Driver struct {
			Rules []struct {
				ID                                string
				ShortDescription, FullDescription struct{ Text string }
				Help                              struct{ Text, Markdown string }
				DefaultConfiguration              struct{ Level string }
			}
		}
	}
	Invocations []struct {
		ToolExecutionNotifications []struct{ Message struct{ Text string } }
	}
	OriginalURIBaseIDs map[string]any
	Results            []sarifResult
}

func parseSARIF(t *testing.T, out string) sarifRun {
	t.Helper()
	var log struct{ Runs []sarifRun }
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs", len(log.Runs))
	}
	return log.Runs[0]
}

// checkSARIF holds that every finding is there with its rule and its file, and
// that its text begins with its message.
func checkSARIF(t *testing.T, r *finding.Report, out string) {
	t.Helper()
	run := parseSARIF(t, out)
	if len(run.Results) != len(r.Findings) {
		t.Fatalf("%d findings make %d results", len(r.Findings), len(run.Results))
	}
	seen := map[string]bool{}
	for i, f := range r.Findings {
		got := run.Results[i]
		if got.RuleID != utf8(f.Rule) || run.Tool.Driver.Rules[got.RuleIndex].ID != got.RuleID {
			t.Errorf("rule %q is read as %q, index %d", f.Rule, got.RuleID, got.RuleIndex)
		}
		message := strings.ReplaceAll(utf8(f.Message), "](", "] (")
		message = strings.NewReplacer("{0}", "{{0}}", "{1}", "{{1}}").Replace(message)
		if !strings.HasPrefix(got.Message.Text, message) || strings.Contains(got.Message.Text, "](") {
			t.Errorf("message %q is read as %q", f.Message, got.Message.Text)
		}
		at := got.Locations[0].PhysicalLocation.ArtifactLocation
		if u, err := url.Parse(at.URI); err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || f.Location.File != "" && u.Path != f.Location.File {
			t.Errorf("file %q is read as %q (%v)", f.Location.File, at.URI, err)
		}
		if print := got.PartialFingerprints["sallyport/v1"]; print == "" || seen[print] {
			t.Errorf("fingerprint %q is not unique", print)
		} else {
			seen[print] = true
		}
		if waived := f.Waiver != nil; waived != (len(got.Suppressions) == 1) || waived != (got.Level == "note") {
			t.Errorf("waived %t, suppressions %v, level %s", waived, got.Suppressions, got.Level)
		}
	}
}

// documentation is a rule of the shop with everything a rule can have.
func documentation() []finding.Rule {
	return []finding.Rule{
		{Name: "not-in-the-report"},
		{
			Name: "schema-invalid", Severity: finding.Error, Title: "The object does not have the shape that the API server accepts",
			Doc: "A field is unknown. " + strings.Repeat("It is long. ", 100), Fix: "Change the field.",
			Bad:  finding.Example{"web.yaml": "a: 1\n", "b.txt": "```\nfence\n```\n"},
			Good: finding.Example{"web.yaml": "a: 2\n"},
		},
	}
}

func TestSARIFRules(t *testing.T) {
	out := write(t, "sarif", shop(), report.Options{Source: lines, Rules: documentation()})
	golden(t, "shop.rules.sarif", out)
	for _, rule := range parseSARIF(t, out).Tool.Driver.Rules {
		if rule.ShortDescription.Text == "" || rule.FullDescription.Text == "" || rule.Help.Text == "" || rule.Help.Markdown == "" {
			t.Errorf("%s lacks a text that GitHub requires", rule.ID)
		}
		if n := len([]rune(rule.FullDescription.Text)); n > 1024 {
			t.Errorf("%s: %d characters", rule.ID, n)
		}
		if rule.ID == "not-in-the-report" {
			t.Error("a rule without a finding")
		}
	}
}

// Only results that have no line carry the key that GitHub's upload computes
// from lines: it warns about any other.
func TestSARIFFingerprints(t *testing.T) {
	for _, got := range parseSARIF(t, write(t, "sarif", shop(), report.Options{})).Results {
		_, given := got.PartialFingerprints["primaryLocationLineHash"]
		if given != (got.Locations[0].PhysicalLocation.Region == nil) {
			t.Errorf("%s: primaryLocationLineHash given: %t", got.RuleID, given)
		}
	}
}

// Past GitHub's number of results warnings go first, and the log says so.
func TestSARIFResultLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 25,000 results")
	}
	run := parseSARIF(t, write(t, "sarif", crowd(200, 25_000, 1), report.Options{}))
	errors := 0
	for _, got := range run.Results {
		if got.Level == "error" {
			errors++
		}
	}
	if len(run.Results) != 25_000 || errors != 200 {
		t.Errorf("%d results, %d errors", len(run.Results), errors)
	}
	if said := run.Invocations[0].ToolExecutionNotifications; len(said) != 1 || !strings.HasPrefix(said[0].Message.Text, "200 findings of 25200 left out") {
		t.Errorf("it says %v", said)
	}
}

// Past GitHub's size, however much each result takes.
func TestSARIFSizeLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("compresses some 15 MB")
	}
	random := rand.New(rand.NewPCG(1, 2))
	r := crowd(1000, 1500, 0)
	for i := range r.Findings {
		noise := make([]byte, 6000)
		for j := range noise {
			noise[j] = byte('0' + random.IntN(75))
		}
		r.Findings[i].Message = string(noise)
	}
	out := write(t, "sarif", r, report.Options{})
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(out))
	z.Close()
	if b.Len() > 10_000_000 || b.Len() < 7_000_000 {
		t.Errorf("%d bytes compressed", b.Len())
	}
	run := parseSARIF(t, out)
	levels := map[string]int{}
	for _, got := range run.Results {
		levels[got.Level]++
	}
	if levels["error"] != 1000 || levels["warning"] == 0 || levels["warning"] == 1500 {
		t.Errorf("kept %v", levels)
	}
}

func TestSARIFRelatedLimit(t *testing.T) {
	f := finding.Finding{Rule: "r", Severity: finding.Error, Message: "m"}
	for i := range 1200 {
		f.Related = append(f.Related, finding.Related{Location: span("f.yaml", i+1, 1, 2)})
	}
	run := parseSARIF(t, write(t, "sarif", &finding.Report{Findings: []finding.Finding{f}}, report.Options{}))
	if n := len(run.Results[0].RelatedLocations); n != 999 {
		t.Errorf("%d related locations", n)
	}
	if said := run.Invocations[0].ToolExecutionNotifications; len(said) != 1 || !strings.HasPrefix(said[0].Message.Text, "201 related places left out") {
		t.Errorf("it says %v", said)
	}
}
