package diff

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Comparison is what differs in one target.
type Comparison struct {
	Target  Target
	Changes []Change // of one instance each
	Noise   int      // fields left out
}

// Compare compares the two states of a target. A nil state has no objects.
func Compare(p Pair, opts Options) Comparison {
	c := Comparison{Target: Target{Path: p.Path, From: p.From, Status: TargetEqual}}
	if reason := unknown(p); reason != "" {
		c.Target.Status, c.Target.Reason = TargetUnknown, reason
		return c
	}
	empty := &State{Rendered: &render.Rendered{}}
	old, now := cmp.Or(p.Old, empty), cmp.Or(p.New, empty)
	c.Target.OldDigest, c.Target.NewDigest = old.Digest, now.Digest
	m, mapped := match(old, now, p.Between)
	c.Target.Mapped = mapped
	for _, pair := range m.couples {
		if change, ok := c.change(p, old, now, pair, &m.names, opts); ok {
			c.Changes = append(c.Changes, change)
			c.count(change.Action)
		}
	}
	c.status(p)
	return c
}

// unknown says why a target cannot be compared.
func unknown(p Pair) string {
	switch {
	case p.New != nil && p.New.Reason != "":
		return "does not render: " + p.New.Reason
	case p.Old != nil && p.Old.Reason != "" && p.From != "":
		return p.From + " does not render: " + p.Old.Reason
	case p.Old != nil && p.Old.Reason != "":
		return "did not render before: " + p.Old.Reason
	}
	return ""
}

func (c *Comparison) count(a Action) {
	switch a {
	case Added:
		c.Target.Added++
	case Removed:
		c.Target.Removed++
	case Changed:
		c.Target.Changed++
	}
}

func (c *Comparison) status(p Pair) {
	switch {
	case p.Old == nil:
		c.Target.Status = TargetAdded
	case p.New == nil:
		c.Target.Status = TargetRemoved
	case p.From != "" && !p.Between:
		c.Target.Status = TargetMoved
	case len(c.Changes) > 0:
		c.Target.Status = TargetChanged
	}
}

// change compares one object. It is false where nothing differs.
func (c *Comparison) change(p Pair, old, now *State, pair couple, n *names, opts Options) (Change, bool) {
	switch {
	case pair.now == nil:
		change := c.whole(Removed, old, pair.old)
		if !p.Between {
			change.Loss, change.Kept = loss(pair.old.Object), kept(pair.old.Value)
		}
		if opts.Unified {
			change.Unified = unified(old, pair.old, nil, nil, nil, opts)
		}
		return change, true
	case pair.old == nil:
		change := c.whole(Added, now, pair.now)
		if opts.Unified {
			change.Unified = unified(nil, nil, now, pair.now, nil, opts)
		}
		return change, true
	}
	w := &walker{old: old, now: now, oldObj: pair.old, newObj: pair.now, names: n, opts: opts}
	w.compare()
	c.Noise += w.noise
	renamed := n.follow[pair.old.Name] == pair.now.Name
	if renamed && pair.old.Name != pair.now.Name {
		w.follows-- // its own name
	}
	if len(w.fields) == 0 && w.follows <= 0 && !(renamed && pair.old.Name != pair.now.Name) {
		return Change{}, false
	}
	change := c.instance(Changed, pair.now)
	if renamed && pair.old.Name != pair.now.Name {
		change.Instances[0].Was = scrub(pair.old.Name)
	}
	change.Fields, change.Follows, change.Noise = w.fields, max(w.follows, 0), w.noise
	change.Location = objectPlace(now, pair.now)
	if opts.Unified && len(w.fields) > 0 {
		change.Unified = unified(old, pair.old, now, pair.now, w.sealed, opts)
	}
	return change, true
}

// whole is an object that one side alone has.
func (c *Comparison) whole(a Action, s *State, o *render.Object) Change {
	change := c.instance(a, o)
	change.Location = objectPlace(s, o)
	change.Keys = keysIn(o)
	return change
}

func (c *Comparison) instance(a Action, o *render.Object) Change {
	named := scrubObject(o.Object)
	return Change{Action: a, Object: named, Instances: []Instance{{Target: c.Target.Path, Object: named}}}
}

// keysIn lists the keys of a ConfigMap or a Secret.
func keysIn(o *render.Object) []string {
	if group(o.Object) != "" || o.Kind != "Secret" && o.Kind != "ConfigMap" {
		return nil
	}
	set := map[string]bool{}
	for _, field := range []string{"data", "stringData", "binaryData"} {
		m, _ := o.Value[field].(map[string]any)
		for key := range m {
			set[scrub(key)] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// named orders objects for people: by kind, namespace, name.
func compareObjects(a, b finding.Object) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.APIVersion, b.APIVersion))
}
