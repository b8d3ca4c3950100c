package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// The checks, as Options.Only and the report name them.
const (
	checkRender     = "render"
	checkSchema     = "schema"
	checkPolicy     = "policy"
	checkSecrets    = "secrets"
	checkReferences = "references"
)

// Checks lists the names that Options.Only takes.
func Checks() []string {
	return []string{checkRender, checkSchema, checkReferences, checkPolicy, checkSecrets}
}

func (o Options) checkOnly() error {
	for _, name := range o.Only {
		if !slices.Contains(Checks(), name) {
			return &UsageError{fmt.Errorf("--only %q: no such check (known: %s)", name, strings.Join(Checks(), ", "))}
		}
	}
	return nil
}

// wants reports whether a check is to run.
func (g *gate) wants(name string) bool {
	return len(g.opts.Only) == 0 || slices.Contains(g.opts.Only, name)
}

// targetless reports whether there is something to check without any target:
// secrets are looked for in all files.
func (g *gate) targetless() bool { return len(g.opts.Only) > 0 && g.wants(checkSecrets) }

// notRun says which checks were left out, and which targets the others could not
// judge, so that nobody takes the report for a full pass.
func (g *gate) notRun(d *done) []finding.NotChecked {
	if len(g.opts.Only) == 0 {
		return nil
	}
	var out []finding.NotChecked
	for _, name := range Checks() {
		if !g.wants(name) {
			out = append(out, finding.NotChecked{Check: name, Reason: "not run: only " + strings.Join(g.only(), ", ") + " was asked for"})
		}
	}
	if g.wants(checkRender) {
		return out // a target that does not render is a finding then
	}
	for _, o := range d.outcomes {
		if o.reason != "" {
			out = append(out, finding.NotChecked{Target: o.target.Path, Check: g.only()[0], Reason: "the target does not render"})
		}
	}
	return out
}

// only lists the checks that run, in their order.
func (g *gate) only() []string {
	return slices.DeleteFunc(Checks(), func(name string) bool { return !g.wants(name) })
}

// withoutNotRun leaves out the summary lines of checks that did not run. What
// was rendered counts in any case.
func (g *gate) withoutNotRun(lines []finding.Check) []finding.Check {
	return slices.DeleteFunc(lines, func(c finding.Check) bool {
		return c.Name != checkRender && !g.wants(c.Name) && !(c.Name == checkSchema && g.wants(checkReferences))
	})
}
