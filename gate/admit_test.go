package gate

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// demo is the repository of the README, without its two mistakes, committed.
func demo(t *testing.T) checkout {
	t.Helper()
	c := checkout{t, t.TempDir()}
	if err := os.CopyFS(c.dir, os.DirFS("../testdata/demo")); err != nil {
		t.Fatal(err)
	}
	for file, edit := range map[string][2]string{
		"base/api/kustomization.yaml": {"  - payment-secret.yaml\n", ""}, "overlays/prod/worker.yaml": {`replicas: "6"`, "replicas: 6"},
	} {
		text, err := os.ReadFile(filepath.Join(c.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		c.write(map[string]string{file: strings.Replace(string(text), edit[0], edit[1], 1)})
	}
	if err := os.Remove(filepath.Join(c.dir, "base/api/payment-secret.yaml")); err != nil {
		t.Fatal(err)
	}
	c.git("init", "-q", "-b", "main")
	c.commit("first")
	return c
}

// fetched is the commit as one that was read without Git.
func (c checkout) fetched() *repo.Snapshot {
	c.Helper()
	s, err := repo.Open(context.Background(), c.dir, repo.Selector{Rev: "HEAD"})
	if err != nil {
		c.Fatal(err)
	}
	var files []repo.Object
	for _, e := range s.Files() {
		files = append(files, repo.Object{Entry: e, ID: e.Path})
	}
	snap, err := repo.FromObjects(s.Revision(), files, s.ReadFile)
	if err != nil {
		c.Fatal(err)
	}
	return snap
}

// ownDir writes a configuration with what is beside it, and returns its file.
func ownDir(t *testing.T, files map[string]string) string {
	t.Helper()
	c := checkout{t, t.TempDir()}
	c.write(files)
	return filepath.Join(c.dir, "config.yaml")
}

func (c checkout) admit(opts Options) (*Admission, error) {
	c.Helper()
	if opts.Snapshot == nil {
		opts.Snapshot = c.fetched()
	}
	opts.Now = func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	return Admit(context.Background(), opts)
}

func (c checkout) admitted(opts Options) *Admission {
	c.Helper()
	a, err := c.admit(opts)
	if err != nil {
		c.Fatal(err)
	}
	if a.Failed {
		for _, f := range a.Report.Findings {
			c.Logf("%s %s: %s (%s)", f.Severity, f.Rule, f.Message, f.Location)
		}
		c.Fatal("refused")
	}
	return a
}

func (c checkout) refused(opts Options) []string {
	c.Helper()
	a, err := c.admit(opts)
	if err != nil {
		c.Fatal(err)
	}
	if !a.Failed || len(a.Targets) > 0 {
		c.Fatalf("admitted: failed %v, %d targets", a.Failed, len(a.Targets))
	}
	var out []string
	for _, f := range a.Report.Findings {
		if f.Waiver == nil && f.Severity == finding.Error {
			out = append(out, f.Rule)
		}
	}
	return out
}

// What is admitted is what Check digests, with the tokens that Expectations and
// Sealed are about.
func TestAdmit(t *testing.T) {
	c := demo(t)
	checked := c.check(Options{Selector: repo.Selector{Rev: "HEAD"}})
	digests := map[string]string{}
	for _, target := range checked.Report.Targets {
		digests[target.Path] = target.Digest
	}
	own := ownDir(t, map[string]string{"config.yaml": config})
	a := c.admitted(Options{Own: own, Targets: []string{"overlays/prod"}})
	if len(a.Targets) != 1 || a.Targets[0].Digest == "" || a.Targets[0].Digest != digests["overlays/prod"] {
		t.Fatalf("%d targets; digest %q, want %q", len(a.Targets), a.Targets[0].Digest, digests["overlays/prod"])
	}
	encrypted := 0
	for _, flow := range a.Sealed.Flows(a.Targets[0].Rendered) {
		if flow.Encrypted && flow.Permitted {
			encrypted++
		}
	}
	if encrypted == 0 {
		t.Error("no encrypted value is in the render")
	}
	// Verdicts that somebody kept have no say, and no objects.
	kept := Options{Own: own, Cache: t.TempDir(), Build: "x"}
	c.check(Options{Snapshot: c.fetched(), Own: own, Cache: kept.Cache, Build: kept.Build})
	if again := c.admitted(kept); again.Targets[0].Rendered == nil {
		t.Error("a kept verdict was taken")
	}
	if all := c.admitted(Options{Own: own}); len(all.Targets) != len(digests) {
		t.Errorf("%d targets, want %d", len(all.Targets), len(digests))
	}
}

func TestAdmitNothing(t *testing.T) {
	c := demo(t)
	for _, opts := range []Options{{Targets: []string{"nowhere"}, AllowEmpty: true}, {ChangedSince: "HEAD"}, {Files: []string{"x"}}, {Commits: "a..b"},
		{Only: []string{"schema"}}, {Shard: Shard{Index: 1, Count: 2}}} {
		var usage *UsageError
		if _, err := c.admit(opts); !errors.As(err, &usage) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: hunter2hunter2}\n"

// Nothing that the repository says about itself counts with a configuration of
// one's own.
func TestOwnAlone(t *testing.T) {
	accept := config + "rules: {image-latest: {severity: off}, image-digest: {severity: off}}\n" +
		"targets: {exclude: [bad]}\nbundled: {disable: [image-latest]}\nwaivers:\n" +
		"  - {rule: main/deny, path: \"**\", reason: x, owner: x, expires: 2999-01-01}\n"
	c := newCheckout(t, map[string]string{
		"config.yaml": config, ConfigName: strings.ReplaceAll(accept, "main/deny", "secret-plaintext"),
		"good/pod.yaml": strings.Replace(pod, "latest", "1.29.1", 1), "bad/secret.yaml": secret, "bad/pod.yaml": pod,
		".sops.yaml": "creation_rules: [{age: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj}]\n",
		"mine.rego":  "package main\nimport rego.v1\ndeny contains \"of the repository\" if true\n",
	})
	own := ownDir(t, map[string]string{"config.yaml": config + "rules: {image-latest: {severity: error}}\n"})
	if got := c.refused(Options{Own: own}); !slices.Equal(got, []string{"secret-plaintext", "image-latest"}) && !slices.Equal(got, []string{"image-latest", "secret-plaintext"}) {
		t.Errorf("findings: %v", got)
	}
	a, err := c.admit(Options{Own: own})
	if err != nil {
		t.Fatal(err)
	}
	if a.Expectations.Creation != nil {
		t.Error("the creation rules of the repository count")
	}
	for _, f := range a.Report.Findings {
		if f.Waiver != nil {
			t.Errorf("waived by the repository: %s", f.Rule)
		}
	}
	if len(c.admitted(Options{Own: own, Targets: []string{"good"}}).Targets) != 1 {
		t.Error("the good target is not admitted")
	}
}

// configMap lays files out as the kubelet does: links to a link to a directory.
func configMap(t *testing.T, version string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	c := checkout{t, filepath.Join(dir, version)}
	c.write(files)
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skipf("symbolic links cannot be made here: %v", err)
		}
	}
	link(version, "..data")
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		if _, err := os.Lstat(filepath.Join(dir, top)); err != nil {
			link(filepath.Join("..data", top), top)
		}
	}
	return dir
}

