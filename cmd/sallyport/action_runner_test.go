package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composite is action.yml, as far as a runner executes it.
type composite struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct{ Steps []actionStep }
}

type actionStep struct {
	Name, ID, If, Uses, Shell, Run string

	Env, With map[string]string
}

func loadAction(t *testing.T) composite {
	t.Helper()
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a composite
	if err := yaml.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// actionRunner executes the steps of the action as GitHub's runner does: with
// expressions evaluated, bash for the scripts, and the files that steps talk
// through. Other actions are not run; of actions/cache it plays a hit, which
// brings the program under test.
type actionRunner struct {
	t       *testing.T
	dir     string            // the workspace
	source  string            // the directory of the action
	github  map[string]string // event and repository, by dotted name
	env     []string          // beyond that of the process
	noCache bool

	vars map[string]string // everything an expression can name
	log  bytes.Buffer
	used []string // other actions, with their inputs
}

// actionResult is what a workflow sees of the action.
type actionResult struct {
	failed  bool
	outputs map[string]string
	log     string
	summary string
	used    []string
}

// run executes the action with inputs, those that are missing by default.
func (r *actionRunner) run(inputs map[string]string) actionResult {
	r.t.Helper()
	a := loadAction(r.t)
	temp := r.t.TempDir()
	r.vars = map[string]string{"github.action_path": r.source, "github.workspace": r.dir, "runner.os": "Linux", "runner.arch": "X64"}
	maps.Copy(r.vars, r.github)
	for name, in := range a.Inputs {
		r.vars["inputs."+name] = r.expand(in.Default)
	}
	for name, value := range inputs {
		if _, known := a.Inputs[name]; !known {
			r.t.Fatalf("the action has no input %s", name)
		}
		r.vars["inputs."+name] = value
	}
	failed := false
	for _, s := range a.Runs.Steps {
		wanted := s.If == "" || r.eval(s.If) != ""
		if !wanted || failed && !strings.Contains(s.If, "always()") {
			continue
		}
		if s.Uses != "" {
			r.use(s)
		} else if err := r.script(s, temp); err != nil {
			failed = true
			fmt.Fprintf(&r.log, "step %s: %v\n", s.Name, err)
		}
	}
	out := actionResult{failed: failed, outputs: map[string]string{}, log: r.log.String(), used: r.used}
	for name, o := range a.Outputs {
		out.outputs[name] = r.expand(o.Value)
	}
	summary, _ := os.ReadFile(filepath.Join(temp, "summary"))
	out.summary = string(summary)
	r.log.Reset()
	r.used = nil
	return out
}

func (r *actionRunner) use(s actionStep) {
	line := s.Uses
	for _, k := range slices.Sorted(maps.Keys(s.With)) {
		line += " " + k + "=" + r.expand(s.With[k])
	}
	r.used = append(r.used, line)
	if !strings.HasPrefix(s.Uses, "actions/cache@") || r.noCache {
		return
	}
	placeProgram(r.t, r.expand(s.With["path"]))
	r.vars["steps."+s.ID+".outputs.cache-hit"] = "true"
}

// placeProgram puts the program under test into a directory.
func placeProgram(t *testing.T, dir string) {
	t.Helper()
	program, err := exec.LookPath("sallyport")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "sallyport")); err != nil {
		t.Fatal(err)
	}
}

// script runs a step in bash with the options that the runner gives it.
func (r *actionRunner) script(s actionStep, temp string) error {
	file, output := filepath.Join(temp, "step.sh"), filepath.Join(temp, "output")
	for name, text := range map[string]string{file: s.Run, output: ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", file)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, &r.log, &r.log
	cmd.Env = append(os.Environ(), "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+output, "GITHUB_WORKSPACE="+r.dir, "CI=true",
		"GITHUB_STEP_SUMMARY="+filepath.Join(temp, "summary"), "GITHUB_REPOSITORY=shop/gitops", "GITHUB_ACTIONS=true")
	cmd.Env = append(cmd.Env, r.env...)
	for k, v := range s.Env {
		cmd.Env = append(cmd.Env, k+"="+r.expand(v))
	}
	err := cmd.Run()
	written, _ := os.ReadFile(output)
	for line := range strings.Lines(string(written)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			r.t.Errorf("step %s: a line of GITHUB_OUTPUT is no assignment: %q", s.Name, line)
		}
		r.vars["steps."+s.ID+".outputs."+name] = value
	}
	return err
}

var expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// expand replaces the expressions of a text.
func (r *actionRunner) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(m string) string { return r.eval(expression.FindStringSubmatch(m)[1]) })
}

// eval evaluates the few forms of expressions that the action uses: names,
// literals, ==, !=, && and ||, without parentheses. The empty string is false.
func (r *actionRunner) eval(text string) string {
	for _, or := range strings.Split(text, "||") {
		value := ""
		for _, and := range strings.Split(or, "&&") {
			if value = r.compare(and); value == "" {
				break
			}
		}
		if value != "" {
			return value
		}
	}
	return ""
}

func (r *actionRunner) compare(text string) string {
	for _, op := range []string{"==", "!="} {
		if a, b, ok := strings.Cut(text, op); ok {
			if (r.value(a) == r.value(b)) == (op == "==") {
				return "true"
			}
			return ""
		}
	}
	return r.value(text)
}

func (r *actionRunner) value(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "always()":
		return "true"
	case strings.HasPrefix(text, "'"):
		return strings.Trim(text, "'")
	case !regexp.MustCompile(`^(inputs|github|steps|runner)\.[A-Za-z0-9_.-]+$`).MatchString(text):
		r.t.Fatalf("an expression that the test does not know: %q", text)
	}
	return r.vars[text]
}
