package encrypt

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// kubernetesRegex selects the values of a Secret and leaves the rest of a
// manifest readable.
const kubernetesRegex = "^(data|stringData)$"

// defaultSuffix is sops' choice where a rule makes none: everything is encrypted
// but keys with this end.
const defaultSuffix = "_unencrypted"

// rule returns the creation rule for a file, and how sops would indent it. Its
// span is zero where the recipients are those of the options.
func (b *batch) rule(file string) (*secrets.CreationRule, secrets.Indent, error) {
	given, err := b.given()
	if err != nil {
		return nil, secrets.Indent{}, err
	}
	rules, err := secrets.FindCreationRules(b.opts.Creation, file)
	if err != nil {
		return nil, secrets.Indent{}, creationError(err)
	}
	if rules == nil {
		rules = &secrets.CreationRules{}
	}
	rule, found := rules.For(file)
	switch {
	case found:
		err = agree(rule, given)
	case len(given) == 0:
		err = b.noRule(file, rules)
	default:
		rule = &secrets.CreationRule{Recipients: given, Groups: 1}
	}
	if err == nil {
		err = usable(rule)
	}
	return rule, rules.Indent, err
}

// given are the recipients in the options.
func (b *batch) given() ([]secrets.Recipient, error) {
	var out []secrets.Recipient
	for _, text := range b.opts.Recipients {
		r, reason := secrets.ParseRecipient(text)
		if reason != "" {
			return nil, &Error{Message: "a recipient that was given " + reason}
		}
		out = append(out, r)
	}
	return out, nil
}

// creationError points at the place in the creation rules.
func creationError(err error) error {
	var place *source.Error
	if errors.As(err, &place) {
		return &Error{Span: place.Span, Message: place.Message}
	}
	return err
}

// noRule says that nothing tells for whom a file is to be sealed.
func (b *batch) noRule(file string, rules *secrets.CreationRules) error {
	if rules.Path != "" {
		return &Error{
			Message: fmt.Sprintf("no rule in %s is for it", rules.Path),
			Hint:    "add a rule whose path_regex fits, or name the recipients with --age",
		}
	}
	message := fmt.Sprintf("there is no %s at or above it", secrets.CreationRulesName)
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if _, ok := b.snap.Lookup(path.Join(dir, ".sops.yml")); ok {
			message += "; sops does not read .sops.yml"
			break
		}
		if dir == "." {
			break
		}
	}
	return &Error{
		Message: message,
		Hint:    "write one with the recipients, as sallyport seal --help shows, or name them with --age",
	}
}

// agree refuses recipients that are not those of the rule: a file is sealed for
// whom the repository says, or the repository is changed first.
func agree(rule *secrets.CreationRule, given []secrets.Recipient) error {
	has := func(in []secrets.Recipient, id string) bool {
		return slices.ContainsFunc(in, func(r secrets.Recipient) bool { return r.ID == id })
	}
	for _, r := range given {
		if !has(rule.Recipients, r.ID) {
			return &Error{
				Message: fmt.Sprintf("recipient %s is not pinned: the rule at %s does not name it", Short(r), rule.Span),
				Hint:    "add it to the rule, where reviewers see it, and leave --age away",
			}
		}
	}
	for _, r := range rule.Recipients {
		if len(given) > 0 && !has(given, r.ID) {
			return &Error{
				Message: fmt.Sprintf("the rule at %s names %s too", rule.Span, Short(r)),
				Hint:    "leave --age away: the rule names all recipients",
			}
		}
	}
	return nil
}

// usable refuses recipients that cannot be encrypted to with public keys alone.
func usable(rule *secrets.CreationRule) error {
	members := make([]int, rule.Groups)
	kinds := map[secrets.RecipientKind]bool{}
	for _, r := range rule.Recipients {
		members[r.Group]++
		kinds[r.Kind] = true
		if needs := needsFor(r.Kind); needs != "" {
			return &Error{
				Span:    r.Span,
				Message: fmt.Sprintf("recipient of kind %s: sealing for it would %s, which sallyport never does", r.Kind, needs),
				Hint:    "sops encrypt --in-place can",
			}
		}
	}
	switch {
	case len(rule.Recipients) == 0:
		return &Error{Span: rule.Span, Message: "the rule names no recipient", Hint: "add age: with a list of recipients to it"}
	case slices.Contains(members, 0):
		return &Error{Span: rule.Span, Message: "the rule has a key group without a recipient"}
	case rule.Threshold < 0 || rule.Threshold > rule.Groups:
		return &Error{Span: rule.Span, Message: "shamir_threshold is more than the rule has key groups"}
	case kinds[secrets.AgeHybrid] && len(kinds) > 1:
		return &Error{
			Span:    rule.Span,
			Message: "the rule mixes post-quantum recipients with others, so that its files would not be safe from quantum computers",
			Hint:    "name post-quantum recipients (age1pq1…) only, or none",
		}
	}
	return nil
}

// needsFor says what encrypting to a kind of recipient takes beside the public
// key; nothing for age's own.
func needsFor(kind secrets.RecipientKind) string {
	switch kind {
	case secrets.AgeX25519, secrets.AgeHybrid, secrets.AgeSSH:
		return ""
	case secrets.AgePlugin:
		return "run a plugin program"
	case secrets.PGP:
		return "run gpg with a key ring"
	}
	return "contact a key service"
}

// selection is what is encrypted of a file. Manifests get the rule that fits
// them where the creation rule has none. It also looks whether the file is one.
func selection(f *File, rule *secrets.CreationRule) (secrets.Selection, error) {
	if f.Format == secrets.YAML || f.Format == secrets.JSON {
		l := layoutOf(f, secrets.Indent{})
		if _, err := l.insert(f.before); err != nil {
			return secrets.Selection{}, err // before sops sees the text
		}
		branches, err := load(l, f.before)
		if err != nil {
			return secrets.Selection{}, err
		}
		f.isManifest = slices.ContainsFunc(leavesOf(branches), func(l leaf) bool { return l.manifest })
	}
	switch {
	case rule.Selection != (secrets.Selection{}):
		return rule.Selection, nil
	case f.isManifest:
		return secrets.Selection{EncryptedRegex: kubernetesRegex}, nil
	}
	return secrets.Selection{UnencryptedSuffix: defaultSuffix}, nil
}

// Short names a recipient in a message. Post-quantum recipients take 2,000
// characters, of which the first tell them apart.
func Short(r secrets.Recipient) string {
	const most = 72
	if len(r.ID) <= most {
		return r.ID
	}
	return r.ID[:most/2] + "…" + r.ID[len(r.ID)-most/6:]
}
