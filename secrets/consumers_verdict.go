package secrets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Findings warns about each new reader, in no order.
func (x *Readers) Findings() []finding.Finding {
	k := x.learn()
	out := slices.Clone(x.decided)
	for _, q := range x.asked {
		if q.placed.Message = k.verdict(q); q.placed.Message != "" {
			out = append(out, q.placed)
		}
	}
	return out
}

// NotChecked lists what could not be compared, and why: targets of the base that
// do not render, and readers of which only who applies them knows the namespace.
func (x *Readers) NotChecked() []finding.NotChecked {
	var out []finding.NotChecked
	add := func(target string, by finding.Object, reason string) {
		out = append(out, finding.NotChecked{Target: target, Object: by, Check: "secrets", Reason: reason})
	}
	for _, target := range x.failed {
		add(target, finding.Object{}, "it does not render at the base: new readers of its Secrets are not known")
	}
	k := x.learn()
	seen := map[finding.Object]bool{}
	for _, q := range x.asked {
		if q.reader == nil || q.own || seen[q.reader.By] || !k.perhaps(q) {
			continue
		}
		seen[q.reader.By] = true
		add(q.target, q.reader.By, "another target has a Secret "+q.reader.Secret.Name+
			", and which namespace the two get is not known here: a new reader cannot be told")
	}
	return out
}

// An allowance lets an account read a Secret, or every one, of a namespace.
type allowance struct {
	account
	namespace, name string
}

// known is what all targets together say.
type known struct {
	e       Expectations
	secrets map[address][]string // targets of the base that have it, sorted
	names   map[string]bool      // of Secrets of the base whose namespace is not known
	spaces  map[string][]string
	reads   map[reader]bool
	grants  map[allowance]finding.Object // of the base: by which binding
	roles   map[roleID][]string          // as they are now, where they are in a changed target
	before  []*Access
	now     []*Access
}

func (x *Readers) learn() *known {
	k := &known{
		e: x.e, secrets: map[address][]string{}, names: map[string]bool{}, spaces: map[string][]string{}, reads: map[reader]bool{},
		grants: map[allowance]finding.Object{}, roles: map[roleID][]string{}, before: slices.Clone(x.before), now: slices.Clone(x.now),
	}
	byTarget := func(a, b *Access) int { return cmp.Compare(a.Target, b.Target) }
	slices.SortFunc(k.before, byTarget)
	slices.SortFunc(k.now, byTarget)
	slices.SortStableFunc(x.asked, func(a, b question) int { return cmp.Compare(a.target, b.target) })
	old := map[roleID][]string{}
	for _, a := range k.before {
		for _, s := range a.Secrets {
			p := addressOf(s)
			k.secrets[p] = append(k.secrets[p], a.Target)
			k.names[p.name] = k.names[p.name] || p.namespace == ""
			k.spaces[p.namespace] = append(k.spaces[p.namespace], a.Target)
		}
		for _, c := range a.Consumers {
			k.reads[readerOf(c)] = true
		}
		for _, r := range a.roles {
			old[r.roleID], k.roles[r.roleID] = r.names, r.names
		}
	}
	for _, a := range k.before {
		for _, b := range a.bindings {
			for _, g := range b.allows(old) {
				if _, ok := k.grants[g]; !ok {
					k.grants[g] = b.by
				}
			}
		}
	}
	for _, a := range k.now {
		for _, r := range a.roles {
			k.roles[r.roleID] = r.names
		}
	}
	return k
}

// allows lists what a binding lets read, by the roles that are known.
func (b binding) allows(roles map[roleID][]string) []allowance {
	names, ok := roles[b.role]
	if !ok && b.role.kind == "ClusterRole" && slices.Contains(builtinRoles, b.role.name) {
		names = []string{every}
	}
	var out []allowance
	for _, to := range b.to {
		for _, name := range names {
			out = append(out, allowance{to, b.namespace, name})
		}
	}
	return out
}

// had reports whether the base gives as much as an allowance.
func (k *known) had(g allowance) bool {
	for _, namespace := range []string{g.namespace, every} {
		for _, name := range []string{g.name, every} {
			if _, ok := k.grants[allowance{g.account, namespace, name}]; ok {
				return true
			}
		}
	}
	return false
}

