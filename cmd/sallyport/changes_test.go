package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// environments is how many overlays share the base of the shop.
const environments = 20

// everywhere are the overlays of the shop.
func everywhere() []string {
	out := make([]string, environments)
	for i := range out {
		out[i] = fmt.Sprintf("envs/e%02d", i+1)
	}
	return out
}

// shop writes a repository with one base in twenty environments, a component that
// two of them take, a custom resource, its definition and a policy.
func shop(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	for i, env := range everywhere() {
		text := "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nnamespace: shop-" + filepath.Base(env) + "\nresources: [../../base]\n"
		if i < 2 {
			text += "components: [../../components/budget]\n"
		}
		proposal{dir: dir}.write(t, env+"/kustomization.yaml", text)
	}
}

// step is one commit of a change: it edits the work tree.
type step func(t *testing.T, p proposal)

// changeTo replaces a text in a file.
func changeTo(name, old, now string) step {
	return func(t *testing.T, p proposal) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil || !strings.Contains(string(data), old) {
			t.Fatalf("%s lacks %q: %v", name, old, err)
		}
		p.write(t, name, strings.ReplaceAll(string(data), old, now))
	}
}

func adding(name, text string) step {
	return func(t *testing.T, p proposal) { p.write(t, name, text) }
}

func gitDoes(args ...string) step {
	return func(t *testing.T, p proposal) { p.git(t, args...) }
}

// expectation is what a reviewer is told about one kind of change. What the diff and
// the comment hold are expressions, in their order.
type expectation struct {
	name     string
	commits  []step
	affected []string
	every    string   // why all are affected
	findings []string // rule and place
	exit     int
	diff     []string
	comment  []string
}

