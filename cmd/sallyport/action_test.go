package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/peer"
)

// proposal is a clone of the demo repository with a change on a branch.
type proposal struct{ dir, base string }

// propose commits the demo, and on a branch the files given.
func propose(t *testing.T, files map[string]string) proposal {
	t.Helper()
	p := proposal{dir: t.TempDir()}
	if err := os.CopyFS(p.dir, os.DirFS("../../testdata/demo")); err != nil {
		t.Fatal(err)
	}
	p.git(t, "init", "-q", "-b", "main")
	p.git(t, "add", "-A")
	p.git(t, "commit", "-q", "-m", "one")
	p.base = p.git(t, "rev-parse", "HEAD")
	p.git(t, "checkout", "-q", "-b", "change")
	for name, text := range files {
		p.write(t, name, text)
	}
	p.git(t, "add", "-A")
	p.git(t, "commit", "-q", "--allow-empty", "-m", "two")
	return p
}

func (p proposal) write(t *testing.T, name, text string) {
	t.Helper()
	at := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p proposal) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@shop.example", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// onPullRequest is a runner for pull request 12 of the proposal.
func onPullRequest(t *testing.T, p proposal, api *discussion) *actionRunner {
	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "go.mod"), []byte("module x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return &actionRunner{
		t: t, dir: p.dir, source: source, env: []string{"GITHUB_API_URL=" + api.URL},
		github: map[string]string{"github.event.pull_request.base.sha": p.base, "github.event.pull_request.number": "12", "github.token": "ghs_token"},
	}
}

const ours = "<!-- sallyport -->\nof an earlier run"

// A change with an error fails, says so in annotations, summary and SARIF, and
// there is one comment whatever the number of runs.
func TestActionReportsOnPullRequest(t *testing.T) {
	p := propose(t, map[string]string{
		"overlays/prod/worker.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: worker\nspec:\n  replicas: \"7\"\n",
		// The change cannot switch off the rule that judges it.
		".sallyport.yaml": "apiVersion: sallyport.dev/v1\nkind: Config\nrules: {schema-invalid: {severity: off}, secret-plaintext: {severity: off}}\n",
	})
	api := newDiscussion(t, "")
	r := onPullRequest(t, p, api)
	got := r.run(map[string]string{"upload-sarif": "true"})
	if !got.failed || got.outputs["exit-code"] != "1" || got.outputs["errors"] != "2" {
		t.Fatalf("failed %v, outputs %v\n%s", got.failed, got.outputs, got.log)
	}
	for _, want := range []string{"::error ", "file=overlays/prod/worker.yaml", "line=6"} {
		if !strings.Contains(got.log, want) {
			t.Errorf("the log lacks %q:\n%s", want, got.log)
		}
	}
	if !strings.HasPrefix(got.summary, "### ") || !strings.Contains(got.summary, "schema-invalid") {
		t.Errorf("summary:\n%s", got.summary)
	}
	var report struct{ Kind string }
	readJSONFile(t, got.outputs["report"], &report)
	var sarif struct{ Version string }
	readJSONFile(t, got.outputs["sarif"], &sarif)
	if report.Kind != "Report" || sarif.Version != "2.1.0" {
		t.Errorf("report %v, sarif %v", report, sarif)
	}
	if last := got.used[len(got.used)-1]; !strings.Contains(last, "upload-sarif@") || !strings.Contains(last, "sarif_file="+got.outputs["sarif"]) {
		t.Errorf("the SARIF log is not uploaded: %v", got.used)
	}
	if len(api.remarks) != 1 || !strings.HasPrefix(api.remarks[0].body, "<!-- sallyport -->\n### ") || !strings.Contains(api.remarks[0].body, "schema-invalid") {
		t.Fatalf("comments %+v\n%s", api.remarks, got.log)
	}
	r.run(nil)
	if len(api.remarks) != 1 || fmt.Sprint(api.written()) != "[POST /repos/shop/gitops/issues/12/comments PATCH /repos/shop/gitops/issues/comments/900000]" {
		t.Errorf("a second run wrote %v", api.written())
	}
	if !api.tokens["Bearer ghs_token"] || len(api.tokens) != 1 {
		t.Errorf("tokens %v", api.tokens)
	}
}

func readJSONFile(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Error(err)
	}
}