// verdict is the message about a question, "" where nothing is new.
func (k *known) verdict(q question) string {
	switch {
	case q.reader != nil:
		return k.reader(q)
	case q.binding != nil:
		return k.binding(q.target, *q.binding)
	case q.role != nil:
		return k.role(q.target, *q.role)
	}
	return k.run(*q.run)
}

// reader judges the reader of a Secret that its own target did not have. What
// read it from any target before is not new: a target may have been moved.
func (k *known) reader(q question) string {
	r := readerOf(*q.reader)
	if r.namespace == "" || k.reads[r] || k.reads[r.all()] {
		return ""
	}
	for _, target := range k.secrets[r.address] {
		together, apart := k.e.together(q.target, target)
		if !apart && target != q.target && (!q.own || together) {
			return readMessage(*q.reader) + ", which is of the target " + target
		}
	}
	return ""
}

// perhaps reports whether a reader may be one of another target's Secret.
func (k *known) perhaps(q question) bool {
	r := readerOf(*q.reader)
	if k.reads[r] || k.reads[r.all()] {
		return false
	}
	if r.namespace == "" {
		for p, targets := range k.secrets {
			if p.name == r.name && slices.ContainsFunc(targets, func(t string) bool { return t != q.target }) {
				return true
			}
		}
		return false
	}
	return k.names[r.name] && k.reader(q) == ""
}

// binding judges a binding that is new, or has changed.
func (k *known) binding(target string, b binding) string {
	for _, g := range b.allows(k.roles) {
		if !k.had(g) && k.protects(target, g) {
			return fmt.Sprintf("%s lets %s%s read %s", b.by, g.account, others(len(b.to)-1), g.what())
		}
	}
	return ""
}

func others(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// role judges a role that may read Secrets and could not before. Of one that only
// new bindings give, the bindings say it.
func (k *known) role(target string, r role) string {
	if r.joined {
		return fmt.Sprintf("%s lets everybody read Secrets to whom the roles are given that its labels add it to", r.by)
	}
	for _, a := range k.before {
		for _, b := range a.bindings {
			if b.role != r.roleID {
				continue
			}
			for _, g := range b.allows(k.roles) {
				if !k.had(g) && k.protects(target, g) {
					return fmt.Sprintf("%s lets %s read %s, to whom %s gives it", r.by, g.account, g.what(), b.by)
				}
			}
		}
	}
	return ""
}

// run judges a program that begins to run as an account which could read Secrets
// before.
func (k *known) run(r run) string {
	if r.account.namespace == "" {
		return ""
	}
	var found []string
	for g, by := range k.grants {
		if slices.Contains(r.account.holders(), g.account) {
			found = append(found, fmt.Sprintf("%s runs as %s, which may read %s (%s)", r.by, r.account, g.what(), by))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return slices.Min(found)
}

// protects reports whether the base has a Secret that an allowance is about. Those of
// a cluster that is declared to be another are none.
func (k *known) protects(target string, g allowance) bool {
	here := func(targets []string) bool {
		return slices.ContainsFunc(targets, func(t string) bool { _, apart := k.e.together(target, t); return !apart })
	}
	if g.name != every {
		for p, targets := range k.secrets {
			if p == addressOf(finding.Object{Namespace: p.namespace, Name: g.name}) && (g.namespace == every || g.namespace == p.namespace) && here(targets) {
				return true
			}
		}
		return false
	}
	for namespace, targets := range k.spaces {
		if (g.namespace == every || g.namespace == namespace) && here(targets) {
			return true
		}
	}
	return false
}

// what names the Secrets of an allowance.
func (g allowance) what() string {
	var out strings.Builder
	if out.WriteString("every Secret"); g.name != every {
		out.Reset()
		out.WriteString("Secret " + g.name)
	}
	switch g.namespace {
	case every:
		out.WriteString(" of every namespace")
	case "":
		out.WriteString(" of its namespace")
	default:
		out.WriteString(" of the namespace " + g.namespace)
	}
	return out.String()
}
