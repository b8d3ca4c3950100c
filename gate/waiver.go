package gate

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// severities applies the rules section: a changed severity, or off.
func (c *Config) severities(in []finding.Finding) []finding.Finding {
	out := make([]finding.Finding, 0, len(in))
	for _, f := range in {
		switch c.Rules[f.Rule].Severity {
		case "off":
			continue
		case "error":
			f.Severity = finding.Error
		case "warning":
			f.Severity = finding.Warning
		}
		out = append(out, f)
	}
	return out
}

// checkRules refuses settings for rules that do not exist: a misspelt name would
// silently change nothing.
func (c *Config) checkRules(known []finding.Rule) error {
	all := make([]string, len(known))
	for i, r := range known {
		all[i] = r.Name
	}
	named := func(pointer, name string) error {
		if slices.Contains(all, name) {
			return nil
		}
		return c.wrong(pointer, fmt.Errorf("no rule is named %q%s", name, meant(name, all)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Rules)) {
		if err := named(source.Pointer("rules", name), name); err != nil {
			return err
		}
	}
	for i, name := range c.Bundled.Disable {
		if err := named(source.Pointer("bundled", "disable", fmt.Sprint(i)), name); err != nil {
			return err
		}
	}
	for i, w := range c.Waivers {
		if err := named(source.Pointer("waivers", fmt.Sprint(i), "rule"), w.Rule); err != nil {
			return err
		}
	}
	return nil
}

// waive marks the findings that a waiver in force covers, and reports waivers
// that have expired or cover nothing. A run that was narrowed to some targets
// cannot know the latter.
func (g *gate) waive(in []finding.Finding, whole bool) []finding.Finding {
	today := g.opts.Now().UTC().Format(time.DateOnly)
	used := make([]bool, len(g.config.Waivers))
	for i := range in {
		for j, w := range g.config.Waivers {
			if !w.covers(in[i], g.config.dir) {
				continue
			}
			used[j] = true
			if w.Expires >= today {
				in[i].Waiver = &finding.Waiver{Reason: w.Reason, Owner: w.Owner, Expires: w.Expires}
			}
		}
	}
	var about []finding.Finding
	for j, w := range g.config.Waivers {
		switch {
		case w.Expires < today:
			about = append(about, g.aboutWaiver(w, ruleWaiverExpired, fmt.Sprintf("waiver of %s by %s expired on %s", w.Rule, w.Owner, w.Expires)))
		case !used[j] && whole:
			about = append(about, g.aboutWaiver(w, ruleWaiverUnused, fmt.Sprintf("waiver of %s by %s covers no finding", w.Rule, w.Owner)))
		}
	}
	if len(about) == 0 {
		return in
	}
	return finding.Merge(append(in, g.config.severities(about)...))
}

// whole reports whether the run looks at everything that the configuration is
// about.
func (g *gate) whole() bool {
	return len(g.opts.Targets) == 0 && g.base == nil && (g.snap.Scope() == g.config.dir || g.snap.Scope() == "")
}

func (g *gate) aboutWaiver(w WaiverConfig, rule finding.Rule, message string) finding.Finding {
	return finding.Finding{Rule: rule.Name, Severity: rule.Severity, Message: message, Help: rule.Fix, Location: w.span}
}

func (w WaiverConfig) covers(f finding.Finding, dir string) bool {
	if w.Rule != f.Rule {
		return false
	}
	if w.Fingerprint != "" && w.Fingerprint != f.Fingerprint {
		return false
	}
	if w.Object != "" && !slices.Contains(objectNames(f), w.Object) {
		return false
	}
	if w.Path != "" {
		ok, _ := doublestar.Match(path.Join(dir, w.Path), f.Location.File)
		return ok
	}
	return true
}

// objectNames lists how a waiver may name the object of a finding.
func objectNames(f finding.Finding) []string {
	if f.Object == nil {
		return nil
	}
	if f.Object.Namespace == "" {
		return []string{f.Object.Kind + "/" + f.Object.Name}
	}
	return []string{strings.Join([]string{f.Object.Kind, f.Object.Namespace, f.Object.Name}, "/")}
}
