package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// gitlabTemplate is templates/sallyport.yml: the header and the jobs.
type gitlabTemplate struct {
	Inputs map[string]struct{ Default string }
	Jobs   map[string]gitlabJob
}

type gitlabJob struct {
	Stage, Image string
	Variables    map[string]yaml.Node
	Script       []string
	Artifacts    struct {
		When    string
		Expose  string `yaml:"expose_as"`
		Paths   []string
		Reports map[string]string
	}
}

// loadTemplate interpolates inputs as GitLab does: in the parsed document, so
// that a value cannot change its structure.
func loadTemplate(t *testing.T, inputs map[string]string) gitlabTemplate {
	t.Helper()
	data, err := os.ReadFile("../../templates/sallyport.yml")
	if err != nil {
		t.Fatal(err)
	}
	var header struct {
		Spec struct {
			Inputs map[string]struct{ Default string }
		}
	}
	var jobs yaml.Node
	docs := yaml.NewDecoder(bytes.NewReader(data))
	if err := docs.Decode(&header); err != nil {
		t.Fatal(err)
	}
	if err := docs.Decode(&jobs); err != nil {
		t.Fatal(err)
	}
	out := gitlabTemplate{Inputs: header.Spec.Inputs}
	for name := range inputs {
		if _, known := out.Inputs[name]; !known {
			t.Fatalf("the component has no input %s", name)
		}
	}
	interpolate(t, &jobs, func(name string) string {
		in, known := out.Inputs[name]
		if !known {
			t.Errorf("the component uses the input %s, which it does not have", name)
		}
		if value, given := inputs[name]; given {
			return value
		}
		return in.Default
	})
	if err := jobs.Decode(&out.Jobs); err != nil {
		t.Fatal(err)
	}
	return out
}

var interpolation = regexp.MustCompile(`\$\[\[ *inputs\.([a-z-]+) *\]\]`)

func interpolate(t *testing.T, n *yaml.Node, value func(string) string) {
	for _, child := range n.Content {
		interpolate(t, child, value)
	}
	if n.Kind == yaml.ScalarNode && interpolation.MatchString(n.Value) {
		n.Value = interpolation.ReplaceAllStringFunc(n.Value, func(m string) string { return value(interpolation.FindStringSubmatch(m)[1]) })
		n.Tag = "!!str"
	}
}

// gitlabRunner runs the job as GitLab's runner does: all lines of the script in
// one bash with errexit and pipefail, the variables in its environment.
type gitlabRunner struct {
	t   *testing.T
	dir string
	env []string
}

func (r *gitlabRunner) run(inputs map[string]string) (code int, log string) {
	r.t.Helper()
	for name, job := range loadTemplate(r.t, inputs).Jobs {
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(job.Script, "\n"))
		cmd.Dir = r.dir
		cmd.Env = append(os.Environ(), "CI=true", "CI_PROJECT_DIR="+r.dir, "CI_PROJECT_ID=34")
		cmd.Env = append(cmd.Env, r.env...)
		for k, v := range job.Variables {
			cmd.Env = append(cmd.Env, k+"="+variable(r.t, name, k, v))
		}
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	r.t.Fatal("the template has no job")
	return 0, ""
}

// variable returns the value of a job's variable. One that holds an input must
// not be expanded again.
func variable(t *testing.T, job, name string, n yaml.Node) string {
	t.Helper()
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var v struct {
		Value  string
		Expand *bool
	}
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if v.Expand == nil || *v.Expand {
		t.Errorf("%s: the variable %s is expanded", job, name)
	}
	return v.Value
}

// onMergeRequest is a runner for merge request 5 of the proposal.
func onMergeRequest(t *testing.T, p proposal, api *discussion) *gitlabRunner {
	return &gitlabRunner{t: t, dir: p.dir, env: []string{
		"CI_API_V4_URL=" + api.URL, "CI_MERGE_REQUEST_IID=5", "CI_MERGE_REQUEST_DIFF_BASE_SHA=" + p.base, "SALLYPORT_TOKEN=glpat-x_1",
	}}
}

