package secrets

import (
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
)

// environments compares who can open the encrypted files of the target with the
// environment that it belongs to.
func (b *bound) environments() {
	at := slices.IndexFunc(b.e.Environments, func(e Environment) bool { return e.has(b.rendered.Target.Path) })
	if at < 0 {
		return
	}
	own := b.e.Environments[at]
	for _, file := range b.sealedIn {
		all := b.blocks(file)
		if len(all) == 0 {
			continue
		}
		block := all[0] // the one that sops reads
		if _, ok := block.opens(own.holds); !ok {
			b.fail(block.meta.Span, fmt.Sprintf("environment %q, which uses the file, cannot open it", own.Name),
				"encrypt it for the recipient of the environment as well")
		}
		for _, other := range b.e.Environments {
			foreign := func(r Recipient) bool { return other.holds(r) && !own.holds(r) }
			if _, ok := block.opens(other.holds); !ok || other.has(b.rendered.Target.Path) {
				continue
			}
			for _, g := range block.grants {
				if foreign(g.Recipient) {
					b.fail(g.Span, fmt.Sprintf("environment %q could open the file, which environment %q uses", other.Name, own.Name),
						"encrypt a file of its own for each environment")
				}
			}
		}
	}
}

func (b *bound) fail(at finding.Span, message, help string) {
	b.out = append(b.out, finding.Finding{
		Rule: ruleRecipients, Severity: finding.Error, Message: message, Help: help,
		Location: at, Targets: []string{b.rendered.Target.Path},
	})
}

// has reports whether a target belongs to the environment.
func (e Environment) has(target string) bool {
	return slices.ContainsFunc(e.Targets, func(pattern string) bool {
		ok, err := doublestar.Match(pattern, target)
		return ok && err == nil
	})
}

// holds reports whether the environment has the key of a recipient.
func (e Environment) holds(r Recipient) bool {
	return slices.ContainsFunc(e.Recipients, func(id string) bool {
		return sameKey(Recipient{Kind: r.Kind, ID: id}, r)
	})
}
