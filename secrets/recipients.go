package secrets

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// CheckRecipients judges who can open the encrypted files at or below scope (""
// is the whole tree): against the creation rules where e has them, and by their
// structure in any case. The creation rules that the tree itself has are judged
// as well, those above scope included. The error means that a file could not be
// read, or that ctx is done.
func (s *Sealed) CheckRecipients(ctx context.Context, scope string, e Expectations) ([]finding.Finding, error) {
	var now func(string) (*CreationRule, bool)
	if e.From != "" {
		now = CreationFor(s.tree)
	}
	files := append(s.creationFilesAbove(scope), s.within(scope)...)
	found := make([][]finding.Finding, len(files))
	err := s.each(ctx, files, func(i int, file string) error {
		data, sh, err := s.read(file)
		switch {
		case err != nil || data == nil:
			return err
		case path.Base(file) == CreationRulesName:
			found[i] = checkCreationRules(file, data, e.KeyTypes)
		case sh != nil && sh.meta != nil:
			found[i] = checkRecipientsOf(file, data, e, now)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// creationFilesAbove lists the creation rules of the directories above scope.
func (s *Sealed) creationFilesAbove(scope string) []string {
	var out []string
	for dir := scope; dir != "" && dir != "."; {
		dir = path.Dir(dir)
		if file := path.Join(dir, CreationRulesName); file != scope {
			if _, ok := s.tree.Lookup(file); ok {
				out = append(out, file)
			}
		}
	}
	return out
}

// A judgement is about one sops block.
type judgement struct {
	block
	file string
	e    Expectations
	rule *CreationRule // nil where none is known
	next *CreationRule // of the tree itself, where rule is of another revision
	out  []finding.Finding
}

// checkRecipientsOf judges the blocks of one file. sops reads the block of the
// first document only; those of the others say the same unless somebody edited
// them. now are the creation rules of the tree itself, where those of e are of
// another revision.
func checkRecipientsOf(file string, data []byte, e Expectations, now func(string) (*CreationRule, bool)) []finding.Finding {
	var out []finding.Finding
	all := blocks(file, data)
	for i, b := range all {
		j := &judgement{block: b, file: file, e: e}
		if now != nil {
			j.next, _ = now(file)
		}
		if i == 0 || !sameGrants(all[0], b) {
			j.judge()
		}
		if e.Creation != nil {
			j.rule, _ = e.Creation(file)
			j.selected()
		}
		out = append(out, j.out...)
	}
	return out
}

func sameGrants(a, b block) bool {
	return a.groups == b.groups && a.threshold == b.threshold &&
		slices.EqualFunc(a.grants, b.grants, func(a, b grant) bool {
			return a.Kind == b.Kind && a.ID == b.ID && a.Group == b.Group && a.enc == b.enc
		})
}

func (j *judgement) judge() {
	if j.e.Creation != nil {
		rule, ok := j.e.Creation(j.file)
		switch {
		case !ok:
			j.warn(j.meta.Span, "no creation rule is for this file: nobody said for whom it should be encrypted",
				"add a rule to "+CreationRulesName)
		case rule != nil && len(rule.Recipients) > 0:
			j.rule = rule
			j.compare()
		}
	}
	j.wrapped()
	j.kinds()
	j.mixed()
}

const helpWrapped = "take the recipient out, or run `sops updatekeys` if it belongs there"

// wrapped reports recipients that are listed without a wrapped data key that
// could be theirs. Of one that the creation rule does not name, compare says it.
func (j *judgement) wrapped() {
	for _, g := range j.grants {
		if reason := j.garbage(g); reason != "" && (j.rule == nil || j.wanted(g)) {
			j.fail(g.Span, "recipient "+shortID(g.Recipient)+" is listed, but its enc "+reason+messageHanded, helpWrapped)
		}
	}
}

const messageHanded = ": the next rotation would hand it the new key"

// garbage says why an enc wraps no data key for its recipient; "" where it may.
func (j *judgement) garbage(g grant) string {
	if !isAge(g.Kind) {
		return ""
	}
	if reason := checkAgeEnc(g.Kind, g.enc); reason != "" {
		return reason
	}
	if f, bad := parseAgeFile(g.enc); bad == "" && (f.payload > wrappedSize) != (j.groups > 1) {
		return "does not wrap a data key of 32 bytes"
	}
	return ""
}

const helpRecipients = "run `sops updatekeys FILE`, then `sops rotate -i FILE` if a recipient was removed"

// compare holds the recipients against the creation rule.
func (j *judgement) compare() {
	if j.groups != j.rule.Groups {
		j.fail(j.meta.Span, fmt.Sprintf("the file has %s of recipients, the creation rule has %s",
			plural(j.groups, "group"), plural(j.rule.Groups, "group")), helpRecipients)
	} else if wanted := j.rule.needed(); j.groups > 1 && j.threshold != wanted {
		j.fail(j.meta.Span, fmt.Sprintf("%s of recipients can open the file, the creation rule asks for %s",
			plural(j.threshold, "group"), plural(wanted, "group")), helpRecipients)
	}
	for _, want := range j.rule.Recipients {
		if !slices.ContainsFunc(j.grants, func(g grant) bool { return j.matches(want, g) }) {
			j.fail(j.meta.Span, "recipient "+shortID(want)+" of the creation rule"+j.of()+" cannot open the file", j.help(want, false))
		}
	}
	for _, g := range j.grants {
		if g.Kind == unknownKind || j.wanted(g) {
			continue
		}
		message, help := "recipient "+shortID(g.Recipient)+" is not in the creation rule"+j.of(), j.help(g.Recipient, true)
		if reason := j.garbage(g); reason != "" {
			message, help = message+", and its enc "+reason+messageHanded, helpWrapped
		} else {
			message += ": it can open the file"
		}
		j.fail(g.Span, message, help)
	}
}

// of says whose creation rules judge, where they are not those of the tree.
func (j *judgement) of() string {
	if j.e.From == "" {
		return ""
	}
	return " of " + j.e.From
}

// help is the way on. Where the tree's own creation rules agree with the file, its
// author did as they say, and has to change them first, on their own.
func (j *judgement) help(r Recipient, has bool) string {
	named := func(in Recipient) bool { return sameKey(in, r) }
	if j.next == nil || len(j.next.Recipients) == 0 || slices.ContainsFunc(j.next.Recipients, named) != has {
		return helpRecipients
	}
	return "the creation rules of " + j.e.From + " judge, and this change has others: merge the change of " + CreationRulesName +
		" first, then the files"
}

// wanted reports whether the creation rule names a recipient.
func (j *judgement) wanted(g grant) bool {
	return j.rule != nil && slices.ContainsFunc(j.rule.Recipients, func(r Recipient) bool { return j.matches(r, g) })
}

// matches compares a recipient of the rule; its group too where both have as
// many.
func (j *judgement) matches(want Recipient, g grant) bool {
	return sameKey(want, g.Recipient) && (want.Group == g.Group || j.groups != j.rule.Groups)
}

// needed is how many groups open a file of the rule.
func (r *CreationRule) needed() int {
	if r.Threshold > 0 {
		return r.Threshold
	}
	return r.Groups
}

// kinds reports keys of kinds that nobody said may be used. A key of the creation
// rule is said to be, but for plugins: they run a program on every machine that
// encrypts or decrypts.
func (j *judgement) kinds() {
	for _, g := range j.grants {
		name := keyType(g.Recipient)
		if name == "" || slices.Contains(j.e.KeyTypes, name) || j.wanted(g) && g.Kind != AgePlugin {
			continue
		}
		f := finding.Finding{
			Rule: ruleKeyType, Severity: finding.Error, Location: g.Span,
			Message: "the file can be opened with a key of the kind " + name + ", which the configuration does not name",
			Help:    helpKeyType(g.Recipient),
		}
		if j.wanted(g) {
			f.Severity = finding.Warning
		}
		j.out = append(j.out, f)
	}
}

// mixed warns about classic recipients beside post-quantum ones. Where the
// creation rule has both, the warning is there.
func (j *judgement) mixed() {
	recipients := make([]Recipient, len(j.grants))
	for i, g := range j.grants {
		recipients[i] = g.Recipient
	}
	if r, mixed := classicBesideHybrid(recipients); mixed {
		if j.rule != nil {
			if _, declared := classicBesideHybrid(j.rule.Recipients); declared {
				return
			}
		}
		j.warn(r.Span, messageMixed, helpMixed)
	}
}

const (
	messageMixed = "a classic recipient stands beside a post-quantum one: the file is not post-quantum safe"
	helpMixed    = "use post-quantum recipients only (age1pq1…), or classic ones only"
)

// classicBesideHybrid returns the first recipient that a quantum computer could
// stand in for, where others are safe from it.
func classicBesideHybrid(recipients []Recipient) (Recipient, bool) {
	isHybrid := func(r Recipient) bool { return r.Kind == AgeHybrid }
	classic := slices.IndexFunc(recipients, func(r Recipient) bool { return !isHybrid(r) && r.Kind != unknownKind })
	if classic < 0 || !slices.ContainsFunc(recipients, isHybrid) {
		return Recipient{}, false
	}
	return recipients[classic], true
}

// selected reports values that the creation rule says must be encrypted and are
// not. What the file's own rule covers is reported where the file is sealed.
func (j *judgement) selected() {
	if j.rule == nil || j.rule.Selection.isZero() || j.rule.Selection.same(j.meta.Selection) {
		return
	}
	for _, v := range j.values {
		if isEnc(v.text) || v.text == "" || v.node.Tag == "!!null" || j.meta.Selection.Selects(v.keys) ||
			!j.rule.Selection.Selects(v.keys) || j.object != nil && isSecretField(j.object, v.tokens) {
			continue
		}
		j.out = append(j.out, finding.Finding{
			Rule: ruleIncomplete, Severity: finding.Error, Object: j.object, Pointer: v.pointer(), Location: v.span,
			Message: "the value of " + quoteName(v.leaf) + " is not encrypted, although the creation rule says so",
			Help:    helpEncrypt,
		})
	}
}

// isSecretField reports whether tokens lead to a value that is judged as one of
// a Secret, whatever rules say.
func isSecretField(o *finding.Object, tokens []string) bool {
	return o.Kind == "Secret" && (tokens[0] == "data" || tokens[0] == "stringData")
}

func (j *judgement) fail(at finding.Span, message, help string) {
	j.report(finding.Error, at, message, help)
}

func (j *judgement) warn(at finding.Span, message, help string) {
	j.report(finding.Warning, at, message, help)
}

func (j *judgement) report(severity finding.Severity, at finding.Span, message, help string) {
	f := finding.Finding{Rule: ruleRecipients, Severity: severity, Message: message, Help: help, Location: at}
	if j.rule != nil {
		f.Related = []finding.Related{{Message: "the creation rule", Location: j.rule.Span}}
	}
	j.out = append(j.out, f)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
