package gate

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// checkout is a real Git repository for one test.
type checkout struct {
	*testing.T
	dir string
}

func newCheckout(t *testing.T, files map[string]string) checkout {
	t.Helper()
	c := checkout{t, t.TempDir()}
	c.git("init", "-q", "-b", "main")
	c.write(files)
	c.commit("first")
	return c
}

// change writes files, and has Git remove those without text.
func (c checkout) change(files map[string]string) {
	c.Helper()
	for name, text := range files {
		if text == "" {
			c.git("rm", "-q", name)
		} else {
			c.write(map[string]string{name: text})
		}
	}
}

func (c checkout) write(files map[string]string) {
	c.Helper()
	for name, text := range files {
		file := filepath.Join(c.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			c.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			c.Fatal(err)
		}
	}
}

func (c checkout) git(args ...string) {
	c.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@shop.example", "GIT_COMMITTER_NAME=t",
		"GIT_COMMITTER_EMAIL=t@shop.example", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (c checkout) commit(message string) {
	c.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "-m", message)
}

func (c checkout) check(opts Options) *Result {
	c.Helper()
	if opts.Path == "" {
		opts.Path = c.dir
	}
	if opts.Now == nil {
		opts.Now = func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	}
	r, err := Check(context.Background(), opts)
	if err != nil {
		c.Fatal(err)
	}
	return r
}

func rulesOf(r *Result) []string {
	var out []string
	for _, f := range r.Report.Findings {
		name := f.Rule
		if f.Waiver != nil {
			name += " (waived)"
		}
		out = append(out, name)
	}
	return out
}

const pod = `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: web
      image: nginx:latest
      resources: {requests: {cpu: 10m, memory: 10Mi}}
      readinessProbe: {httpGet: {path: /, port: 80}}
`

const config = "apiVersion: sallyport.dev/v1\nkind: Config\n"

func waiver(object, expires string) string {
	return "waivers:\n  - {rule: image-latest, " + object + ", reason: vendor, owner: \"@shop\", expires: " + expires + "}\n"
}

func TestWaivers(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want         []string
	}{
		{"none", config, []string{"image-latest"}},
		{"object", config + waiver("object: Pod/shop/web", "2026-06-01"), []string{"image-latest (waived)"}},
		{"path", config + waiver("path: \"*.yaml\"", "2026-06-01"), []string{"image-latest (waived)"}},
		{"expired", config + waiver("object: Pod/shop/web", "2026-05-31"), []string{"waiver-expired", "image-latest"}},
		{"another object", config + waiver("object: Pod/web", "2026-06-01"), []string{"waiver-unused", "image-latest"}},
		{"off", config + "rules: {image-latest: {severity: off}}\n", nil},
		{"disabled", config + "bundled: {disable: [image-latest]}\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCheckout(t, map[string]string{ConfigName: c.config, "web.yaml": pod}).check(Options{})
			if got := rulesOf(r); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSeverity(t *testing.T) {
	c := newCheckout(t, map[string]string{ConfigName: config + "rules: {image-latest: {severity: error}}\n", "web.yaml": pod})
	if r := c.check(Options{}); !r.Failed || r.Report.Summary.Errors != 1 {
		t.Errorf("an error by configuration does not fail: %+v", r.Report.Summary)
	}
	c = newCheckout(t, map[string]string{"web.yaml": pod})
	if r := c.check(Options{}); r.Failed {
		t.Error("a warning fails")
	}
	if r := c.check(Options{FailOn: finding.Warning}); !r.Failed {
		t.Error("a warning does not fail with FailOn warning")
	}
}

func TestUnknownRule(t *testing.T) {
	c := newCheckout(t, map[string]string{ConfigName: config + "rules: {image-lastest: {severity: error}}\n", "web.yaml": pod})
	_, err := Check(context.Background(), Options{Path: c.dir})
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), `did you mean "image-latest"?`) {
		t.Errorf("got %v", err)
	}
}

// overlays is a base with two overlays, and one that shares nothing.
func overlays() map[string]string {
	files := map[string]string{
		"base/kustomization.yaml":  "resources: [pod.yaml]\n",
		"base/pod.yaml":            strings.Replace(pod, "latest", "1.29.1", 1),
		"other/kustomization.yaml": "resources: [pod.yaml]\n",
		"other/pod.yaml":           strings.Replace(pod, "latest", "1.29.1", 1),
	}
	for _, env := range []string{"prod", "staging"} {
		files["overlays/"+env+"/kustomization.yaml"] = "resources: [../../base]\nnameSuffix: -" + env + "\n"
	}
	return files
}

func statuses(r *Result) map[string]finding.Status {
	out := map[string]finding.Status{}
	for _, t := range r.Report.Targets {
		out[t.Path] = t.Status
	}
	return out
}

