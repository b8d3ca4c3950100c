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
// secrets are looked for in all files and commits, of which there must be one.
func (g *gate) targetless() bool {
	return len(g.opts.Only) > 0 && g.wants(checkSecrets) && (len(g.snap.Files()) > 0 || g.opts.Commits != "")
}

// notRun lists the checks that were left out, so that nobody takes the report for
// a full pass.
func (g *gate) notRun() []string {
	return slices.DeleteFunc(Checks(), g.wants)
}

// notJudged lists the targets that do not render, where that is no finding since
// nobody asked for it.
func (g *gate) notJudged(d *done) []finding.NotChecked {
	if g.wants(checkRender) {
		return nil
	}
	var out []finding.NotChecked
	for _, o := range d.outcomes {
		if o.reason == "" {
			continue
		}
		for _, name := range Checks() {
			if g.wants(name) {
				out = append(out, finding.NotChecked{Target: o.target.Path, Check: name, Reason: "the target does not render"})
			}
		}
	}
	return out
}

// withoutNotRun leaves out the summary lines of checks that did not run. What
// was rendered counts in any case.
func (g *gate) withoutNotRun(lines []finding.Check) []finding.Check {
	return slices.DeleteFunc(lines, func(c finding.Check) bool {
		return c.Name != checkRender && !g.wants(c.Name) && !(c.Name == checkSchema && g.wants(checkReferences))
	})
}
