package secrets

import (
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// checkCreationRules judges one `.sops.yaml`.
func checkCreationRules(file string, data []byte, allowed []string) []finding.Finding {
	rules, err := ParseCreationRules(file, data)
	var malformed *source.Error
	if errors.As(err, &malformed) {
		return []finding.Finding{malformedRules(malformed)}
	} else if err != nil {
		return nil // of the tree, and said where the file is read
	}
	var out []finding.Finding
	report := func(severity finding.Severity, at finding.Span, message, help string) *finding.Finding {
		out = append(out, finding.Finding{Rule: ruleRecipients, Severity: severity, Message: message, Help: help, Location: at})
		return &out[len(out)-1]
	}
	for i, rule := range rules.Rules {
		if earlier := hiddenBy(rules.Rules[:i], rule); earlier != nil {
			f := report(finding.Error, earlier.Span, "a later creation rule is never used: this one is for the same files",
				"put the rule for fewer files first")
			f.Related = []finding.Related{{Message: "the rule that is never used", Location: rule.Span}}
		}
		if len(rule.Recipients) == 0 {
			report(finding.Warning, rule.Span, "the creation rule names no recipient: whoever encrypts chooses them",
				"name the recipients in the rule")
		}
		if r, mixed := classicBesideHybrid(rule.Recipients); mixed {
			report(finding.Warning, r.Span, messageMixed, helpMixed)
		}
	}
	return append(out, ruleKinds(rules, allowed)...)
}

// malformedRules reports creation rules that cannot be read, or that sops would
// read otherwise than they look.
func malformedRules(err *source.Error) finding.Finding {
	f := finding.Finding{
		Rule: ruleRecipients, Severity: finding.Error, Location: err.Span,
		Message: "creation rules: " + err.Message, Help: "correct it: sops may silently ignore it",
	}
	if err.Unsafe {
		f.Rule, f.Message, f.Help = "yaml-unsafe", err.Message, "write it without what makes it unsafe to read"
	}
	return f
}

// ruleKinds reports plugins among the recipients of the rules, whether a file
// matches yet or not: the next honest sops runs the program. A key of another
// kind is one that the rule itself allows.
func ruleKinds(rules *CreationRules, allowed []string) []finding.Finding {
	type place struct {
		id   string
		span finding.Span
	}
	seen := map[place]bool{} // an anchor may be in many rules
	var out []finding.Finding
	for _, r := range rules.recipients() {
		name, at := keyType(r), place{r.ID, r.Span}
		if r.Kind != AgePlugin || slices.Contains(allowed, name) || seen[at] {
			continue
		}
		seen[at] = true
		out = append(out, finding.Finding{
			Rule: ruleKeyType, Severity: finding.Error, Location: r.Span,
			Message: "whoever encrypts by this rule runs the program " + strings.Replace(name, ":", "-", 1) +
				": a key of the kind " + name + ", which the configuration does not name",
			Help: helpKeyType(r),
		})
	}
	return out
}

// recipients are those of all rules, and of the rules for what is published.
func (c *CreationRules) recipients() []Recipient {
	var out []Recipient
	for _, rule := range slices.Concat(c.Rules, c.recreation) {
		out = append(out, rule.Recipients...)
	}
	return out
}

func helpKeyType(r Recipient) string {
	return "take " + shortID(r) + " out, or allow the kind in the configuration of sallyport"
}

// hiddenBy returns the earlier rule that takes all files of a rule.
func hiddenBy(earlier []CreationRule, rule CreationRule) *CreationRule {
	for i := range earlier {
		if isCatchAll(earlier[i].PathRegex) || earlier[i].PathRegex == rule.PathRegex {
			return &earlier[i]
		}
	}
	return nil
}

// isCatchAll reports whether a pattern, found anywhere in a path, fits every
// path, in one of the ways that people write it.
func isCatchAll(pattern string) bool {
	pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$")
	for strings.HasPrefix(pattern, "(") && strings.HasSuffix(pattern, ")") {
		pattern = pattern[1 : len(pattern)-1]
	}
	switch pattern {
	case "", ".", ".*", ".+", ".*?", ".+?", "[^/]*", "[^/]+", `[\s\S]*`:
		return true
	}
	return false
}