func TestChangedSince(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   map[string]string
		remove   string
		affected []string // empty: none
	}{
		{"nothing", nil, "", nil},
		{"README", map[string]string{"README.md": "hello"}, "", nil},
		{"base", map[string]string{"base/pod.yaml": pod}, "", []string{"overlays/prod", "overlays/staging"}},
		{"leaf", map[string]string{"overlays/prod/kustomization.yaml": "resources: [../../base]\n"}, "", []string{"overlays/prod"}},
		{"new overlay", map[string]string{"overlays/dev/kustomization.yaml": "resources: [../../base]\nnameSuffix: -dev\n"}, "", []string{"overlays/dev"}},
		{"another spelling", map[string]string{"overlays/prod/Kustomization": "resources: []\n"}, "", []string{"overlays/prod"}},
		{"deletion", nil, "other/pod.yaml", []string{"other"}},
		{"configuration", map[string]string{ConfigName: config}, "", []string{"other", "overlays/prod", "overlays/staging"}},
		{"a CRD anywhere", map[string]string{"crds/x.txt": "kind: CustomResourceDefinition\n"}, "", []string{"other", "overlays/prod", "overlays/staging"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newCheckout(t, overlays())
			k.git("checkout", "-q", "-b", "change")
			k.write(c.change)
			if c.remove != "" {
				k.git("rm", "-q", c.remove)
			}
			var got []string
			for path, status := range statuses(k.check(Options{ChangedSince: "main"})) {
				if status != finding.Skipped {
					got = append(got, path)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.affected) {
				t.Errorf("got %v, want %v", got, c.affected)
			}
		})
	}
}

// TestPolicyFrom holds that a change cannot weaken the rules that judge it.
func TestPolicyFrom(t *testing.T) {
	c := newCheckout(t, map[string]string{
		ConfigName:     config + "policies: [rules]\nrules: {image-latest: {severity: error}}\n",
		"rules/a.rego": "package main\n\nimport rego.v1\n\ndeny contains \"no pods\" if input.kind == \"Pod\"\n",
		"web.yaml":     pod,
	})
	c.git("checkout", "-q", "-b", "change")
	c.write(map[string]string{
		ConfigName:     config + "policies: [rules]\nrules: {image-latest: {severity: off}}\n",
		"rules/a.rego": "package main\n\nimport rego.v1\n\ndeny contains \"no pods\" if input.kind == \"Never\"\n",
	})
	if r := c.check(Options{}); r.Failed {
		t.Errorf("judged by itself the change passes, got %v", rulesOf(r))
	}
	r := c.check(Options{PolicyFrom: "main"})
	if got := rulesOf(r); !r.Failed || !slices.Contains(got, "image-latest") || !slices.Contains(got, "main/deny") {
		t.Errorf("judged by main: %v", got)
	}
	_, err := Check(context.Background(), Options{Path: c.dir, PolicyFrom: "nowhere"})
	if !errors.Is(err, repo.ErrRevision) {
		t.Errorf("unknown revision: %v", err)
	}
}

func TestNothingToCheck(t *testing.T) {
	c := newCheckout(t, map[string]string{"README.md": "hello"})
	for name, opts := range map[string]Options{"empty": {}, "no match": {Targets: []string{"x"}}} {
		opts.Path = c.dir
		_, err := Check(context.Background(), opts)
		var usage *UsageError
		if !errors.As(err, &usage) || !errors.Is(err, ErrNoTargets) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := c.check(Options{AllowEmpty: true}); r.Failed {
		t.Error("AllowEmpty fails")
	}
}

// TestOutsized holds that a file which is too large to be searched is said not to
// have been: nobody may hide a key behind 16 MiB of anything.
func TestOutsized(t *testing.T) {
	c := newCheckout(t, map[string]string{"web.yaml": strings.Replace(pod, "latest", "1.29.1", 1), "docs/large.bin": ""})
	if err := os.Truncate(filepath.Join(c.dir, "docs", "large.bin"), repo.MaxFileSize+1); err != nil {
		t.Fatal(err)
	}
	r := c.check(Options{})
	if n := r.Report.NotChecked; len(n) != 1 || n[0].Check != "secrets" || !strings.HasPrefix(n[0].Reason, "docs/large.bin is larger than 16 MiB") {
		t.Errorf("%+v", n)
	}
}

// TestStaged holds that the index is judged, not the work tree.
func TestStaged(t *testing.T) {
	c := newCheckout(t, map[string]string{"web.yaml": strings.Replace(pod, "latest", "1.29.1", 1)})
	c.write(map[string]string{"web.yaml": pod})
	if got := rulesOf(c.check(Options{Selector: repo.Selector{Staged: true}})); len(got) != 0 {
		t.Errorf("the index is clean, got %v", got)
	}
	c.git("add", "web.yaml")
	c.write(map[string]string{"web.yaml": strings.Replace(pod, "latest", "1.29.1", 1)})
	if got := rulesOf(c.check(Options{Selector: repo.Selector{Staged: true}})); !slices.Equal(got, []string{"image-latest"}) {
		t.Errorf("the index is not clean, got %v", got)
	}
}

// TestFirstCommit holds that a hook which asks for the change since HEAD works
// before there is one.
func TestFirstCommit(t *testing.T) {
	c := checkout{t, t.TempDir()}
	c.git("init", "-q", "-b", "main")
	c.write(map[string]string{"web.yaml": pod})
	c.git("add", "web.yaml")
	r := c.check(Options{Selector: repo.Selector{Staged: true}, ChangedSince: "HEAD"})
	if got := rulesOf(r); !slices.Equal(got, []string{"image-latest"}) {
		t.Errorf("got %v", got)
	}
}
