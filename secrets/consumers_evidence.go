package secrets

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// ReadersEvidence is what a comparison of readers took in, in the form in which
// another process goes on with it: names and places, no value of anything.
type ReadersEvidence struct {
	Now, Before []AccessEvidence
	Asked       []ReaderQuestion
	Failed      []string
	Decided     []finding.Finding
}

// AccessEvidence is what [Access] has for a verdict over all targets.
type AccessEvidence struct {
	Target    string
	Secrets   []finding.Object
	Consumers []Consumer
	Roles     []RoleEvidence
	Bindings  []BindingEvidence
	Runs      []RunEvidence
}

// RoleEvidence is a role that may read Secrets.
type RoleEvidence struct {
	Kind, Namespace, Name string
	Names                 []string
	By                    finding.Object
	Joined                bool
}

// BindingEvidence gives a role to accounts. To are kind, namespace and name of each.
type BindingEvidence struct {
	By             finding.Object
	Kind, In, Name string // of the role
	Namespace      string
	To             [][3]string
}

// RunEvidence is an object that runs a program as an account.
type RunEvidence struct {
	By      finding.Object
	Account [3]string
	Pointer string
}

// ReaderQuestion asks about one thing that the base does not have in the same
// target. One of its last four fields is set.
type ReaderQuestion struct {
	Target  string
	Placed  finding.Finding
	Own     bool
	Reader  *Consumer
	Binding *BindingEvidence
	Role    *RoleEvidence
	Run     *RunEvidence
}

// Evidence is what was taken in.
func (x *Readers) Evidence() *ReadersEvidence {
	e := &ReadersEvidence{Failed: slices.Sorted(slices.Values(x.failed)), Decided: x.decided}
	for _, side := range []struct {
		from []*Access
		to   *[]AccessEvidence
	}{{x.now, &e.Now}, {x.before, &e.Before}} {
		for _, a := range side.from {
			*side.to = append(*side.to, a.evidence())
		}
		slices.SortFunc(*side.to, func(a, b AccessEvidence) int { return cmp.Compare(a.Target, b.Target) })
	}
	asked := slices.Clone(x.asked)
	slices.SortStableFunc(asked, func(a, b question) int { return cmp.Compare(a.target, b.target) })
	for _, q := range asked {
		e.Asked = append(e.Asked, q.evidence())
	}
	slices.SortStableFunc(e.Decided, finding.Compare)
	return e
}

// ConcludeReaders goes on with what several processes took in. A target of the base
// that more than one of them looked at counts once.
func ConcludeReaders(e Expectations, all []*ReadersEvidence) *Readers {
	x := &Readers{e: e}
	before, failed := map[string]bool{}, map[string]bool{}
	for _, one := range all {
		for _, a := range one.Now {
			x.now = append(x.now, a.access())
		}
		for _, a := range one.Before {
			if !before[a.Target] {
				before[a.Target] = true
				x.before = append(x.before, a.access())
			}
		}
		for _, target := range one.Failed {
			if !failed[target] {
				failed[target] = true
				x.failed = append(x.failed, target)
			}
		}
		for _, q := range one.Asked {
			x.asked = append(x.asked, q.question())
		}
		x.decided = append(x.decided, one.Decided...)
	}
	return x
}

func (a *Access) evidence() AccessEvidence {
	e := AccessEvidence{Target: a.Target, Secrets: a.Secrets, Consumers: a.Consumers}
	for _, r := range a.roles {
		e.Roles = append(e.Roles, r.evidence())
	}
	for _, b := range a.bindings {
		e.Bindings = append(e.Bindings, b.evidence())
	}
	for _, r := range a.runs {
		e.Runs = append(e.Runs, r.evidence())
	}
	return e
}

func (e AccessEvidence) access() *Access {
	a := &Access{Target: e.Target, Secrets: e.Secrets, Consumers: e.Consumers}
	for _, r := range e.Roles {
		a.roles = append(a.roles, r.role())
	}
	for _, b := range e.Bindings {
		a.bindings = append(a.bindings, b.binding())
	}
	for _, r := range e.Runs {
		a.runs = append(a.runs, r.run())
	}
	return a
}

func (q question) evidence() ReaderQuestion {
	e := ReaderQuestion{Target: q.target, Placed: q.placed, Own: q.own, Reader: q.reader}
	switch {
	case q.binding != nil:
		b := q.binding.evidence()
		e.Binding = &b
	case q.role != nil:
		r := q.role.evidence()
		e.Role = &r
	case q.run != nil:
		r := q.run.evidence()
		e.Run = &r
	}
	return e
}

func (e ReaderQuestion) question() question {
	q := question{target: e.Target, placed: e.Placed, own: e.Own, reader: e.Reader}
	switch {
	case e.Binding != nil:
		b := e.Binding.binding()
		q.binding = &b
	case e.Role != nil:
		r := e.Role.role()
		q.role = &r
	case e.Run != nil:
		r := e.Run.run()
		q.run = &r
	}
	return q
}

func (r role) evidence() RoleEvidence {
	return RoleEvidence{r.kind, r.namespace, r.name, r.names, r.by, r.joined}
}

func (e RoleEvidence) role() role {
	return role{roleID{e.Kind, e.Namespace, e.Name}, e.Names, e.By, e.Joined}
}

func (b binding) evidence() BindingEvidence {
	e := BindingEvidence{By: b.by, Kind: b.role.kind, In: b.role.namespace, Name: b.role.name, Namespace: b.namespace}
	for _, a := range b.to {
		e.To = append(e.To, a.evidence())
	}
	return e
}

func (e BindingEvidence) binding() binding {
	b := binding{by: e.By, role: roleID{e.Kind, e.In, e.Name}, namespace: e.Namespace}
	for _, a := range e.To {
		b.to = append(b.to, account{a[0], a[1], a[2]})
	}
	return b
}

func (r run) evidence() RunEvidence { return RunEvidence{r.by, r.account.evidence(), r.pointer} }

func (e RunEvidence) run() run {
	return run{e.By, account{e.Account[0], e.Account[1], e.Account[2]}, e.Pointer}
}

func (a account) evidence() [3]string { return [3]string{a.kind, a.namespace, a.name} }
