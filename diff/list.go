package diff

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// item takes one item of a list; -1 is a side that has none.
func (s spot) item(i, j int, label string) spot {
	next := spot{s.old, s.now, s.shown + "[" + scrub(label) + "]"}
	if i >= 0 {
		next.old = below(s.old, strconv.Itoa(i))
	}
	if j >= 0 {
		next.now = below(s.now, strconv.Itoa(j))
	}
	return next
}

// list compares items by their key where they have one, else in their order.
func (w *walker) list(at spot, a, b []any) {
	field := ""
	if len(at.now) > 0 {
		field = at.now[len(at.now)-1]
	}
	for _, key := range keysOf(field) {
		old, ok := keyed(a, key, w.names)
		if !ok {
			continue
		}
		if now, ok := keyed(b, key, nil); ok {
			if key[0] == "host" {
				renameOne(old, now)
			}
			w.keyed(at, a, b, old, now)
			return
		}
	}
	w.sequence(at, a, b)
}

// keysOf lists the fields that may identify the items of a list, the best first.
// Those of a list that Kubernetes itself merges by key are that key.
func keysOf(field string) [][]string {
	general := [][]string{{"name"}, {"metadata/name"}, {"key"}, {"id"}, {"mountPath"}, {"ip"}, {"type"}, {"host"}, {"path"}}
	var first [][]string
	switch field {
	case "ports":
		first = [][]string{{"name"}, {"containerPort", "protocol"}, {"port", "protocol"}, {"port"}}
	case "volumeMounts":
		first = [][]string{{"mountPath"}}
	case "volumeDevices":
		first = [][]string{{"devicePath"}}
	case "tolerations":
		first = [][]string{{"key", "operator", "effect", "value"}}
	case "topologySpreadConstraints":
		first = [][]string{{"topologyKey", "whenUnsatisfiable"}, {"topologyKey"}}
	case "subjects":
		first = [][]string{{"kind", "namespace", "name"}}
	case "ownerReferences":
		first = [][]string{{"uid"}}
	case "tls":
		first = [][]string{{"secretName"}}
	case "validations", "x-kubernetes-validations":
		first = [][]string{{"rule"}}
	}
	return append(first, general...)
}

// keyed returns the key of every item, and whether they are all maps with a key
// of their own. Of a key of several fields all but the first may be missing.
func keyed(list []any, key []string, n *names) ([]string, bool) {
	out := make([]string, len(list))
	seen := make(map[string]bool, len(list))
	for i, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		var parts []string
		for _, field := range key {
			value, found := reach(m, field)
			if !found && len(key) == 1 || !isScalar(value) {
				return nil, false
			}
			if text, ok := value.(string); ok {
				value = n.mapped(text)
			}
			if found && value != "" {
				parts = append(parts, fmt.Sprint(value))
			}
		}
		out[i] = strings.Join(parts, "/")
		if len(parts) == 0 || seen[out[i]] {
			return nil, false
		}
		seen[out[i]] = true
	}
	return out, true
}

// reach follows a path of field names that slashes join.
func reach(m map[string]any, path string) (any, bool) {
	head, rest, more := strings.Cut(path, "/")
	value, ok := m[head]
	if !more || !ok {
		return value, ok
	}
	next, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	return reach(next, rest)
}

// keyed compares two lists whose items have keys: first what is gone, then the
// rest in the new order.
func (w *walker) keyed(at spot, a, b []any, old, now []string) {
	where := make(map[string]int, len(old))
	for i, key := range old {
		where[key] = i
		if !slices.Contains(now, key) {
			w.only(at.item(i, -1, key), Removed, a[i])
		}
	}
	for j, key := range now {
		if i, ok := where[key]; ok {
			w.value(at.item(i, j, key), a[i], b[j])
		} else {
			w.only(at.item(-1, j, key), Added, b[j])
		}
	}
	if inOrder(at.now[len(at.now)-1], b) {
		w.order(at, old, now)
	}
}

// renameOne makes one item of the only two that are not on both sides: a rule
// whose host changes is still that rule.
func renameOne(old, now []string) {
	lone := func(keys, others []string) int {
		at := -1
		for i, key := range keys {
			if slices.Contains(others, key) {
				continue
			}
			if at >= 0 {
				return -1
			}
			at = i
		}
		return at
	}
	if i, j := lone(old, now), lone(now, old); i >= 0 && j >= 0 {
		old[i] = now[j]
	}
}

// inOrder reports whether the order of a keyed list has a meaning: init
// containers run one after the other, and a variable sees only those before it.
func inOrder(field string, items []any) bool {
	if field != "env" {
		return field == "initContainers"
	}
	return slices.ContainsFunc(items, func(item any) bool {
		m, _ := item.(map[string]any)
		value, _ := m["value"].(string)
		return strings.Contains(value, "$(")
	})
}

func (w *walker) order(at spot, old, now []string) {
	stay := func(keys, others []string) []string {
		return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !slices.Contains(others, k) })
	}
	was, is := stay(old, now), stay(now, old)
	if slices.Equal(was, is) {
		return
	}
	n := len(w.fields)
	w.report(at, Changed, texts(was), texts(is))
	if len(w.fields) > n {
		w.fields[n].Order = true
	}
}

func texts(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = scrub(s)
	}
	return out
}

// sequence compares two lists in their order. Between the items that both have,
// those at the same distance are one item that changed.
func (w *walker) sequence(at spot, a, b []any) {
	old, now := make([]string, len(a)), make([]string, len(b))
	for i, item := range a {
		old[i] = canonical(w.names.mappedIn(item))
	}
	for j, item := range b {
		now[j] = canonical(item)
	}
	i, j := 0, 0
	for _, pair := range append(common(old, now), [2]int{len(a), len(b)}) {
		for ; i < pair[0] && j < pair[1]; i, j = i+1, j+1 {
			w.value(at.item(i, j, strconv.Itoa(j)), a[i], b[j])
		}
		for ; i < pair[0]; i++ {
			w.only(at.item(i, -1, strconv.Itoa(i)), Removed, a[i])
		}
		for ; j < pair[1]; j++ {
			w.only(at.item(-1, j, strconv.Itoa(j)), Added, b[j])
		}
		if i < len(a) && j < len(b) { // equal but for names and sealed values
			w.value(at.item(i, j, strconv.Itoa(j)), a[i], b[j])
		}
		i, j = i+1, j+1
	}
}
