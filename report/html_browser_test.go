package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/report"
)

// attack returns texts that would set window.pwned, load something or leave
// their place, if any part of the page took them for more than text.
func attack() []string {
	return []string{
		`<script>pwned=1</script>`, `</script><script>pwned=2</script>`, `</style><script>pwned=3</script><style>`, `</title><script>pwned=4</script>`,
		`<img src=x onerror="pwned=5">`, `"><img src=//evil.example/x onerror=pwned=6>`, `' onmouseover='pwned=7' x='`, `" onfocus="pwned=8" autofocus tabindex="1`,
		`javascript:pwned=9`, `data:text/html,<script>pwned=10</script>`, `<svg onload=pwned=11>`, `</svg><iframe src="javascript:parent.pwned=12">`,
		`<a href="javascript:pwned=13">x</a>`, `<base href="https://evil.example/">`, `<meta http-equiv="refresh" content="0;url=https://evil.example/">`,
		`<link rel="stylesheet" href="https://evil.example/x.css">`, `<style>@import "https://evil.example/y.css";</style>`, `<form action="https://evil.example"><input autofocus>`,
		`{{template "x"}}{{.Script}}`, `{{printf "%s" .}}`, `${pwned=14}`, "`${pwned=15}`", `\u003cscript\u003epwned=16\u003c/script\u003e`,
		`<!-- --><script>pwned=17</script>`, `]]><script>pwned=18</script>`, "\u2028pwned=19\u2028", "\u202e>tpircs/<1=denwp>tpircs<", "\x00<script>pwned=20</script>",
		`</option></select><script>pwned=21</script>`, `</datalist><script>pwned=22</script>`, `</details></article></main><script>pwned=23</script>`,
		`&lt;script&gt;pwned=24&lt;/script&gt;`, `&#60;script&#62;`, "\xff\xfe<script>", `../../../etc/passwd#"onclick=pwned=25`, `#rule=x&target=y`, `=&q=<b>`,
		`<math><mtext><table><mglyph><style><img src=x onerror=pwned=26>`, `<template><script>pwned=27</script></template>`, `x" style="background:url(//evil.example/z)`,
	}
}

// besieged is a page with the same attack in every place where text can stand.
func besieged(t *testing.T, evil, other string) string {
	r := arbitrary(evil, other, 2)
	o := finding.Object{APIVersion: evil, Kind: evil, Namespace: evil, Name: evil}
	at := finding.Span{File: evil, Start: finding.Position{Line: 1, Column: 1}}
	c := diff.Change{Action: diff.Changed, Object: o, Instances: []diff.Instance{{Target: evil, Object: o, Was: other, MovedTo: evil}}, Keys: []string{evil}, Unified: "@@ -1 +1 @@\n-" + evil + "\n+" + other + "\n", Location: at,
		Fields: []diff.Field{{Path: evil, Action: diff.Changed, Old: evil, New: other, Location: at}, {Path: other, Action: diff.Added, New: []any{evil, map[string]any{evil: strings.Repeat(evil, 9)}}}, {Path: evil, Action: diff.Changed, Hunks: []diff.Hunk{{Lines: []string{"-" + evil, "+" + evil}}}}}}
	gone := diff.Change{Action: diff.Removed, Object: o, Instances: c.Instances, Loss: evil, Location: at}
	d := &diff.Result{From: diff.Side{Name: evil, Revision: evil}, To: diff.Side{Kind: "commit", Revision: other}, Targets: []diff.Target{{Path: evil, Reason: evil, Status: diff.TargetUnknown}}, Changes: []diff.Change{gone, c}}
	return write(t, "html", r, report.Options{
		Source:   func(string) []string { return []string{evil, other, evil} },
		Rules:    []finding.Rule{{Name: evil, Title: evil, Doc: evil + "\n\n`" + evil + "` " + other, Fix: evil, Bad: finding.Example{evil: other}, Good: finding.Example{other: evil}}},
		LinkBase: "https://git.example/o/r/blob/0123", Diff: d,
		Reach: []report.Reach{{Target: evil, Files: []string{evil, other + "/x"}, Edges: []report.Edge{{From: evil, To: other}, {From: other, To: evil + "/x"}}}},
	})
}

