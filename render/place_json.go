package render

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// patchJSON adds the operations of a JSON patch (RFC 6902).
func patchJSON(f *source.File, operations *yaml.Node, objects []*origin) {
	for _, n := range operations.Content {
		path := source.Split(valueOf(n, "path"))
		if len(path) == 0 {
			continue
		}
		for _, o := range objects {
			op := &operation{file: f, op: valueOf(n, "op"), path: path, from: source.Split(valueOf(n, "from"))}
			_, op.where = pair(n, "path")
			op.key, op.value = pair(n, "value")
			o.changes = append(o.changes, op.change)
			o.edits = append(o.edits, op.edit)
			o.indexed = o.indexed || slices.ContainsFunc(path, isIndex)
			if slices.Equal(path, []string{"metadata", "name"}) {
				o.rename(valueOf(n, "value"))
			}
			if slices.Equal(path, []string{"metadata", "namespace"}) {
				o.move(valueOf(n, "value"))
			}
		}
	}
}

// operation is one operation of a JSON patch on one object.
type operation struct {
	file              *source.File
	op                string
	path, from        []string
	where, key, value *yaml.Node // the path, and the value with its key
	steps             []step     // the path as items, once the object's layers were replayed
}

// edit applies the operation to a replayed object.
func (op *operation) edit(s *slot) bool {
	var node *slot
	switch op.op {
	case "add", "replace":
		if op.value != nil {
			node = decoded(op.value)
		}
	case "remove":
		op.steps, _ = s.steps(op.path)
		return s.take(op.path) != nil
	case "move":
		if len(op.from) > 0 {
			node = s.take(op.from)
		}
	case "copy":
		if steps, ok := s.steps(op.from); ok && len(steps) > 0 {
			if node = s.at(op.from); node != nil {
				node = node.clone()
			}
		}
	default:
		return true // a test changes nothing
	}
	if node == nil || !s.put(op.path, node, op.op == "replace") {
		return false
	}
	path := slices.Clone(op.path)
	if last := len(path) - 1; path[last] == "-" {
		if list := s.at(path[:last]); list.list {
			path[last] = strconv.Itoa(len(list.items) - 1)
		}
	}
	steps, ok := s.steps(path)
	op.steps = steps
	return ok
}

// change answers for the fields at the path of the operation and below.
func (op *operation) change(q *query, _ *setting) (setting, bool) {
	covers, sure := op.covers(q)
	if !covers {
		return setting{}, false
	}
	s := setting{span: op.file.Span(op.where), whole: sure, unsure: !sure}
	switch op.op {
	case "copy", "move":
		return s, sure || q.exists
	case "remove":
		s.removed, s.whole = true, false
		return s, sure || !q.exists
	case "add", "replace":
		if op.value == nil {
			break
		}
		return op.set(q, s)
	}
	return setting{}, false
}

// set answers for an operation with a value. Where it is not sure that the field
// is in the item that the operation changed, a rendered value that is the
// operation's own is enough.
func (op *operation) set(q *query, s setting) (setting, bool) {
	at := q.in(op.value, len(op.path), false)
	switch {
	case at.value == nil && s.unsure:
		return s, false
	case at.value == nil:
		return setting{span: op.file.Span(op.key), removed: true}, true
	case at.key == nil && len(op.path) == len(q.tokens):
		at.key = op.key
	}
	value := settingAt(op.file, at.key, at.value)
	if s.unsure && !(q.exists && value.known && sameValue(at.value, q.value)) {
		return s, q.exists
	}
	value.whole = s.whole
	return value, true
}

// covers reports whether the operation is about the field, and whether that is
// sure: an index in its path may by now be that of another item.
func (op *operation) covers(q *query) (covers, sure bool) {
	if q.steps != nil && op.steps != nil {
		return len(op.steps) <= len(q.steps) && slices.Equal(op.steps, q.steps[:len(op.steps)]), true
	}
	last := len(op.path) - 1
	lists := q.lists(op.path)
	switch {
	case last >= len(q.tokens) || !q.alike(op.path):
		return false, false
	case lists == 0:
		return true, true
	case lists == 1 && q.isItem(last) && op.op == "remove":
		return false, false // the item at this index now is another one
	case lists == 1 && q.isItem(last) && op.value != nil && q.insertedBy(op.value, op.path):
		return true, true
	}
	return !q.isItem(last), false
}

// isItem reports whether a token of the field selects an item of a list.
func (q *query) isItem(i int) bool {
	_, list := q.within[i].([]any)
	return list
}

// lists counts the items of lists on the way of a path.
func (q *query) lists(path []string) (n int) {
	for i := range min(len(path), len(q.tokens)) {
		if q.isItem(i) {
			n++
		}
	}
	return n
}

// alike reports whether a path of a JSON patch is that of the field or of what
// holds it, whatever the indices.
func (q *query) alike(path []string) bool {
	for i, token := range path {
		if token != q.tokens[i] && !(q.isItem(i) && isIndex(token)) {
			return false
		}
	}
	return true
}

func isIndex(token string) bool {
	_, err := strconv.Atoi(token)
	return token == "-" || err == nil
}

// insertedBy tells for a path that ends in a list whether the rendered item is
// the one that the operation put there: later ones may have moved it.
func (q *query) insertedBy(value *yaml.Node, path []string) bool {
	i := len(path) - 1
	item, ok := child(q.within[i], q.tokens[i])
	if !ok {
		return false
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return path[i] == q.tokens[i] || sameValue(value, item)
	}
	for _, name := range identities {
		want, ok := fields[name]
		if _, got := pair(value, name); ok && got != nil {
			return sameValue(got, want)
		}
	}
	return path[i] == q.tokens[i] || sameValue(value, item)
}
