package render

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// slot is one node of an object while its layers are replayed. Its address is
// what tells one item of a list from another: a JSON patch names an item by its
// index, and later layers move it to another one.
type slot struct {
	fields map[string]*slot
	items  []*slot
	list   bool
	value  any          // of a scalar
	nodes  []*yaml.Node // of an item of a list: where layers write it
}

func newSlot(v any) *slot {
	s := &slot{value: v}
	switch v := v.(type) {
	case map[string]any:
		s.value, s.fields = nil, map[string]*slot{}
		for name, member := range v {
			s.fields[name] = newSlot(member)
		}
	case []any:
		s.value, s.list = nil, true
		for _, item := range v {
			s.items = append(s.items, newSlot(item))
		}
	}
	return s
}

// decoded is the slot of a node, nil for one that has no JSON form.
func decoded(n *yaml.Node) *slot {
	v, err := source.Decode(n)
	if err != nil {
		return nil
	}
	s := newSlot(v)
	s.note(n)
	return s
}

// note remembers the nodes of the items of lists.
func (s *slot) note(n *yaml.Node) {
	n = deref(n)
	if s.list && n.Kind == yaml.SequenceNode {
		for i, item := range s.items {
			item.nodes = append(item.nodes, n.Content[i])
			item.note(n.Content[i])
		}
	}
	for name, member := range s.fields {
		if _, value, ok := source.Find(n, source.Pointer(name)); ok {
			member.note(value)
		}
	}
}

// nodeIn is the node of an item in one layer's list. It fails for an item whose
// nodes are not known.
func (s *slot) nodeIn(seq *yaml.Node) (node *yaml.Node, ok bool) {
	for _, node := range s.nodes {
		if slices.Contains(seq.Content, node) {
			return node, true
		}
	}
	return nil, len(s.nodes) > 0
}

// step is one token of a path: the key in a mapping, or the item of a list.
type step struct {
	key  string
	item *slot
}

// child is nil where there is none.
func (s *slot) child(token string) *slot {
	switch {
	case s == nil:
	case s.list:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(s.items) {
			return s.items[i]
		}
	default:
		return s.fields[token]
	}
	return nil
}

// at follows a path to its end, nil where it leads nowhere.
func (s *slot) at(path []string) *slot {
	for _, token := range path {
		s = s.child(token)
	}
	return s
}

// steps follows a path. It fails where the path leads to no item of a list;
// fields need not be there.
func (s *slot) steps(path []string) (out []step, ok bool) {
	for _, token := range path {
		next := s.child(token)
		switch {
		case s == nil || !s.list:
			out = append(out, step{key: token})
		case next == nil:
			return nil, false
		default:
			out = append(out, step{item: next})
		}
		s = next
	}
	return out, true
}

// put sets the node at a path: a JSON patch's add, or with replace its replace.
func (s *slot) put(path []string, node *slot, replace bool) bool {
	last := len(path) - 1
	s = s.at(path[:last])
	switch {
	case s == nil || !s.list && s.fields == nil:
		return false
	case !s.list:
		s.fields[path[last]] = node
		return true
	case path[last] == "-":
		s.items = append(s.items, node)
		return true
	}
	i, err := strconv.Atoi(path[last])
	switch {
	case err != nil || i < 0 || i > len(s.items) || replace && i == len(s.items):
		return false
	case replace:
		s.items[i] = node
	default:
		s.items = slices.Insert(s.items, i, node)
	}
	return true
}

// take removes the node at a path and returns it, nil where there is none.
func (s *slot) take(path []string) *slot {
	last := len(path) - 1
	s = s.at(path[:last])
	out := s.child(path[last])
	switch {
	case out == nil:
	case s.list:
		s.items = slices.DeleteFunc(s.items, func(item *slot) bool { return item == out })
	default:
		delete(s.fields, path[last])
	}
	return out
}

func (s *slot) clone() *slot {
	out := &slot{list: s.list, value: s.value}
	for _, item := range s.items {
		out.items = append(out.items, item.clone())
	}
	if s.fields != nil {
		out.fields = map[string]*slot{}
	}
	for name, member := range s.fields {
		out.fields[name] = member.clone()
	}
	return out
}

// text is the text of a member that is a scalar.
func (s *slot) text(name string) (string, bool) {
	if s == nil || s.fields[name] == nil {
		return "", false
	}
	v, ok := s.fields[name].value.(string)
	return v, ok
}

// agrees reports whether the replay of the layers arrived at the lists on the
// way of a query: as many items, with the same identities.
func (s *slot) agrees(q *query) bool {
	for i, token := range q.tokens {
		if list, ok := q.within[i].([]any); ok && !s.agreesWith(list) {
			return false
		}
		s = s.child(token)
	}
	return true
}

func (s *slot) agreesWith(list []any) bool {
	if s == nil || !s.list || len(s.items) != len(list) {
		return false
	}
	for i, item := range list {
		for _, name := range identities {
			want, _ := child(item, name)
			if got := s.items[i].fields[name]; got != nil && isScalar(want) && got.value != want {
				return false
			}
		}
	}
	return true
}