// TestHTMLInjection holds that no text of a repository does anything in a
// browser: nothing runs, nothing is asked for, the policy has nothing to stop,
// and the characters that turn text around are shown as code points.
func TestHTMLInjection(t *testing.T) {
	b := newBrowser(t)
	b.view(1280, 900, "light")
	list := attack()
	b.open(write(t, "html", &finding.Report{}, report.Options{DiffWhyNot: strings.Join(list, " ")}), "")
	b.quiet("no diff")
	for i, evil := range list {
		page := besieged(t, evil, list[(i+7)%len(list)])
		checkHTML(t, page)
		b.open(page, "#q=x")
		b.eval(`for (const d of document.querySelectorAll('details')) d.open = true;
			for (const a of document.querySelectorAll('.matrix a')) a.click();
			for (const e of document.querySelectorAll('a, summary, .card, button')) { e.focus(); e.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); }
			for (const o of [...document.querySelectorAll('#rule option')]) { const r = document.getElementById('rule'); r.value = o.value; r.dispatchEvent(new Event('change')); }
			document.getElementById('target').value = document.getElementById('targets').options[0].value;
			document.getElementById('target').dispatchEvent(new Event('input'));`, nil)
		b.until("location.hash.includes('target=')")
		b.quiet(fmt.Sprintf("%q", evil))
		if got := b.text("document.querySelectorAll('script').length + ' ' + (document.body.textContent.match(/[\\u202a-\\u202e\\u2066-\\u2069\\u2028]/) || '')"); got != "1 " {
			t.Errorf("%q: scripts and direction marks: %s", evil, got)
		}
	}
}

// TestHTMLPolicyStops holds that the last wall stands by itself: what would be
// markup in the page after all neither runs nor loads.
func TestHTMLPolicyStops(t *testing.T) {
	b := newBrowser(t)
	page := strings.Replace(write(t, "html", shop(), report.Options{}), "<main", `<img src="https://evil.example/x.png" onerror="pwned=1"><script>pwned=2</script><p style="color:red" onclick="pwned=3">x</p><main`, 1)
	b.open(page, "")
	b.until("window.violations.length >= 4")
	if got := b.text("window.pwned"); got != "undefined" {
		t.Errorf("script %s ran", got)
	}
}

// TestHTMLFilter drives the filter as a person does.
func TestHTMLFilter(t *testing.T) {
	b := newBrowser(t)
	b.view(1280, 900, "light")
	page := write(t, "html", shop(), report.Options{Source: lines, Diff: shopDiff(), Reach: shopReach()})
	shown := func() string {
		return b.text("[...document.querySelectorAll('.finding:not([hidden])')].map(c => c.dataset.rule).join(' ')")
	}
	set := func(id, value string) {
		b.eval(fmt.Sprintf("{ const f = document.getElementById(%q); f.value = %q; f.dispatchEvent(new Event(f.tagName === 'SELECT' ? 'change' : 'input')); }", id, value), nil)
	}
	b.open(page, "")
	if got := b.text("document.getElementById('status').textContent"); got != "6 of 6 findings, 8 of 8 changes" {
		t.Errorf("at first: %s", got)
	}
	set("state", "warning")
	b.until("location.hash === '#state=warning'")
	if got := shown(); got != "image-latest component-unused" {
		t.Errorf("warnings: %s", got)
	}
	set("target", "overlays/dev")
	b.until("location.hash.includes('target')")
	if got := shown(); got != "component-unused" {
		t.Errorf("warnings of dev: %s", got)
	}
	b.eval("document.getElementById('reset').click()", nil)
	b.until("location.hash === ''")
	set("q", "INTEGER replicas")
	b.until("location.hash === '#q=INTEGER+replicas'")
	if got := shown(); got != "schema-invalid" {
		t.Errorf("text: %s", got)
	}
	set("q", "")
	set("target", "DEV")
	b.until("location.hash === '#target=DEV'")
	if got := b.text("[...document.querySelectorAll('.matrix tr[data-t]:not([hidden])')].map(r => r.innerText.trim().split(/\\s/)[1]).join(' ')"); got != "dev" {
		t.Errorf("rows: %s", got)
	}

	if got := b.text("[...document.querySelectorAll('.reach:not([hidden]) > summary > code')].map(c => c.textContent).join(' ')"); got != "base/ base/web/ overlays/dev/" {
		t.Errorf("what reaches dev: %s", got)
	}
	if got := b.text("document.querySelector('.group:not([hidden]) > summary .count').textContent"); got != "1 of 1 error" {
		t.Errorf("the group counts: %s", got)
	}

	b.open(page, "#rule=secret-plaintext&target=overlays%2Fprod")
	if got := shown(); got != "secret-plaintext" {
		t.Errorf("from the address: %s", got)
	}
	if got := b.text("document.getElementById('rule').value + ' ' + document.getElementById('target').value"); got != "secret-plaintext overlays/prod" {
		t.Errorf("fields from the address: %s", got)
	}
	id := b.text("document.querySelector('.finding[data-rule=\"image-digest\"]').id")
	b.eval(fmt.Sprintf("location.hash = %q", id), nil)
	b.until("document.querySelector(':target')?.checkVisibility()")
	b.eval("document.querySelector('.matrix td a').click()", nil)
	b.until("location.hash.includes('rule=') && document.querySelectorAll('.finding:not([hidden])').length === 1")
	b.quiet("filter")
}

