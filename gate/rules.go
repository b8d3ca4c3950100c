package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/policies"
	"github.com/sallyport/sallyport/policy"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/validate"
)

var ruleWaiverExpired = finding.Rule{
	Name:     "waiver-expired",
	Severity: finding.Error,
	Title:    "A waiver is past its last day",
	Doc: "A waiver accepts a finding until a date. After that date the finding counts again, " +
		"and the waiver itself is reported so that nobody mistakes it for one in force.",
	Fix:  "put the finding right and delete the waiver, or have its owner renew the date",
	Bad:  waiverExample("2020-01-31", "nginx:latest"),
	Good: waiverExample("2999-01-31", "nginx:latest"),
}

var ruleWaiverUnused = finding.Rule{
	Name:     "waiver-unused",
	Severity: finding.Warning,
	Title:    "A waiver covers no finding",
	Doc: "The finding that this waiver accepted is gone. Left in place, the waiver would hide the " +
		"same mistake when it comes back.",
	Fix:  "delete the waiver",
	Bad:  waiverExample("2999-01-31", "nginx:1.29.1"),
	Good: waiverExample("2999-01-31", "nginx:latest"),
}

func waiverExample(expires, image string) finding.Example {
	return finding.Example{
		ConfigName: `apiVersion: sallyport.dev/v1
kind: Config
waivers:
  - rule: image-latest
    object: Pod/shop/web
    reason: the vendor publishes no tags
    owner: "@shop"
    expires: ` + expires + "\n",
		"web.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: web
      image: ` + image + "\n",
	}
}

// Rules returns every rule that a check can report, with the bundled policies
// and their opt-in rules, sorted by name.
func Rules(ctx context.Context) ([]finding.Rule, error) {
	set, err := policy.Load(ctx, policy.Options{Bundled: policies.FS, Enable: []string{"*"}})
	if err != nil {
		return nil, fmt.Errorf("bundled policies: %w", err)
	}
	return sorted(builtin(), set.Rules()), nil
}

// builtin returns the rules that are not policies.
func builtin() []finding.Rule {
	return sorted(render.Rules(), validate.Rules(), secrets.Rules(), []finding.Rule{ruleDefinitionRemoved, rulePolicyChanged, ruleWaiverExpired, ruleWaiverUnused})
}

func sorted(rules ...[]finding.Rule) []finding.Rule {
	out := slices.Concat(rules...)
	slices.SortFunc(out, func(a, b finding.Rule) int { return strings.Compare(a.Name, b.Name) })
	return out
}
