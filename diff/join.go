package diff

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Join adds what was compared to r: what is equal in many targets becomes one
// change, and everything is sorted and counted, so that the order of the
// comparisons does not matter.
func Join(r *Result, all []Comparison) {
	r.APIVersion, r.Kind = finding.APIVersion, Kind
	r.Targets, r.Changes = []Target{}, []Change{}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Comparison) int { return cmp.Compare(a.Target.Path, b.Target.Path) })
	at := map[string]int{}
	for _, c := range all {
		r.Targets = append(r.Targets, c.Target)
		r.Summary.Noise += c.Noise
		for _, change := range c.Changes {
			key := change.key()
			i, known := at[key]
			if !known {
				at[key] = len(r.Changes)
				r.Changes = append(r.Changes, change)
				continue
			}
			r.Changes[i].join(change)
		}
	}
	moves(r.Changes)
	slices.SortStableFunc(r.Changes, compareChanges)
	r.summarise()
}

// key is what makes changes of several targets one: the same happens to what is
// written at the same place, under whatever name and namespace.
func (c Change) key() string {
	name := c.Location.String()
	if c.Location.IsZero() {
		name = c.Object.Name
	}
	var generated string
	if c.Instances[0].Was != "" {
		generated, name = baseName(c.Object.Name), ""
	}
	parts, err := json.Marshal([]any{c.Action, group(c.Object), c.Object.Kind, name, generated, c.Fields, c.Follows > 0 && len(c.Fields) == 0, c.Kept, c.Keys})
	if err != nil {
		return c.Object.String() + "\x00" + c.Instances[0].Target // never joined
	}
	return string(parts)
}

func (c *Change) join(other Change) {
	c.Instances = append(c.Instances, other.Instances...)
	c.Noise += other.Noise
	c.Follows += other.Follows
	if c.Object.Namespace != other.Object.Namespace {
		c.Object.Namespace = ""
	}
}

// moves notes which removed objects are added to another target: whether they
// stay depends on which of the two is applied first.
func moves(changes []Change) {
	added := map[identity]string{}
	for _, c := range changes {
		if c.Action != Added {
			continue
		}
		for _, in := range c.Instances {
			if _, known := added[identityOf(in.Object)]; !known {
				added[identityOf(in.Object)] = in.Target
			}
		}
	}
	for i := range changes {
		if changes[i].Action != Removed {
			continue
		}
		for j := range changes[i].Instances {
			in := &changes[i].Instances[j]
			in.MovedTo = added[identityOf(in.Object)]
		}
	}
}

// compareChanges puts what a prune deletes first, and of that what loses data.
func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), compareObjects(a.Object, b.Object),
		slices.CompareFunc(a.Instances, b.Instances, func(x, y Instance) int {
			return cmp.Or(strings.Compare(x.Target, y.Target), compareObjects(x.Object, y.Object))
		}))
}

func rank(c Change) int {
	switch {
	case c.Action == Removed && c.Loss != "" && c.Kept == "":
		return 0
	case c.Action == Removed:
		return 1
	case c.Action == Changed:
		return 2
	}
	return 3
}

func (r *Result) summarise() {
	s := &r.Summary
	s.Affected = len(r.Targets)
	for _, t := range r.Targets {
		s.Added += t.Added
		s.Removed += t.Removed
		s.Changed += t.Changed
		switch t.Status {
		case TargetUnknown:
			s.Unknown++
		case TargetEqual:
		case TargetMoved:
			s.Moved++
			if t.Added+t.Removed+t.Changed > 0 {
				s.Differ++
			}
		default:
			s.Differ++
		}
	}
	s.Targets -= s.Moved // one target that was at two paths
	for _, c := range r.Changes {
		if rank(c) == 0 {
			s.Loss += len(c.Instances)
		}
	}
}
