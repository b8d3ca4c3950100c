package diff

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// identity is what makes two objects the same one. n counts objects of a
// directory that have the same identity, in their order.
type identity struct {
	group, kind, namespace, name string
	n                            int
}

func identityOf(o finding.Object) identity {
	return identity{group: servedGroup(o), kind: o.Kind, namespace: o.Namespace, name: o.Name}
}

// servedGroup is the group, with what left extensions in its new one: the API
// server has them as the same objects.
func servedGroup(o finding.Object) string {
	g := group(o)
	if g != "extensions" {
		return g
	}
	switch o.Kind {
	case "Deployment", "DaemonSet", "ReplicaSet":
		return "apps"
	case "Ingress", "NetworkPolicy":
		return "networking.k8s.io"
	case "PodSecurityPolicy":
		return "policy"
	}
	return g
}

// couple is one object in both states; one of them is nil where only the other
// has it.
type couple struct{ old, now *render.Object }

// matcher finds the couples of two states.
type matcher struct {
	names   names
	couples []couple // in the order of the new objects, then what is gone
	gone    []*render.Object
	new     []*render.Object
}

// match couples objects by identity, then the rest by what a generator or an
// environment adds to their names.
func match(old, now *State, between bool) (*matcher, []Mapping) {
	m := &matcher{names: names{between: between, follow: map[string]string{}, exact: map[string]string{}}}
	m.gone, m.new = slices.Clone(old.Objects), slices.Clone(now.Objects)
	var mapped []Mapping
	namespace := func(s string) string { return s }
	if between {
		a, b := dominant(old.Objects), dominant(now.Objects)
		if a != b && a != "" {
			mapped = append(mapped, Mapping{"namespace", scrub(a), scrub(b)})
			m.names.exact[a], m.names.within, m.names.word = b, word(a), strings.ReplaceAll(b, "$", "$$")
			namespace = func(s string) string {
				if s == a {
					return b
				}
				return s
			}
		}
	}
	plain := func(o *render.Object, isOld bool) identity {
		id := identityOf(o.Object)
		if isOld {
			id.namespace = namespace(id.namespace)
			if id.kind == "Namespace" && id.group == "" {
				id.name = namespace(id.name)
			}
		}
		return id
	}
	m.couple(plain)
	m.couple(func(o *render.Object, isOld bool) identity {
		id := plain(o, isOld)
		id.name = baseName(id.name)
		return id
	})
	if between {
		mapped = append(mapped, m.affixed(plain)...)
	}
	for _, o := range m.gone {
		m.couples = append(m.couples, couple{old: o})
	}
	for _, o := range m.new {
		m.couples = append(m.couples, couple{now: o})
	}
	return m, mapped
}

// couple pairs the objects that are left and whose identity, as of gives it, is
// the same and the only one of its kind on each side. What a directory holds
// twice is paired in order.
func (m *matcher) couple(of func(o *render.Object, isOld bool) identity) {
	at := map[identity]*render.Object{}
	index := func(list []*render.Object, isOld bool, put func(identity, *render.Object)) {
		seen := map[identity]int{}
		for _, o := range list {
			id := of(o, isOld)
			seen[id]++
			id.n = seen[id]
			put(id, o)
		}
	}
	index(m.gone, true, func(id identity, o *render.Object) { at[id] = o })
	paired := map[*render.Object]bool{}
	index(m.new, false, func(id identity, o *render.Object) {
		if old := at[id]; old != nil {
			m.add(old, o)
			paired[old], paired[o] = true, true
		}
	})
	used := func(o *render.Object) bool { return paired[o] }
	m.gone, m.new = slices.DeleteFunc(m.gone, used), slices.DeleteFunc(m.new, used)
}

func (m *matcher) add(old, now *render.Object) {
	m.couples = append(m.couples, couple{old, now})
	if old.Name == now.Name {
		return
	}
	if baseName(old.Name) != old.Name || baseName(now.Name) != now.Name {
		m.names.follow[old.Name] = now.Name
		return
	}
	m.names.exact[old.Name] = now.Name
}

// affixed couples what a name prefix or suffix keeps apart.
func (m *matcher) affixed(plain func(*render.Object, bool) identity) []Mapping {
	byKind := func(list []*render.Object) map[string][]string {
		out := map[string][]string{}
		for _, o := range list {
			id := identityOf(o.Object)
			key := id.group + "/" + id.kind
			out[key] = append(out[key], baseName(o.Name))
		}
		return out
	}
	a, b, prefix := affixes(byKind(m.gone), byKind(m.new))
	if a == b {
		return nil
	}
	what, trim := "name suffix", strings.TrimSuffix
	if prefix {
		what, trim = "name prefix", strings.TrimPrefix
	}
	m.couple(func(o *render.Object, isOld bool) identity {
		id, affix := plain(o, isOld), b
		if isOld {
			affix = a
		}
		core := trim(baseName(id.name), affix)
		if affix == "" || core != baseName(id.name) {
			id.name = "\x00" + core // never the name of an object without the affix
		}
		return id
	})
	return []Mapping{{what, scrub(a), scrub(b)}}
}

// hashed matches the names that kustomize makes of a base name and ten
// characters of a hash; its alphabet leaves out what could spell a word
// (sigs.k8s.io/kustomize/api/hasher).
var hashed = regexp.MustCompile(`^(.+)-[2456789bcdfghkmt]{10}$`)

func baseName(name string) string {
	if found := hashed.FindStringSubmatch(name); found != nil {
		return found[1]
	}
	return name
}

// dominant is the namespace that most objects are in, the first of equals.
func dominant(objects []*render.Object) string {
	count := map[string]int{}
	best := ""
	for _, o := range objects {
		if o.Namespace == "" {
			continue
		}
		count[o.Namespace]++
		n, most := count[o.Namespace], count[best]
		if best == "" || n > most || n == most && o.Namespace < best {
			best = o.Namespace
		}
	}
	return best
}
