package secrets

import (
	"bytes"
	"context"
	"path"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// compareRules judges creation rules that were changed: whom files will be
// encrypted for from now on, and which of their values. Only rules that are for
// an encrypted file count.
func (s *Sealed) compareRules(ctx context.Context, base *Sealed, e Expectations) ([]finding.Finding, error) {
	if !s.rulesChanged(base) {
		return nil, nil
	}
	trusted, now := e.Creation, CreationFor(s.tree)
	if trusted == nil {
		trusted = CreationFor(base.tree)
	}
	if trusted == nil || now == nil {
		return nil, nil
	}
	files, err := s.Encrypted(ctx)
	if err != nil {
		return nil, err
	}
	w := &weakening{seen: map[finding.Span]bool{}}
	w.kinds(base.creationRecipients(), s.creationRecipients(), e.KeyTypes)
	for _, file := range files {
		old, ok := trusted(file.Path)
		if rule, matches := now(file.Path); ok && old != nil && (!matches || rule != nil) {
			w.compare(file.Path, old, rule)
		}
	}
	return w.out, nil
}

// rulesChanged reports whether any creation rules differ.
func (s *Sealed) rulesChanged(base *Sealed) bool {
	for _, file := range s.within("") {
		if path.Base(file) != CreationRulesName {
			continue
		}
		after, err := s.tree.ReadFile(file)
		before, gone := base.tree.ReadFile(file)
		if err == nil && (gone != nil || !bytes.Equal(before, after)) {
			return true
		}
	}
	return false
}

// creationRecipients lists the recipients of all creation rules that can be read.
func (s *Sealed) creationRecipients() []Recipient {
	var out []Recipient
	for _, file := range s.within("") {
		if path.Base(file) != CreationRulesName {
			continue
		}
		if data, err := s.tree.ReadFile(file); err == nil {
			if rules, err := ParseCreationRules(file, data); err == nil {
				out = append(out, rules.recipients()...)
			}
		}
	}
	return out
}

// weakening gathers what changed rules let through, each place once.
type weakening struct {
	seen map[finding.Span]bool
	out  []finding.Finding
}

func (w *weakening) compare(file string, old, now *CreationRule) {
	if now == nil {
		return // CheckRecipients says that no rule is for the file
	}
	for _, r := range now.Recipients {
		if !slices.ContainsFunc(old.Recipients, func(o Recipient) bool { return sameKey(o, r) }) {
			w.warn(r.Span, "recipient "+shortID(r)+" is new in the creation rule for "+file+": it can open what is encrypted from now on",
				"make sure that the owners of the files agree")
		}
	}
	if now.needed() < old.needed() {
		w.warn(now.Span, "fewer groups of recipients are needed to open "+file+" than before", "make sure that the owners of the files agree")
	}
	if !now.Selection.same(old.Selection) {
		w.warn(now.Span, "the creation rule for "+file+" encrypts other values than before",
			"make sure that every secret value is still encrypted")
	}
}

func (w *weakening) warn(at finding.Span, message, help string) {
	if w.seen[at] {
		return
	}
	w.seen[at] = true
	w.out = append(w.out, finding.Finding{
		Rule: ruleRecipients, Severity: finding.Warning, Message: message, Help: help, Location: at,
	})
}

// kinds reports keys of kinds that no creation rule had before, and that nobody
// allowed. Plugins are reported in the rules themselves.
func (w *weakening) kinds(old, now []Recipient, allowed []string) {
	if len(old) == 0 {
		return // the first rules of a repository
	}
	known := map[string]bool{}
	for _, r := range old {
		known[keyType(r)] = true
	}
	for _, r := range now {
		name := keyType(r)
		if name == "" || r.Kind == AgePlugin || known[name] || slices.Contains(allowed, name) {
			continue
		}
		known[name] = true
		w.out = append(w.out, finding.Finding{
			Rule: ruleKeyType, Severity: finding.Error, Location: r.Span,
			Message: "the creation rule names a key of the kind " + name + ", which no rule had before and the configuration does not name",
			Help:    helpKeyType(r),
		})
	}
}
