package validate

import (
	"cmp"
	"path"
	"slices"

	"github.com/sallyport/sallyport/render"
)

// anyNamespace stands for a namespace that the objects do not tell, or for all.
const anyNamespace = "*"

// known is an object that references can lead to, in one namespace.
type known struct {
	namespace string         // "" where the target leaves it open
	keys      []string       // sorted
	open      bool           // further keys are possible
	target    string         // that defines it
	object    *render.Object // that has or makes it; nil once the target is let go
}

// within reports whether the object can be the one that is meant in a
// namespace. A target that leaves the namespace open is deployed into one that
// somebody else chooses, so an empty one is equal to all.
func (k *known) within(namespace string) bool {
	return k.namespace == namespace || namespace == "" || k.namespace == "" || k.namespace == anyNamespace
}

// has reports whether the object has a key, or may have.
func (k *known) has(key string) bool {
	if k.open {
		return true
	}
	_, ok := slices.BinarySearch(k.keys, key)
	return ok
}

type kindName struct{ kind, name string }

// inventory is what there is, and what controllers may make of it.
type inventory struct {
	names    map[kindName][]*known // one for each namespace
	patterns map[namePattern]bool
}

// namePattern is names that a controller may give, in the syntax of path.Match.
type namePattern struct{ kind, namespace, name string }

func newInventory() inventory {
	return inventory{map[kindName][]*known{}, map[namePattern]bool{}}
}

// find returns what a name can mean in a namespace.
func (inv *inventory) find(kind, name, namespace string) (found []*known) {
	for _, k := range inv.names[kindName{kind, name}] {
		if k.within(namespace) {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, compareKnown)
	return found
}

// others returns what has a name in any namespace, in order.
func (inv *inventory) others(kind, name string) []*known {
	return slices.SortedFunc(slices.Values(inv.names[kindName{kind, name}]), compareKnown)
}

func compareKnown(a, b *known) int {
	return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.namespace, b.namespace))
}

// mayBeMade reports whether a controller gives names like this one.
func (inv *inventory) mayBeMade(kind, name, namespace string) bool {
	for p := range inv.patterns {
		here := known{namespace: p.namespace}
		if ok, _ := path.Match(p.name, name); ok && p.kind == kind && here.within(namespace) {
			return true
		}
	}
	return false
}

// add records an object; those of one name and namespace are taken together.
func (inv *inventory) add(at kindName, k known) {
	for _, other := range inv.names[at] {
		if other.namespace == k.namespace {
			other.open = other.open || k.open
			other.keys = union(other.keys, k.keys)
			other.target = min(other.target, k.target)
			return
		}
	}
	inv.names[at] = append(inv.names[at], &k)
}

// union merges two sorted lists; neither is changed.
func union(a, b []string) []string {
	if len(b) == 0 || slices.Equal(a, b) {
		return a
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