// TestHTMLWithoutScript holds that without JavaScript nothing is missing but
// the filter.
func TestHTMLWithoutScript(t *testing.T) {
	b := newBrowser(t)
	b.view(1280, 900, "light")
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.open(write(t, "html", shop(), report.Options{Source: lines, Diff: shopDiff()}), "")
	if got := b.text("document.getElementById('filter').checkVisibility() + ' ' + [...document.querySelectorAll('.finding, .change')].filter(c => c.closest('[hidden]')).length"); got != "false 0" {
		t.Errorf("filter shown, cards hidden: %s", got)
	}
	if got := b.text("[...document.querySelectorAll('.finding[data-state=error]')].every(c => c.checkVisibility())"); got != "true" {
		t.Error("errors are folded away")
	}
}

// TestHTMLKeyboard holds that the keyboard alone reaches everything, in the
// order of the page, and that one always sees where one is.
func TestHTMLKeyboard(t *testing.T) {
	b := newBrowser(t)
	b.view(1280, 900, "light")
	b.open(write(t, "html", shop(), report.Options{Source: lines, Rules: shopRules, Diff: shopDiff(), Reach: shopReach(), LinkBase: "https://git.example/o/r/blob/0123"}), "")
	b.call("Page.bringToFront", nil, nil)
	var all []string
	const tab, enter = 9, 13
	const name = `(e => e === document.body ? 'body' : e.tagName + ' ' + [...document.querySelectorAll('*')].indexOf(e))(document.activeElement)`
	for range 300 {
		b.key("Tab", tab)
		at := b.text(name)
		if at == "body" || slices.Contains(all, at) {
			break
		}
		all = append(all, at)
		if got := b.text(`(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))`); got != "true" {
			t.Errorf("the focus on %s cannot be seen", b.text("document.activeElement.outerHTML.slice(0, 120)"))
		}
		if got := b.text(`(r => r.bottom > 0 && r.top < innerHeight)(document.activeElement.getBoundingClientRect())`); got != "true" {
			t.Errorf("the focus on %s is out of sight", at)
		}
	}
	want := b.text(`[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')].filter(e => e.checkVisibility({contentVisibilityAuto: false})).map(e => e.tagName + ' ' + [...document.querySelectorAll('*')].indexOf(e)).join(',')`)
	if got := strings.Join(all, ","); got != want {
		t.Errorf("the tabulator reaches\n%s\nwant\n%s", got, want)
	}
	b.eval("document.querySelector('.explain > summary').focus()", nil)
	b.key("Enter", enter)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "char", "text": "\r"}, nil)
	b.until("document.querySelector('.explain').open")
}

// contrast lists the texts whose colour is too near to what is behind them: the
// ratio of WCAG 2.2, 1.4.3 (AA).
const contrast = `(() => {
	const parse = c => { const n = c.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
	const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const out = new Set();
	const look = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (look.nextNode()) {
		const e = look.currentNode.parentElement;
		if (!look.currentNode.data.trim() || !e.checkVisibility() || /^(SCRIPT|STYLE|OPTION|title)$/.test(e.tagName)) continue;
		const style = getComputedStyle(e);
		let behind = [255, 0, 255, 1];
		if (e.tagName === 'text') behind = parse(getComputedStyle(e.parentElement.querySelector('rect')).fill);
		else for (let at = e; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c[3] > 0) { behind = c; break; } }
		const r = ratio(parse(e.tagName === 'text' ? style.fill : style.color), behind);
		if (r < 4.5) out.add(r.toFixed(2) + ' ' + e.tagName + '.' + e.className + ': ' + look.currentNode.data.trim().slice(0, 30));
	}
	return [...out].join('\n');
})()`

