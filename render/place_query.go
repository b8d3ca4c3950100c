package render

import (
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// query is a question about one field of a rendered object.
type query struct {
	tokens []string
	within []any // what each token selects from; nil behind the first that is missing
	value  any
	exists bool
	steps  []step // the tokens as items, where the layers could be replayed; else nil
}

func newQuery(object map[string]any, tokens []string) *query {
	q := &query{tokens: tokens, within: make([]any, len(tokens)), value: object, exists: true}
	for i, token := range tokens {
		q.within[i] = q.value
		q.value, q.exists = child(q.value, token)
	}
	return q
}

func child(v any, token string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		c, ok := v[token]
		return c, ok
	case []any:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

// is reports whether the field is exactly the one at these tokens.
func (q *query) is(tokens ...string) bool {
	if len(tokens) != len(q.tokens) {
		return false
	}
	for i, token := range tokens {
		if q.tokens[i] != token {
			return false
		}
	}
	return true
}

// last returns the token at a distance from the end, 0 for the last one.
func (q *query) last(back int) string {
	if i := len(q.tokens) - 1 - back; i >= 0 {
		return q.tokens[i]
	}
	return ""
}

// found is the outcome of a search in the nodes of a manifest or patch.
type found struct {
	key, value *yaml.Node // value is nil where the field is not there
	removed    *yaml.Node // the node that takes the field away
	whole      bool       // a directive replaces what was there before
}

// in looks the field up below a node that stands for the first n tokens.
// Strategic-merge directives are obeyed where directives is set.
func (q *query) in(root *yaml.Node, n int, directives bool) found {
	out := found{value: root}
	for i := n; ; i++ {
		node := deref(out.value)
		if directives {
			if out.obey(node); out.removed != nil {
				return out
			}
		}
		if i == len(q.tokens) {
			return out
		}
		out.key, out.value = q.step(node, i)
		if out.value == nil {
			return out
		}
	}
}

// obey reads the directive of a strategic-merge patch at a node: null and
// "$patch: delete" remove, "$patch: replace" hides what was there.
func (f *found) obey(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		f.removed = node
		if f.key != nil {
			f.removed = f.key
		}
		return
	}
	if node.Kind != yaml.MappingNode {
		return
	}
	switch _, directive := pair(node, "$patch"); {
	case directive == nil:
	case deref(directive).Value == "delete":
		f.removed = directive
	case deref(directive).Value == "replace":
		f.whole = true
	}
}

// step goes from a node one token down.
func (q *query) step(node *yaml.Node, i int) (key, value *yaml.Node) {
	if node.Kind == yaml.SequenceNode {
		if i < len(q.steps) && q.steps[i].item != nil {
			if item, ok := q.steps[i].item.nodeIn(node); ok {
				return nil, item
			}
		}
		list, _ := q.within[i].([]any)
		return nil, itemIn(node, list, q.tokens[i])
	}
	key, value, _ = source.Find(node, source.Pointer(q.tokens[i]))
	return key, value
}

// identities are the fields that tell the items of Kubernetes lists apart: the
// patch merge keys of its OpenAPI schema, the commonest first.
var identities = []string{"name", "containerPort", "mountPath", "devicePath", "ip", "port", "topologyKey", "key", "path", "type", "kind", "uid"}

// itemIn finds the item of a layer's list that became the item at an index of
// the rendered list: the one with the same value, or else the same identity, or,
// in lists of one length, the one at the same index.
func itemIn(seq *yaml.Node, list []any, token string) *yaml.Node {
	index, err := strconv.Atoi(token)
	if err != nil || index < 0 {
		return nil
	}
	if index >= len(list) {
		return at(seq, index)
	}
	if node := at(seq, index); node != nil && sameValue(node, list[index]) {
		return node
	}
	for _, node := range seq.Content {
		if sameValue(node, list[index]) {
			return node
		}
	}
	if item, ok := list[index].(map[string]any); ok {
		if node, decided := itemByIdentity(seq, item); decided {
			return node
		}
	}
	if len(seq.Content) == len(list) {
		return at(seq, index)
	}
	return nil
}

func at(seq *yaml.Node, index int) *yaml.Node {
	if index < len(seq.Content) {
		return seq.Content[index]
	}
	return nil
}

// itemByIdentity looks for an item with the same identity. It has decided as
// soon as the list's items carry an identity that the wanted one has too. Items
// may share one (a port in two protocols), then all other scalars count.
func itemByIdentity(seq *yaml.Node, item map[string]any) (node *yaml.Node, decided bool) {
	for _, name := range identities {
		want, ok := item[name]
		if !ok || !isScalar(want) {
			continue
		}
		var same []*yaml.Node
		for _, candidate := range seq.Content {
			_, value := pair(candidate, name)
			if value == nil {
				continue
			}
			decided = true
			if sameValue(value, want) {
				same = append(same, candidate)
			}
		}
		if decided {
			return likest(same, item), true
		}
	}
	return nil, false
}

// likest picks the candidate that has most scalars in common with an item.
func likest(candidates []*yaml.Node, item map[string]any) (best *yaml.Node) {
	most := -1
	for _, candidate := range candidates {
		score := 0
		for name, want := range item {
			if _, value := pair(candidate, name); value != nil && isScalar(want) && sameValue(value, want) {
				score++
			}
		}
		if score > most {
			most, best = score, candidate
		}
	}
	return best
}

func sameValue(n *yaml.Node, want any) bool {
	got, err := source.Decode(n)
	return err == nil && reflect.DeepEqual(got, want)
}