const denies = "package main\nimport rego.v1\n# METADATA\n# title: no pods\n# custom: {id: no-pods, severity: error}\n" +
	"deny contains \"no pods\" if { input.kind == data.kinds[_] }\n"

// Everything that an own configuration refers to lies beside it: here in a mounted
// ConfigMap.
func TestOwnConfigMap(t *testing.T) {
	c := newCheckout(t, map[string]string{"pod.yaml": strings.Replace(pod, "latest", "1.29.1", 1),
		"widget.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: big}\n"})
	dir := configMap(t, "..2026_06_01", map[string]string{
		"config.yaml": config + "policies: [policies]\npolicyData: [kinds.yaml]\nschemas: [\"schemas/{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json\"]\nsecrets: {recipients: {from: sub/.sops.yaml}}\n",
		"kinds.yaml":  "kinds: [Pod]\n", "policies/pods.rego": denies,
		"schemas/widget-example.com-v1.json": `{"type":"object","properties":{"spec":{"properties":{"size":{"type":"integer"}}}}}`,
		"sub/.sops.yaml":                     "creation_rules: [{age: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj}]\n",
	})
	own := filepath.Join(dir, "config.yaml")
	got := c.refused(Options{Own: own})
	if !slices.Contains(got, "no-pods") || !slices.Contains(got, "schema-invalid") {
		t.Errorf("findings: %v, want that of the policy and that of the schema", got)
	}
	a, err := c.admit(Options{Own: own})
	if err != nil {
		t.Fatal(err)
	}
	if rule, ok := a.Expectations.Creation("deep/er/secret.yaml"); !ok || rule == nil || len(rule.Recipients) != 1 {
		t.Errorf("the creation rules beside the configuration do not count: %v, %v", rule, ok)
	}
}

