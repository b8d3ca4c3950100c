package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

func instances(kind, name string, targets ...string) []diff.Instance {
	var out []diff.Instance
	for _, t := range targets {
		out = append(out, diff.Instance{Target: "overlays/" + t, Object: finding.Object{APIVersion: "v1", Kind: kind, Namespace: "shop-" + t, Name: name}})
	}
	return out
}

// shopDiff has every kind of block once.
func shopDiff() *diff.Result {
	object := func(kind, name string) finding.Object {
		return finding.Object{APIVersion: "v1", Kind: kind, Name: name}
	}
	generated := instances("ConfigMap", "settings-ddtdh29d4d", "dev", "prod")
	for i := range generated {
		generated[i].Was = "settings-42gmfg229k"
	}
	moved := instances("Ingress", "web", "dev")
	moved[0].MovedTo = "overlays/edge"
	c := diff.Comparison{Changes: []diff.Change{
		{Action: diff.Removed, Object: object("PersistentVolumeClaim", "data"), Instances: instances("PersistentVolumeClaim", "data", "dev", "prod"), Loss: "deletes its volume", Location: span("base/claim.yaml", 1, 1, 2)},
		{Action: diff.Removed, Object: object("ConfigMap", "kept"), Instances: instances("ConfigMap", "kept", "dev"), Kept: "helm.sh/resource-policy", Keys: []string{"A", "B"}},
		{Action: diff.Removed, Object: object("Ingress", "web"), Instances: moved, Location: span("base/ingress.yaml", 1, 1, 2)},
		{Action: diff.Changed, Object: object("ConfigMap", "settings-ddtdh29d4d"), Instances: generated, Fields: []diff.Field{
			{Path: "/data/app.conf", Pointer: "/data/app.conf", Action: diff.Changed, Location: span("base/app.conf", 1, 1, 2), Hunks: []diff.Hunk{{OldStart: 1, OldLines: 2, NewStart: 1, NewLines: 2, Lines: []string{" listen 80", "-level info", "+level debug"}, Cut: 3}}},
		}},
		{Action: diff.Changed, Object: object("Deployment", "api"), Instances: instances("Deployment", "api", "dev", "prod"), Follows: 2},
		{Action: diff.Changed, Object: object("Deployment", "web"), Instances: instances("Deployment", "web", "dev", "prod", "staging"), Follows: 1, Fields: []diff.Field{
			{Path: "/spec/replicas", Pointer: "/spec/replicas", Action: diff.Changed, Old: int64(2), New: "2", Location: span("base/web.yaml", 6, 13, 14)},
			{Path: "/spec/template/spec/containers[web]/env", Pointer: "/spec/template/spec/containers/0/env", Action: diff.Added, New: []any{map[string]any{"name": "A", "value": "a long enough value to need more than one line"}, map[string]any{"name": "B", "value": "2"}}, Location: span("base/web.yaml", 9, 1, 2)},
			{Path: "/spec/template/spec/initContainers", Pointer: "/spec/template/spec/initContainers", Action: diff.Changed, Order: true, Old: []any{"a", "b"}, New: []any{"b", "a"}},
			{Path: "/spec/paused", Pointer: "/spec/paused", Action: diff.Removed, Old: true, OldLocation: span("base/web.yaml", 7, 11, 15)},
		}, Unified: "@@ -1,2 +1,2 @@\n kind: Deployment\n-  replicas: 2\n+  replicas: \"2\"\n"},
		{Action: diff.Changed, Object: object("Secret", "db"), Instances: instances("Secret", "db", "prod"), Fields: []diff.Field{
			{Path: "/data/password", Pointer: "/data/password", Action: diff.Changed, Sealed: true, Location: span("overlays/prod/db.yaml", 4, 3, 9)},
		}},
		{Action: diff.Added, Object: object("Secret", "new"), Instances: instances("Secret", "new", "prod"), Keys: []string{"token"}, Location: span("overlays/prod/new.yaml", 1, 1, 2), Unified: "@@ -0,0 +1,1 @@\n+kind: Secret\n"},
	}}
	r := &diff.Result{
		Tool: finding.Tool{Name: "sallyport", Version: "0.1.0"},
		From: diff.Side{Kind: "commit", Revision: "0123456789abcdef0123456789abcdef01234567", Name: "origin/main"}, To: diff.Side{Kind: "worktree"},
	}
	r.Summary.Targets = 40
	diff.Join(r, []diff.Comparison{
		{Target: diff.Target{Path: "overlays/dev", Status: diff.TargetChanged, Removed: 3, Changed: 3}, Changes: c.Changes, Noise: 4},
		{Target: diff.Target{Path: "overlays/edge", Status: diff.TargetUnknown, Reason: "does not render: base/gone does not exist"}},
		{Target: diff.Target{Path: "overlays/eu", From: "overlays/europe", Status: diff.TargetMoved}},
		{Target: diff.Target{Path: "overlays/prod", Status: diff.TargetChanged, Removed: 1, Changed: 4, Added: 1}},
	})
	return r
}