func expectations() []expectation {
	overlay := func(env string) string {
		return "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nnamespace: shop-" + env + "\nresources: [../../base]\n"
	}
	all := slices.Concat([]string{"crds"}, everywhere(), []string{"widgets"})
	return []expectation{
		{
			name:     "a base that twenty environments share",
			commits:  []step{changeTo("base/deployment.yaml", "replicas: 2", "replicas: two")},
			affected: everywhere(),
			findings: []string{"schema-invalid base/deployment.yaml:8:13"},
			exit:     exitFindings,
			diff: []string{`^  ~ Deployment web  in e01, .*, e20$`, `^ +/spec/replicas: 2 → two  --> base/deployment.yaml:8:13$`,
				`^~ 20 of 22 targets differ: 20 objects changed\.$`},
			comment: []string{`^### ✗ sallyport: 1 error$`, `^Checked 20 of 22 targets, 42 objects`, "^- `base/deployment.yaml:8` .*`schema-invalid`",
				"In: `envs/e01`, `envs/e02` and 18 more$", "^\\| `envs/e20` \\| kustomize \\| failed"},
		},
		{
			name:     "an added overlay",
			commits:  []step{adding("envs/new/kustomization.yaml", overlay("new"))},
			affected: []string{"envs/new"},
			diff:     []string{`^added`, `Deployment shop-new/web  in new`, `Service shop-new/web  in new`, `^~ 1 of 23 targets differs: 2 objects added\.$`},
			comment:  []string{`^### ✓ sallyport: no findings in 1 of 23 targets, 2 objects$`, `^Checked 1 of 23 targets, 2 objects`},
		},
		{
			name: "a deleted component",
			commits: []step{
				gitDoes("rm", "-rq", "components/budget"),
				adding("envs/e01/kustomization.yaml", overlay("e01")), // the other one is forgotten
			},
			affected: []string{"envs/e01", "envs/e02"},
			findings: []string{"render-error envs/e02/kustomization.yaml:5:14"},
			exit:     exitFindings,
			diff: []string{`^removed: a prune deletes:$`, `- PodDisruptionBudget shop-e01/web  in e01  --> components/budget/budget.yaml:1:1`,
				`^target envs/e02: does not render`, `1 target could not be compared\.$`},
			comment: []string{`^### ✗ sallyport: 1 error$`, "^- `envs/e02/kustomization.yaml:5` .*`../../components/budget`, which does not exist.*`render-error`",
				"^\\| `envs/e02` \\| kustomize \\| not-rendered"},
		},
		{
			name:     "a rename",
			commits:  []step{gitDoes("mv", "envs/e20", "envs/last")},
			affected: []string{"envs/last"},
			diff:     []string{`^target envs/last: moved from envs/e20, and renders the same$`, `^~ no differences in 22 targets; 1 target moved\.$`},
			comment:  []string{`^### ✓ sallyport: no findings`},
		},
		{
			name: "a weakened policy",
			commits: []step{
				changeTo("policies/owner.rego", `"Deployment"`, `"Never"`),
				changeTo("base/deployment.yaml", "    owner: shop\n", "    app: web\n"),
			},
			affected: all,
			every:    "policies/owner.rego is a policy",
			findings: []string{"owner-missing base/deployment.yaml:1:1", "policy-changed policies/owner.rego"},
			exit:     exitFindings,
			diff:     []string{`^  ~ Deployment web  in e01`, `/metadata/labels`, `^~ 20 of 22 targets differ`},
			comment:  []string{`^### ✗ sallyport: 1 error, 1 warning$`, "`owner-missing`", "^<summary>1 warning: <code>policy-changed</code>", "^- `policies/owner.rego` .*judges until it is merged"},
		},
		{
			name:     "a secret of one commit",
			commits:  []step{adding("envs/e03/db.yaml", plainSecret), gitDoes("rm", "-q", "envs/e03/db.yaml")},
			findings: []string{"secret-plaintext envs/e03/db.yaml:7:13"},
			exit:     exitFindings,
			diff:     []string{`^✓ no differences in 22 targets\.$`},
			comment:  []string{`^### ✗ sallyport: 1 error$`, `^Checked 0 of 22 targets`, "^- `envs/e03/db.yaml:7` .*in commit.*it is burnt, even if a later commit removes it", "Commit: `"},
		},
		{
			name:     "a removed definition",
			commits:  []step{gitDoes("rm", "-rq", "crds")},
			affected: all[1:],
			every:    "crds/widget.yaml defines custom resources",
			findings: []string{"crd-removed widgets/widget.yaml:2:7"},
			exit:     exitFindings,
			diff: []string{`^removed: a prune deletes:$`, `^  ! CustomResourceDefinition widgets.shop.example  in crds  --> crds/widget.yaml:1:1$`,
				`data loss: deleting it deletes every object of the kind`, `^target crds: removed`},
			comment: []string{`^### ✗ sallyport: 1 error`, "^- `widgets/widget.yaml:2` .*removes CustomResourceDefinition `widgets.shop.example`.*deletes every object of its kind.*`crd-removed`",
				"Help: keep the definition, `crds/widget.yaml:1:1` at the merge base with `?main", "no schema for `shop.example/v1` Widget"},
		},
		{
			name:     "a version of a definition that is served no longer",
			commits:  []step{changeTo("crds/widget.yaml", "name: v1\n", "name: v2\n")},
			affected: all,
			every:    "crds/widget.yaml defines custom resources",
			findings: []string{"crd-removed widgets/widget.yaml:1:13"},
			exit:     exitFindings,
			diff:     []string{`^  ~ CustomResourceDefinition widgets.shop.example  in crds`, `^~ 1 of 22 targets differs: 1 object changed`},
			comment: []string{`^### ✗ sallyport: 1 error`, "^- `widgets/widget.yaml:1` .*stops CustomResourceDefinition `widgets.shop.example` from serving.*`crd-removed`",
				"Help: move the object to `shop.example/v2` first", `1 object: schema: no schema`},
		},
		{
			name:     "another image",
			commits:  []step{adding("envs/e04/kustomization.yaml", overlay("e04")+"images: [{name: registry.shop.example/web, newTag: latest}]\n")},
			affected: []string{"envs/e04"},
			findings: []string{"image-latest envs/e04/kustomization.yaml:5:52"},
			diff: []string{`^  ~ Deployment shop-e04/web  in e04$`, `/containers\[web\]/image: registry.shop.example/web:1.4.2 → registry.shop.example/web:latest  --> envs/e04/kustomization.yaml:5:52$`,
				`^~ 1 of 22 targets differs: 1 object changed\.$`},
			comment: []string{`^### ! sallyport: 1 warning$`, "^- `envs/e04/kustomization.yaml:5` .*`registry.shop.example/web:latest`.*`image-latest`"},
		},
	}
}

