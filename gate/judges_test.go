package gate

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

const denyPods = "package main\n\nimport rego.v1\n\ndeny contains \"no pods\" if input.kind == \"Pod\"\n"

// TestPolicyChanged holds that a change to what judges a change is shown with its
// place, and nothing else is taken for one.
func TestPolicyChanged(t *testing.T) {
	settings := config + "policies: [rules]\npolicyData: [data.yaml]\nsecrets: {recipients: {from: keys.yaml}}\n"
	start := map[string]string{
		ConfigName: settings, "rules/a.rego": denyPods, "data.yaml": "a: 1\n", "web.yaml": pod, "elsewhere/b.rego": denyPods,
		"keys.yaml": "creation_rules: []\n", ".gitlab-ci.yml": "check: {script: [sallyport check]}\n", ".github/workflows/other.yml": "on: push\n",
	}
	for _, c := range []struct {
		name   string
		change map[string]string // "" deletes
		want   []string          // place and message, as far as they go
	}{
		{"nothing", map[string]string{"web.yaml": pod + "# note\n"}, nil},
		{"waivers", map[string]string{ConfigName: settings + waiver("object: Pod/shop/web", "2999-01-31")},
			[]string{".sallyport.yaml:6:1 the change edits the configuration, .sallyport.yaml: waivers; the one before the change judges until it is merged"}},
		{"several sections", map[string]string{ConfigName: config + "rules: {image-latest: {severity: off}}\n"},
			[]string{".sallyport.yaml the change edits the configuration, .sallyport.yaml: policies, policyData, rules, secrets; the one"}},
		{"a comment", map[string]string{ConfigName: "# why\n" + settings}, []string{".sallyport.yaml the change edits the configuration, .sallyport.yaml; the one"}},
		{"a mistake", map[string]string{ConfigName: settings + "rulez: {}\n"},
			[]string{".sallyport.yaml the change makes .sallyport.yaml a configuration that sallyport refuses"}},
		{"no configuration", map[string]string{ConfigName: ""}, []string{" the change deletes the configuration, .sallyport.yaml: apiVersion, kind, policies"}},
		{"a policy", map[string]string{"rules/a.rego": denyPods + "# x\n", "elsewhere/b.rego": denyPods + "# x\n"}, []string{"rules/a.rego the change edits a policy"}},
		{"a policy that is new", map[string]string{"rules/sub/c.rego": denyPods}, []string{"rules/sub/c.rego the change adds a policy"}},
		{"a policy that is gone", map[string]string{"rules/a.rego": "", "rules/c.rego": denyPods},
			[]string{" the change deletes a policy, rules/a.rego", "rules/c.rego the change adds a policy"}},
		{"data", map[string]string{"data.yaml": "a: 2\n"}, []string{"data.yaml the change edits data of policies"}},
		{"creation rules", map[string]string{"keys.yaml": "creation_rules: [{age: x}]\n", "sub/.sops.yaml": "creation_rules: []\n"},
			[]string{"keys.yaml the change edits the creation rules", "sub/.sops.yaml the change adds the creation rules"}},
		{"pipelines", map[string]string{".gitlab-ci.yml": "check: {script: [\"true\"]}\n", ".github/workflows/other.yml": "on: pull_request\n"},
			[]string{".gitlab-ci.yml the change edits a pipeline that runs sallyport"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newCheckout(t, start)
			r.git("checkout", "-q", "-b", "change")
			r.change(c.change)
			for _, opts := range []Options{{PolicyFrom: "main"}, {PolicyFrom: "main", ChangedSince: "main", Only: []string{checkSchema}}} {
				got := policyChanges(r.check(opts))
				if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
		})
	}
}

// policyChanges lists what is said about the judges. Only a configuration that is
// refused is an error.
func policyChanges(r *Result) []string {
	var out []string
	for _, f := range r.Report.Findings {
		if f.Rule == rulePolicyChanged.Name {
			out = append(out, f.Location.String()+" "+f.Message)
			if (f.Severity == finding.Error) != strings.Contains(f.Message, "refuses") {
				out = append(out, "unexpected "+f.Severity.String())
			}
		}
	}
	return out
}

// TestPolicyChangedMeanwhile holds that what happened on the protected branch
// since the change began is no part of the change, though it judges.
func TestPolicyChangedMeanwhile(t *testing.T) {
	c := newCheckout(t, map[string]string{ConfigName: config + "policies: [rules]\n", "rules/a.rego": denyPods, "web.yaml": pod})
	c.git("checkout", "-q", "-b", "change")
	c.write(map[string]string{"note.md": "hello\n"})
	c.commit("note")
	c.git("checkout", "-q", "main")
	c.write(map[string]string{"rules/a.rego": strings.Replace(denyPods, "no pods", "never", 1)})
	c.commit("policy")
	c.git("checkout", "-q", "change")
	r := c.check(Options{PolicyFrom: "main"})
	if got := policyChanges(r); len(got) > 0 {
		t.Errorf("shown: %v", got)
	}
	if got := r.Report.Findings; !slices.ContainsFunc(got, func(f finding.Finding) bool { return f.Message == "never" }) {
		t.Errorf("the policy of main does not judge: %v", got)
	}
}

// TestPolicyChangedWithoutBase holds that there is nothing to show where the
// change itself judges.
func TestPolicyChangedWithoutBase(t *testing.T) {
	c := newCheckout(t, map[string]string{ConfigName: config, "web.yaml": pod})
	c.write(map[string]string{ConfigName: config + "rules: {image-latest: {severity: off}}\n"})
	if got := policyChanges(c.check(Options{ChangedSince: "main"})); len(got) > 0 {
		t.Errorf("shown: %v", got)
	}
}