func TestDiffGolden(t *testing.T) {
	between := shopDiff()
	between.From, between.To = diff.Side{Kind: "worktree", Target: "overlays/staging"}, diff.Side{Kind: "worktree", Target: "overlays/prod"}
	between.Targets = []diff.Target{{Path: "overlays/prod", From: "overlays/staging", Status: diff.TargetChanged, Mapped: []diff.Mapping{{What: "namespace", Old: "shop-staging", New: "shop-prod"}, {What: "name prefix", Old: "s-"}}}}
	between.Summary = diff.Summary{Targets: 2, Removed: 3, Changed: 4, Added: 1}
	empty := &diff.Result{From: diff.Side{Kind: "commit", Revision: "0123456789abcdef", Name: "main"}, To: diff.Side{Kind: "index"}}
	empty.Summary.Targets = 3
	diff.Join(empty, nil)
	for name, r := range map[string]*diff.Result{"diff": shopDiff(), "between": between, "nodiff": empty} {
		for _, format := range append(report.DiffFormats(), "color") {
			opts := report.DiffOptions{LinkBase: "https://example.com/blob/main"}
			wanted := format
			if format == "color" {
				opts.Color, format = true, "text"
			}
			var out bytes.Buffer
			if err := report.WriteDiff(&out, format, r, opts); err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+wanted, out.String())
		}
	}
}

// TestDiffHostile puts text that means something to a terminal, to Markdown and
// to HTML everywhere.
func TestDiffHostile(t *testing.T) {
	const evil = "x\x1b[31m\u202e\n# heading\n</details><script>alert(1)</script> @team ```\n| [a](javascript:b) \u0000"
	r := &diff.Result{From: diff.Side{Kind: "commit", Revision: evil, Name: evil}}
	o := finding.Object{APIVersion: evil, Kind: evil, Namespace: evil, Name: evil}
	in := []diff.Instance{{Target: evil, Object: o, Was: evil, MovedTo: evil}}
	at := finding.Span{File: evil, Start: finding.Position{Line: 1, Column: 1}}
	var changes []diff.Change
	for _, action := range []diff.Action{diff.Removed, diff.Changed, diff.Added} {
		changes = append(changes, diff.Change{Action: action, Object: o, Instances: in, Keys: []string{evil}, Loss: evil, Location: at, Unified: "@@ -1 +1 @@\n-" + evil + "\n", Fields: []diff.Field{
			{Path: evil, Action: action, Old: evil, New: evil, Location: at},
			{Path: evil, Action: action, Old: map[string]any{evil: evil}, New: []any{evil, evil, evil, evil}},
			{Path: evil, Action: diff.Changed, Hunks: []diff.Hunk{{Lines: []string{"-" + evil, "+" + evil}}}},
		}})
	}
	diff.Join(r, []diff.Comparison{{Target: diff.Target{Path: evil, From: evil, Reason: evil, Status: diff.TargetUnknown}, Changes: changes}, {Target: diff.Target{Path: evil + "2", Status: diff.TargetMoved, From: evil}}})
	for _, format := range report.DiffFormats() {
		var out bytes.Buffer
		if err := report.WriteDiff(&out, format, r, report.DiffOptions{LinkBase: "https://example.com"}); err != nil {
			t.Fatal(err)
		}
		for i, c := range out.String() {
			if c != '\n' && unicode.In(c, unicode.Cc, unicode.Cf) {
				t.Errorf("%s: %U at %d", format, c, i)
			}
		}
		if format == "html" {
			checkHTML(t, strings.ReplaceAll(out.String(), `href="https://example.com/`, `href="https://git.example/`))
		}
		if format != "markdown" {
			continue
		}
		inBlock, fence := false, ""
		for line := range strings.Lines(out.String()) {
			trimmed := strings.TrimSpace(line)
			if ticks := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]; len(ticks) >= 3 && (!inBlock && strings.HasSuffix(trimmed, "diff") || trimmed == fence) {
				inBlock, fence = !inBlock, ticks
				continue
			}
			if !inBlock && strings.HasPrefix(trimmed, "#") && !strings.HasPrefix(trimmed, "### ") {
				t.Errorf("a heading of its own: %q", line)
			}
		}
		if inBlock {
			t.Error("a code block is not closed")
		}
	}
}

// TestDiffFits holds that the comment fits, and says what it leaves out.
func TestDiffFits(t *testing.T) {
	r := &diff.Result{}
	var all []diff.Comparison
	for i := range 2000 {
		target := fmt.Sprintf("overlays/%04d", i)
		o := finding.Object{Kind: "Deployment", Namespace: target, Name: fmt.Sprint("web", i)}
		all = append(all, diff.Comparison{Target: diff.Target{Path: target, Status: diff.TargetChanged, Changed: 1, Removed: 1}, Changes: []diff.Change{
			{Action: diff.Changed, Object: o, Instances: []diff.Instance{{Target: target, Object: o}}, Fields: []diff.Field{{Path: "/spec/a", Action: diff.Changed, Old: strings.Repeat("x", 300), New: fmt.Sprint(i)}}},
		}})
	}
	diff.Join(r, all)
	var out bytes.Buffer
	if err := report.WriteDiff(&out, "markdown", r, report.DiffOptions{}); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 65536 || !strings.Contains(out.String(), "left out so that this fits") {
		t.Errorf("%d bytes", out.Len())
	}
	if !strings.HasPrefix(out.String(), report.DiffMarker+"\n") {
		t.Error("no marker")
	}
}

func TestDiffJSON(t *testing.T) {
	var out bytes.Buffer
	if err := report.WriteDiff(&out, "json", shopDiff(), report.DiffOptions{}); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	var back diff.Result
	if err := dec.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if len(back.Changes) != 8 || back.Kind != diff.Kind {
		t.Errorf("%d changes of kind %q", len(back.Changes), back.Kind)
	}
	if err := report.WriteDiff(&out, "nothing", shopDiff(), report.DiffOptions{}); err == nil || !strings.Contains(err.Error(), "text, unified") {
		t.Errorf("an unknown format: %v", err)
	}
}