// propose makes the shop with more files, and the change on a branch of it, and
// enters it.
func (e expectation) propose(t *testing.T, more map[string]string) {
	t.Helper()
	p := proposal{dir: t.TempDir()}
	shop(t, p.dir)
	for name, text := range more {
		p.write(t, name, text)
	}
	p.git(t, "init", "-q", "-b", "main")
	p.git(t, "add", "-A")
	p.git(t, "commit", "-q", "-m", "one")
	p.git(t, "checkout", "-q", "-b", "change")
	for i, commit := range e.commits {
		commit(t, p)
		p.git(t, "add", "-A")
		p.git(t, "commit", "-q", "-m", fmt.Sprint("change ", i))
	}
	t.Chdir(p.dir)
}

// TestChanges holds, for each kind of change that matters, what is said about it
// in a real repository with two branches: the targets, the findings, the
// difference, the exit code and the comment.
func TestChanges(t *testing.T) {
	for _, e := range expectations() {
		t.Run(e.name, func(t *testing.T) {
			e.propose(t, nil)
			e.judgeTargets(t)
			e.judgeCheck(t)
			e.judgeDiff(t)
		})
	}
}

// runs runs a command and returns what it prints.
func runs(t *testing.T, exit int, args ...string) (stdout, stderr string) {
	t.Helper()
	s, out, errs := world(map[string]string{"CI": "true"})
	if code := run(t.Context(), s, args); code != exit {
		t.Errorf("%s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, exit, out, errs)
	}
	return out.String(), errs.String()
}

func (e expectation) judgeTargets(t *testing.T) {
	out, errs := runs(t, exitClean, "targets", "--affected-by", "main", "-o", "json")
	var listing struct{ Targets []struct{ Path string } }
	if err := json.Unmarshal([]byte(out), &listing); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, target := range listing.Targets {
		got = append(got, target.Path)
	}
	if !slices.Equal(got, e.affected) {
		t.Errorf("affected\n%q\nwant\n%q", got, e.affected)
	}
	want := e.every
	if len(got) == 0 {
		want = "no target is affected\n"
	}
	if (errs == "") != (want == "") || !strings.Contains(errs, want) {
		t.Errorf("stderr of targets: %q, want %q", errs, want)
	}
}

func (e expectation) judgeCheck(t *testing.T) {
	dir := t.TempDir()
	comment := filepath.Join(dir, "comment.md")
	out, _ := runs(t, e.exit, "check", "--changed-since", "main", "--policy-from", "main", "--commits", "main..HEAD", "-o", "json", "-o", "markdown="+comment)
	var r finding.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	var checked, found []string
	for _, target := range r.Targets {
		if target.Status != finding.Skipped {
			checked = append(checked, target.Path)
		}
	}
	for _, f := range r.Findings {
		found = append(found, strings.TrimSpace(f.Rule+" "+cmp.Or(f.Location.String(), f.Unplaced)))
	}
	if !slices.Equal(checked, e.affected) {
		t.Errorf("checked\n%q\nwant\n%q", checked, e.affected)
	}
	if !slices.Equal(found, e.findings) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(e.findings, "\n"))
	}
	text, err := os.ReadFile(comment)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "the comment", string(text), e.comment)
}

func (e expectation) judgeDiff(t *testing.T) {
	out, _ := runs(t, exitClean, "diff", "main")
	holds(t, "the diff", out, e.diff)
}

// holds finds the expressions in a text, in their order, and no secret.
func holds(t *testing.T, what, text string, want []string) {
	t.Helper()
	if strings.Contains(text, "correct-horse") {
		t.Errorf("%s shows the secret", what)
	}
	rest := text
	for _, expression := range want {
		at := regexp.MustCompile("(?m)" + expression).FindStringIndex(rest)
		if at == nil {
			t.Errorf("%s lacks %q in its place:\n%s", what, expression, text)
			return
		}
		rest = rest[at[1]:]
	}
}