// overflow lists the elements from which something sticks out: a card would cut
// it off.
const overflow = `[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && e.clientWidth > 1 && e.scrollWidth > e.clientWidth && !/^(INPUT|SELECT)$/.test(e.tagName)).map(e => e.tagName + '.' + e.className).slice(0, 5).join(' ')`

// TestHTMLLooks holds, for a phone and a desk, light and dark, with everything
// unfolded: no text too faint to read, nothing wider than the window.
func TestHTMLLooks(t *testing.T) {
	b := newBrowser(t)
	wide := shop()
	wide.Findings[0].Message += strings.Repeat("unbreakable", 40)
	wide.Findings = append(wide.Findings, finding.Finding{Rule: "schema-invalid", Severity: finding.Error, Message: "a long line", Location: span("long.yaml", 1, 408, 411), Fingerprint: "long"})
	wide.Findings[0].Targets = append(wide.Findings[0].Targets, strings.Repeat("deep/", 60))
	pages := map[string]string{
		"check": write(t, "html", wide, report.Options{Source: lines, Rules: shopRules, Diff: shopDiff(), Reach: shopReach()}),
		"diff":  writeDiff(t, "html", shopDiff()), "clean": write(t, "html", clean(), report.Options{}), "fleet": write(t, "html", fleetReport(100, 300), report.Options{Source: lines}),
	}
	for _, name := range []string{"check", "clean", "diff", "fleet"} {
		for _, width := range []int{360, 1280} {
			backgrounds := map[string]bool{}
			for _, theme := range []string{"light", "dark"} {
				b.view(width, 800, theme)
				b.open(pages[name], "")
				b.eval("for (const d of document.querySelectorAll('details')) d.open = true", nil)
				what := fmt.Sprintf("%s, %d, %s", name, width, theme)
				if got := b.text(contrast); got != "" {
					t.Errorf("%s: too faint:\n%s", what, got)
				}
				if got := b.text("document.documentElement.scrollWidth - document.documentElement.clientWidth"); got != "0" {
					t.Errorf("%s: %s pixels too wide: %s", what, got, b.text("[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest('.scroll')).map(e => e.tagName + '.' + e.className).slice(0, 5)"))
				}
				if got := b.text(overflow); got != "" {
					t.Errorf("%s: sticks out of %s", what, got)
				}
				backgrounds[b.text("getComputedStyle(document.body).backgroundColor")] = true
				b.quiet(what)
			}
			if len(backgrounds) != 2 {
				t.Errorf("%s: light and dark look the same", name)
			}
		}
	}
}

// TestHTMLPrint holds that paper shows what is folded and no controls, dark on
// light whatever the screen has.
func TestHTMLPrint(t *testing.T) {
	b := newBrowser(t)
	b.view(800, 1000, "dark")
	b.open(write(t, "html", shop(), report.Options{Source: lines, Rules: shopRules}), "")
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print", "features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	if got := b.text("document.getElementById('filter').checkVisibility() + ' ' + document.querySelector('.explain figure').checkVisibility({contentVisibilityAuto: true}) + ' ' + getComputedStyle(document.body).backgroundColor"); got != "false true rgb(255, 255, 255)" {
		t.Errorf("filter shown, explanation shown, background: %s", got)
	}
}

// TestHTMLOpensLarge holds that a page at its bounds is there and can be
// filtered; how fast is for a person to judge, a page that hangs fails.
func TestHTMLOpensLarge(t *testing.T) {
	b := newBrowser(t)
	b.view(360, 800, "light")
	b.open(write(t, "html", fleetReport(1000, 5000), report.Options{Source: lines}), "")
	if got := b.text("document.getElementById('status').textContent"); got != "5000 of 5000 findings" {
		t.Errorf("at first: %s", got)
	}
	b.eval("location.hash = 'target=clusters/c07/app-0007&rule=rule-10'", nil)
	b.until("document.getElementById('status').textContent === '17 of 5000 findings'")
	t.Logf("opened, parsed and filtered after %s ms; heap %s bytes", b.text("Math.round(performance.now())"), b.text("performance.memory?.usedJSHeapSize"))
}
