package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// shopReach says what the shop's targets are made of.
func shopReach() []report.Reach {
	var out []report.Reach
	for _, name := range []string{"dev", "prod"} {
		dir := "overlays/" + name
		out = append(out, report.Reach{
			Target: dir,
			Files:  []string{"base/kustomization.yaml", "base/web/deployment.yaml", "base/web/kustomization.yaml", dir + "/kustomization.yaml"},
			Edges:  []report.Edge{{From: dir, To: "base"}, {From: "base", To: "base/web"}},
		})
	}
	out[1].Files = append(out[1].Files, "base/web/only-prod.yaml")
	return out
}

var shopRules = []finding.Rule{{
	Name: "schema-invalid", Title: "The object does not have the shape", Doc: "The API server says `no`.\n\nEvery time.", Fix: "write what `kubectl explain` says",
	Bad: finding.Example{"bad.yaml": "replicas: \"2\"\n"}, Good: finding.Example{"good.yaml": "replicas: 2\n"},
}}

// TestHTMLWhole is the page with every part that a page can have.
func TestHTMLWhole(t *testing.T) {
	opts := report.Options{Source: lines, Rules: shopRules, Diff: shopDiff(), Reach: shopReach(), LinkBase: "https://git.example/o/r/blob/0123"}
	page := write(t, "html", shop(), opts)
	golden(t, "shop.whole.html", page)
	if page != write(t, "html", shop(), opts) {
		t.Error("equal reports give other bytes")
	}
	for _, want := range []string{
		`<mark>••••••••</mark>`, `href="https://git.example/o/r/blob/0123/base/payments/db-secret.yaml#L7"`,
		`What this means and what to do`, `data loss: deleting it deletes its volume`, `reaches 2 targets`, `<svg role="img"`, `by @team until 2027-01-31: vendor`,
		`no schema for monitoring.coreos.com/v1 PodMonitor`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// bare leaves out of a page what is the same in all, so that a golden file shows
// what the report makes of it.
func bare(page string) string {
	page = regexp.MustCompile(`(?s)(<(style|script)>).*?(</)`).ReplaceAllString(page, "$1…$3")
	return regexp.MustCompile(`'sha256-[^']*'`).ReplaceAllString(page, "'sha256-…'")
}

// checkHTML holds what is true of every page: one document whose tags close,
// whose only script and style are those that its policy names, and that
// fetches, sends and frames nothing.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	policy, scripts, styles, ids := "", 0, 0, map[string]bool{}
	walk(root, func(n *html.Node) {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "srcdoc" || a.Key == "action" {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://git.example/") {
				t.Errorf("a link to %q", a.Val)
			}
		}
		if id, ok := attr["id"]; ok {
			if ids[id] {
				t.Errorf("two elements have the id %q", id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "iframe", "object", "embed", "img", "link", "base", "form", "video", "audio", "foreignobject", "template":
			t.Errorf("the page has a <%s>", n.Data)
		case "meta":
			if attr["http-equiv"] == "Content-Security-Policy" {
				policy = attr["content"]
			}
		case "script", "style":
			if n.Data == "script" {
				scripts++
			} else {
				styles++
			}
			sum := sha256.Sum256([]byte(n.FirstChild.Data))
			if want := n.Data + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
				t.Errorf("the policy %q does not name the %s: %s", policy, n.Data, want)
			}
		}
	})
	if scripts != 1 || styles != 1 || !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
		t.Errorf("%d scripts, %d styles, policy %q", scripts, styles, policy)
	}
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

// fleetReport has n targets in groups and f findings over them.
func fleetReport(n, f int) *finding.Report {
	r := &finding.Report{Summary: finding.Summary{Targets: n, Objects: n, Errors: f}}
	path := func(i int) string { return fmt.Sprintf("clusters/c%02d/app-%04d", i%20, i) }
	for i := range n {
		r.Targets = append(r.Targets, finding.Target{Path: path(i), Kind: "kustomize", Status: finding.Failed, Objects: 1})
	}
	for i := range f {
		one := finding.Finding{
			Rule: fmt.Sprintf("rule-%02d", i%30), Severity: finding.Error, Message: fmt.Sprintf("finding %d", i), Help: "do better",
			Location: span("base/payments/db-secret.yaml", 7, 13, 16), Object: &finding.Object{Kind: "Secret", Namespace: "shop", Name: fmt.Sprint("s", i)},
		}
		if i%100 == 0 {
			for k := range n {
				one.Targets = append(one.Targets, path(k))
			}
		} else {
			one.Targets = []string{path(i % n)}
		}
		r.Findings = append(r.Findings, one)
	}
	return r
}

// TestHTMLBounds holds that a page stays one that a browser opens, and says what
// it leaves out.
func TestHTMLBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("writes megabytes in one goroutine")
	}
	page := write(t, "html", fleetReport(2000, 9000), report.Options{Source: lines})
	checkHTML(t, page)
	const most = 12 << 20
	if len(page) > most {
		t.Errorf("%d bytes", len(page))
	}
	for _, want := range []string{"4000 more findings are left out", "1000 more targets with findings have no row", "and 1960 more"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say: %s", want)
		}
	}
	if n := strings.Count(page, `<article class="card finding`); n != 5000 {
		t.Errorf("%d findings are drawn", n)
	}

	big := &diff.Result{}
	for i := range 3000 {
		o := finding.Object{Kind: "ConfigMap", Name: fmt.Sprint("c", i)}
		c := diff.Change{Action: diff.Changed, Object: o, Instances: []diff.Instance{{Target: "t", Object: o}}, Unified: strings.Repeat("+line\n", 100)}
		for range 200 {
			c.Fields = append(c.Fields, diff.Field{Path: "/data/x", Action: diff.Added, New: "y"})
		}
		big.Changes = append(big.Changes, c)
	}
	page = writeDiff(t, "html", big)
	checkHTML(t, page)
	if len(page) > 3*most || !strings.Contains(page, "2000 more objects are left out") || !strings.Contains(page, "100 more fields") {
		t.Errorf("a diff of %d bytes", len(page))
	}
	if n := strings.Count(page, "Rendered YAML"); n != 200 {
		t.Errorf("%d objects have YAML", n)
	}
}