func TestOwnRefused(t *testing.T) {
	c := newCheckout(t, map[string]string{"pod.yaml": pod, "config.yaml": config, "rules.yaml": "creation_rules: []\n", "p/x.rego": denies})
	outside := ownDir(t, map[string]string{"x.rego": denies})
	linked := ownDir(t, map[string]string{"config.yaml": config + "policies: [x.rego]\n"})
	if err := os.Symlink(filepath.Join(filepath.Dir(outside), "x.rego"), filepath.Join(filepath.Dir(linked), "x.rego")); err != nil {
		t.Skip("symbolic links cannot be made here")
	}
	one := func(text string) string {
		return ownDir(t, map[string]string{"config.yaml": config + text, "bad.yaml": "creation_rules: x\n"})
	}
	for name, opts := range map[string]Options{
		"keep it elsewhere":  {Path: c.dir, Own: filepath.Join(c.dir, "config.yaml")},
		"no such file":       {Own: filepath.Join(t.TempDir(), "gone", "config.yaml")},
		"symbolic link":      {Own: linked},
		"does not exist":     {Own: one("policies: [p/]\n")},
		"file does not ex":   {Own: one("secrets: {recipients: {from: rules.yaml}}\n")},
		"must be a list":     {Own: one("secrets: {recipients: {from: bad.yaml}}\n")},
		"exclude each other": {Own: one(""), ConfigFile: "x"},
		"unknown key":        {Own: one("x: y\n")},
	} {
		if opts.Path == "" {
			opts.Snapshot = c.fetched()
		}
		_, err := Admit(context.Background(), opts)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q: %v", name, err)
		}
	}
}

// Policies, data and creation rules that --config names outside the repository are
// of the repository: pipelines keep one configuration for many.
func TestConfigFileOutside(t *testing.T) {
	c := newCheckout(t, map[string]string{"pod.yaml": strings.Replace(pod, "latest", "1.29.1", 1), "policies/x.rego": denies, "kinds.yaml": "kinds: [Pod]\n"})
	outside := ownDir(t, map[string]string{"config.yaml": config + "policies: [policies]\npolicyData: [kinds.yaml]\n"})
	if got := rulesOf(c.check(Options{ConfigFile: outside})); !slices.Equal(got, []string{"no-pods"}) {
		t.Errorf("findings: %v", got)
	}
}