// Ours is found behind a hundred others, and nobody else's is taken for it.
func TestActionFindsItsComment(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the steps of the action many times")
	}
	p := propose(t, map[string]string{"README.md": "text\n"})
	crowd := func(login string, bot bool) []remark {
		out := []remark{
			{1, "mallory", false, ours},
			{2, "ci[bot]", true, "quoted: " + ours},
			{3, "mallory", false, `","body":"<!-- sallyport -->","user":{"type":"Bot","login":"shop-ci"},"id":4}]`},
		}
		for i := range 150 {
			out = append(out, remark{100 + i, "reviewer", false, "looks {good} to \"me\" \\ 日本\n"})
		}
		return append(out, remark{777, login, bot, ours})
	}
	for name, api := range map[string]*discussion{
		"workflow token": newDiscussion(t, "", crowd("github-actions[bot]", true)...),
		"personal token": newDiscussion(t, "shop-ci", crowd("shop-ci", false)...),
	} {
		for _, api.plain = range []bool{false, true} {
			api.calls = nil
			got := onPullRequest(t, p, api).run(nil)
			if w := fmt.Sprint(api.written()); got.failed || w != "[PATCH /repos/shop/gitops/issues/comments/777]" {
				t.Errorf("%s: wrote %s\n%s", name, w, got.log)
			}
		}
	}
}

// Without a token that may write there is no comment, and the verdict stands.
func TestActionWithoutToken(t *testing.T) {
	p := propose(t, map[string]string{"README.md": "text\n"})
	for name, test := range map[string]struct {
		inputs map[string]string
		refuse int
		says   string
	}{
		"none":      {map[string]string{"token": ""}, 0, "No comment: there is no token"},
		"fork":      {nil, http.StatusForbidden, "forks (status 403)"},
		"broken":    {nil, http.StatusUnprocessableEntity, "the API answered 422"},
		"malformed": {map[string]string{"token": "x\"\nurl = http://shop.example"}, 0, "the token is none"},
	} {
		api := newDiscussion(t, "")
		api.refuse = test.refuse
		got := onPullRequest(t, p, api).run(test.inputs)
		if got.failed || !strings.Contains(got.log, "::notice title=sallyport::") || !strings.Contains(got.log, test.says) || len(api.remarks) > 0 {
			t.Errorf("%s: failed %v\n%s", name, got.failed, got.log)
		}
	}
}

// passing is a change that adds a secret in one commit and removes it in the next.
func passing(t *testing.T) proposal {
	t.Helper()
	p := propose(t, map[string]string{"base/web/db.yaml": plainSecret})
	p.git(t, "rm", "-q", "base/web/db.yaml")
	p.git(t, "commit", "-q", "-m", "three")
	return p
}

// The history keeps what a later commit removes.
func TestActionJudgesEveryCommit(t *testing.T) {
	p := passing(t)
	api := newDiscussion(t, "")
	got := onPullRequest(t, p, api).run(nil)
	if got.outputs["exit-code"] != "1" || got.outputs["errors"] != "1" || !strings.Contains(got.summary, "secret-plaintext") {
		t.Errorf("outputs %v\n%s", got.outputs, got.log)
	}
	if strings.Contains(got.log+got.summary+api.remarks[0].body, "correct-horse") {
		t.Error("the secret is shown")
	}
}

// A push has no pull request: everything is checked, and nothing is written.
func TestActionOnPush(t *testing.T) {
	p := propose(t, nil)
	api := newDiscussion(t, "")
	r := onPullRequest(t, p, api)
	r.github = map[string]string{"github.token": "ghs_token"}
	got := r.run(nil)
	if !got.failed || got.outputs["errors"] != "2" || len(api.calls) > 0 {
		t.Errorf("outputs %v, calls %v\n%s", got.outputs, api.calls, got.log)
	}
}

// A shallow clone cannot tell what changed: that is no success, and the cure is
// named in the log, the summary and the comment.
func TestActionOnShallowClone(t *testing.T) {
	p := propose(t, map[string]string{"README.md": "text\n"})
	shallow := proposal{dir: filepath.Join(t.TempDir(), "clone"), base: p.base}
	p.git(t, "clone", "-q", "--depth", "1", "file://"+p.dir, shallow.dir)
	api := newDiscussion(t, "")
	got := onPullRequest(t, shallow, api).run(nil)
	if !got.failed || got.outputs["exit-code"] != "3" || got.outputs["report"] != "" {
		t.Errorf("outputs %v", got.outputs)
	}
	if len(api.remarks) != 1 {
		t.Fatalf("no comment\n%s", got.log)
	}
	for where, text := range map[string]string{"log": got.log, "summary": got.summary, "comment": api.remarks[0].body} {
		if !strings.Contains(text, "fetch-depth: 0") {
			t.Errorf("the %s lacks the cure:\n%s", where, text)
		}
	}
}