func writeDiff(t *testing.T, format string, r *diff.Result) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteDiff(&b, format, r, report.DiffOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHTMLDrawing holds that a graph with a cycle ends, and that a large one is
// told as a tree alone.
func TestHTMLDrawing(t *testing.T) {
	draw := func(edges ...report.Edge) string {
		return write(t, "html", clean(), report.Options{Reach: []report.Reach{{Target: "app", Files: []string{"app/a.yaml"}, Edges: edges}}})
	}
	if page := draw(report.Edge{From: "app", To: "b"}, report.Edge{From: "b", To: "app"}); strings.Count(page, "<rect") != 2 {
		t.Error("a cycle is not drawn")
	}
	var many []report.Edge
	for i := range 60 {
		many = append(many, report.Edge{From: "app", To: fmt.Sprint("base/", i)})
	}
	if page := draw(many...); strings.Contains(page, "<svg") || !strings.Contains(page, "reaches 1 target") {
		t.Error("61 boxes are drawn")
	}
	page := draw(report.Edge{From: "app", To: "base"})
	x := regexp.MustCompile(`<title>(\w+)</title><rect x="(\d+)"`).FindAllStringSubmatch(page, -1)
	if len(x) != 2 || x[0][1] != "base" || x[1][1] != "app" || len(x[0][2]) > len(x[1][2]) {
		t.Errorf("the base does not stand before what it reaches: %v", x)
	}
}

// TestHTMLNumbers holds that the filter's numbers name the targets that the
// page lists.
func TestHTMLNumbers(t *testing.T) {
	r := fleetReport(5, 0)
	target := func(n ...int) (out []string) {
		for _, i := range n {
			out = append(out, r.Targets[i].Path)
		}
		return out
	}
	r.Findings = []finding.Finding{{Rule: "a", Severity: finding.Error, Targets: target(0, 1, 2, 4)}, {Rule: "b", Severity: finding.Error, Targets: append(target(1), "elsewhere")}}
	page := write(t, "html", r, report.Options{})
	var got []string
	for _, m := range regexp.MustCompile(`data-state="error" data-t="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		got = append(got, m[1])
	}
	if want := `["0-2 4","1 5"]`; asJSON(got) != want {
		t.Errorf("got %s, want %s", asJSON(got), want)
	}
}

func asJSON(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}