// A change with an error fails, leaves every report, and has one note whatever
// the number of runs.
func TestGitLabReportsOnMergeRequest(t *testing.T) {
	p := propose(t, map[string]string{
		"overlays/prod/worker.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: worker\nspec:\n  replicas: \"7\"\n",
		// The change cannot switch off the rule that judges it.
		".sallyport.yaml": "apiVersion: sallyport.dev/v1\nkind: Config\nrules: {schema-invalid: {severity: off}}\n",
	})
	crowd := []remark{{1, "mallory", false, ours}, {2, "shop-ci", true, "quoted: " + ours}}
	for i := range 120 {
		crowd = append(crowd, remark{100 + i, "reviewer", false, "looks {good} to \"me\" \\\n"})
	}
	api := newDiscussion(t, "shop-ci", crowd...)
	r := onMergeRequest(t, p, api)
	for range 2 {
		if code, log := r.run(nil); code != 1 || !strings.Contains(log, "overlays/prod/worker.yaml:6") {
			t.Fatalf("exit code %d\n%s", code, log)
		}
	}
	want := "[POST /projects/34/merge_requests/5/notes PUT /projects/34/merge_requests/5/notes/900122]"
	if got := fmt.Sprint(api.written()); got != want || !api.tokens["glpat-x_1"] || len(api.tokens) != 1 {
		t.Errorf("wrote %s, tokens %v", got, api.tokens)
	}
	if last := api.remarks[len(api.remarks)-1]; !strings.HasPrefix(last.body, "<!-- sallyport -->\n### ") || !strings.Contains(last.body, "schema-invalid") {
		t.Errorf("note %q", last.body)
	}
	for name, job := range loadTemplate(t, nil).Jobs {
		if job.Artifacts.When != "always" || job.Artifacts.Expose == "" {
			t.Errorf("%s keeps no artifacts of a failed job, or does not show them: %+v", name, job.Artifacts)
		}
		for _, file := range append(job.Artifacts.Paths, job.Artifacts.Reports["codequality"], job.Artifacts.Reports["junit"], "sallyport-report/sallyport.sarif", "sallyport-report/report.html") {
			if _, err := os.Stat(filepath.Join(p.dir, file)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		var issues []struct{ Fingerprint string }
		if readJSONFile(t, filepath.Join(p.dir, job.Artifacts.Reports["codequality"]), &issues); len(issues) == 0 {
			t.Error("the Code Quality report is empty")
		}
	}
}

// Without a token there is no note, and the verdict stands.
func TestGitLabWithoutToken(t *testing.T) {
	p := propose(t, map[string]string{"README.md": "text\n"})
	for says, env := range map[string][]string{
		"SALLYPORT_TOKEN is not set":                               {"SALLYPORT_TOKEN="},
		"SALLYPORT_TOKEN is no token":                              {"SALLYPORT_TOKEN=x\"\nurl = http://shop.example"},
		"the API answered 403 to the question whose token this is": nil,
		"": {"CI_MERGE_REQUEST_IID="},
		"the API answered 000 to the question whose token this is": {"CI_API_V4_URL=http://127.0.0.1:1"},
	} {
		api := newDiscussion(t, "")
		r := onMergeRequest(t, p, api)
		r.env = append(r.env, env...)
		if code, log := r.run(nil); code != 0 || !strings.Contains(log, says) || len(api.remarks) > 0 {
			t.Errorf("exit code %d\n%s", code, log)
		}
	}
}

// A shallow clone is no success, and the cure is named.
func TestGitLabOnShallowClone(t *testing.T) {
	p := propose(t, map[string]string{"README.md": "text\n"})
	shallow := proposal{dir: filepath.Join(t.TempDir(), "clone"), base: p.base}
	p.git(t, "clone", "-q", "--depth", "1", "file://"+p.dir, shallow.dir)
	api := newDiscussion(t, "shop-ci")
	code, log := onMergeRequest(t, shallow, api).run(nil)
	if code != 3 || !strings.Contains(log, "set the variable `GIT_DEPTH` to 0") || len(api.remarks) != 1 || !strings.Contains(api.remarks[0].body, "GIT_DEPTH") {
		t.Errorf("exit code %d, notes %v\n%s", code, api.remarks, log)
	}
}

// The history keeps what a later commit removes.
func TestGitLabJudgesEveryCommit(t *testing.T) {
	p := passing(t)
	code, log := onMergeRequest(t, p, newDiscussion(t, "shop-ci")).run(nil)
	if code != 1 || !strings.Contains(log, "secret-plaintext") || strings.Contains(log, "correct-horse") {
		t.Errorf("exit code %d\n%s", code, log)
	}
}

// Whatever an input holds, it is one argument and never code.
func TestGitLabInputsAreNoCode(t *testing.T) {
	p := propose(t, map[string]string{"README.md": "text\n"})
	r := onMergeRequest(t, p, newDiscussion(t, "shop-ci"))
	for _, value := range hostile() {
		all := map[string]string{}
		for name := range loadTemplate(t, nil).Inputs {
			all[name] = value
		}
		r.run(all)
		if found, _ := filepath.Glob(filepath.Join(p.dir, "*pwned*")); len(found) > 0 {
			t.Fatalf("an input that is %q ran as code", value)
		}
	}
}

func TestGitLabArguments(t *testing.T) {
	p := propose(t, nil)
	r := onMergeRequest(t, p, newDiscussion(t, "shop-ci"))
	code, log := r.run(map[string]string{"changed-since": "none", "policy-from": "none", "kubernetes-versions": "1.34\n1.35\n", "args": "--target\noverlays/dev", "path": "."})
	var report struct {
		Targets []struct{ Path string }
	}
	readJSONFile(t, filepath.Join(p.dir, "sallyport-report/report.json"), &report)
	data, _ := json.Marshal(report.Targets)
	if code != 1 || string(data) != `[{"Path":"overlays/dev"}]` {
		t.Errorf("exit code %d, targets %s\n%s", code, data, log)
	}
}