// A field that only looks like a credential is masked in what is shown and
// digested, and whole in what is applied.
func TestAdmitKeepsValues(t *testing.T) {
	c := newCheckout(t, map[string]string{"cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {DB_PASSWORD: hunter2hunter2}\n"})
	own := ownDir(t, map[string]string{"config.yaml": config + "waivers:\n  - {rule: secret-plaintext, object: ConfigMap/shop/a, reason: x, owner: x, expires: 2999-01-01}\n"})
	a := c.admitted(Options{Own: own})
	data := a.Targets[0].Rendered.Objects[0].Value["data"].(map[string]any)
	if data["DB_PASSWORD"] != "hunter2hunter2" {
		t.Errorf("the value that is applied is %q", data["DB_PASSWORD"])
	}
	checked := c.check(Options{})
	if got := checked.Report.Targets[0].Digest; got != a.Targets[0].Digest || got == a.Targets[0].Rendered.Digest() {
		t.Error("the digest is not that of the masked render")
	}
}

// A plaintext Secret that the configuration accepts is not applied: a token stands
// for its value.
func TestAdmitRefusesAcceptedPlaintext(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"Secret":    {"secret.yaml": secret},
		"generator": {"kustomization.yaml": "namespace: shop\nsecretGenerator: [{name: db, literals: [password=hunter2hunter2]}]\n"},
	} {
		c := newCheckout(t, files)
		own := ownDir(t, map[string]string{"config.yaml": config + "rules: {secret-plaintext: {severity: warning}}\n"})
		if got := c.refused(Options{Own: own}); !slices.Equal(got, []string{"secret-plaintext"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A target that does not render is never left out in silence: pruning would take
// away what it holds.
func TestAdmitRefusesUnrendered(t *testing.T) {
	c := newCheckout(t, map[string]string{"kustomization.yaml": "resources: [gone.yaml]\n"})
	own := ownDir(t, map[string]string{"config.yaml": config + "rules: {render-error: {severity: off}}\n"})
	if got := c.refused(Options{Own: own}); !slices.Equal(got, []string{"render-error"}) {
		t.Error(got)
	}
}

func TestExpect(t *testing.T) {
	c := demo(t)
	report, err := json.Marshal(c.check(Options{Selector: repo.Selector{Rev: "HEAD"}}).Report)
	if err != nil {
		t.Fatal(err)
	}
	reviewed := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(reviewed, report, 0o600); err != nil {
		t.Fatal(err)
	}
	own := ownDir(t, map[string]string{"config.yaml": config})
	all, one := c.admitted(Options{Own: own}), c.admitted(Options{Own: own, Targets: []string{"overlays/prod"}})
	digest, zeros := one.Targets[0].Digest, "sha256:"+strings.Repeat("0", 64)
	for _, want := range []string{digest, strings.TrimPrefix(digest, "sha256:"), reviewed} {
		if err := one.Expect(want); err != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := all.Expect(reviewed); err != nil {
		t.Error(err)
	}
	var differs *DigestError
	if err := one.Expect(zeros); !errors.As(err, &differs) || !strings.Contains(err.Error(), zeros) || !strings.Contains(err.Error(), digest) {
		t.Error(err)
	}
	var usage *UsageError
	for _, wrong := range []string{"sha256:12", filepath.Join(t.TempDir(), "gone"), own} {
		if err := one.Expect(wrong); !errors.As(err, &usage) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if err := all.Expect(digest); !errors.As(err, &usage) {
		t.Error(err)
	}
	c.write(map[string]string{"overlays/prod/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n"})
	c.commit("second")
	changed := c.admitted(Options{Own: own, Targets: []string{"overlays/prod"}})
	if err := changed.Expect(reviewed); !errors.As(err, &differs) || differs.Reviewed == "" || !strings.Contains(err.Error(), digest) {
		t.Errorf("another commit: %v", err)
	}
	if err := changed.ExpectReport([]byte(`{"apiVersion":"sallyport.dev/v1","kind":"Report"}`)); !errors.As(err, &differs) || !strings.Contains(err.Error(), "no digest") {
		t.Errorf("an empty report: %v", err)
	}
}