// hostile are values that run `touch pwned` wherever a shell reads them as code.
func hostile() []string {
	return []string{"$(touch pwned)", "`touch pwned`", "x; touch pwned", "\"; touch pwned; \"", "'; touch pwned; '", "x\ntouch pwned\n", "-x\n--config=$(touch pwned)"}
}

// Whatever an input holds, it is one argument and never code.
func TestActionInputsAreNoCode(t *testing.T) {
	p := propose(t, map[string]string{"README.md": "text\n"})
	r := onPullRequest(t, p, newDiscussion(t, ""))
	r.github["github.event.pull_request.number"] = "$(touch pwned)"
	for _, value := range hostile() {
		all := map[string]string{}
		for name := range loadAction(t).Inputs {
			all[name] = value
		}
		r.noCache = true // so that the version is used
		r.run(all)
		r.noCache = false
		for _, name := range []string{"version", "comment", "cache", "sarif-file"} {
			delete(all, name) // these would end the run early
		}
		r.run(all)
		for _, dir := range []string{p.dir, r.source} {
			if found, _ := filepath.Glob(filepath.Join(dir, "*pwned*")); len(found) > 0 {
				t.Fatalf("an input that is %q ran as code", value)
			}
		}
	}
}

func TestActionArguments(t *testing.T) {
	p := propose(t, map[string]string{"policies/with space/one.rego": "package main\n\nimport rego.v1\n\nwarn contains \"one\" if input.kind == \"Deployment\"\n"})
	got := onPullRequest(t, p, newDiscussion(t, "")).run(map[string]string{
		"changed-since": "", "policies": "\n  policies/with space  \r\n\n", "kubernetes-versions": "1.34\n1.35", "fail-on": "warning",
		"args": "--target\noverlays/dev\n--strict", "sarif-file": "out.sarif", "html-file": "out.html", "comment": "false", "policy-from": "",
	})
	if got.outputs["exit-code"] != "1" || !strings.Contains(got.log, "one") || got.outputs["sarif"] != "out.sarif" {
		t.Errorf("outputs %v\n%s", got.outputs, got.log)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "out.sarif")); err != nil {
		t.Error(err)
	}
	page, err := os.ReadFile(filepath.Join(p.dir, got.outputs["html"]))
	if err != nil || got.outputs["html"] != "out.html" || !strings.HasPrefix(strings.ToLower(string(page)), "<!doctype html>") {
		t.Errorf("page %q: %v", got.outputs["html"], err)
	}
}

// What the action says about itself holds for the file: no expression inside a
// script, and other actions by their commit.
func TestActionFile(t *testing.T) {
	for _, s := range loadAction(t).Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %s has an expression in its script", s.Name)
		}
		if s.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(s.Uses) {
			t.Errorf("%s is not pinned to a commit", s.Uses)
		}
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %s names no shell", s.Name)
		}
	}
}

// The program that the action builds from its own checkout answers.
func TestActionBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	p := propose(t, map[string]string{"README.md": "text\n"})
	r := onPullRequest(t, p, newDiscussion(t, ""))
	r.noCache = true
	var err error
	if r.source, err = filepath.Abs("../.."); err != nil {
		t.Fatal(err)
	}
	if got := r.run(map[string]string{"comment": "false"}); got.failed || got.outputs["exit-code"] != "0" {
		t.Errorf("outputs %v\n%s", got.outputs, got.log)
	}
}

// actionlint judges workflows, and the inputs of local actions in them.
func TestActionlint(t *testing.T) {
	lint := peer.Binary(t, "actionlint")
	p := proposal{dir: t.TempDir()}
	p.git(t, "init", "-q")
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "action.yml", string(data))
	inputs := ""
	for name := range loadAction(t).Inputs {
		inputs += "          " + name + ": x\n"
	}
	uses := "on: pull_request\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      - id: gate\n        uses: ./\n        with:\n" + inputs +
		"      - run: echo \"$CODE\"\n        env:\n          CODE: ${{ steps.gate.outputs.exit-code }}${{ steps.gate.outputs.report }}\n"
	p.write(t, ".github/workflows/uses.yml", uses)
	p.write(t, ".github/workflows/init.yml", githubWorkflow("v0.1.0", "main"))
	cmd := exec.Command(lint, "-no-color")
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
}
