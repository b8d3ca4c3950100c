package source

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	yaml "go.yaml.in/yaml/v3"
)

// Tags of the YAML core schema, and of the older type repository that parsers
// still know.
const (
	nullTag      = "!!null"
	boolTag      = "!!bool"
	strTag       = "!!str"
	intTag       = "!!int"
	floatTag     = "!!float"
	timestampTag = "!!timestamp"
	binaryTag    = "!!binary"
	seqTag       = "!!seq"
	mapTag       = "!!map"
	mergeTag     = "!!merge"
)

// size is what a node becomes when every alias in it is replaced by a copy.
type size struct {
	nodes, bytes, depth int
	aliased             int // of nodes: those that aliases add
	aliasedBytes        int
}

// walk judges the nodes of one file, document by document. It visits each node
// once: the expanded size of an anchor is remembered.
type walk struct {
	file     *File
	problems []Problem
	fatal    bool
	pairs    int
	sizes    map[*yaml.Node]size // of finished anchors
	open     map[*yaml.Node]bool // anchors that the walk is inside of
}

func newWalk(f *File) *walk {
	return &walk{file: f, sizes: map[*yaml.Node]size{}, open: map[*yaml.Node]bool{}}
}

// sorted returns the problems by place.
func (w *walk) sorted() []Problem {
	slices.SortStableFunc(w.problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
			cmp.Compare(a.Span.Start.Column, b.Span.Start.Column),
		)
	})
	return w.problems
}

// refuse records a fatal problem and ends the walk.
func (w *walk) refuse(n *yaml.Node, format string, args ...any) {
	if w.fatal {
		return
	}
	w.fatal = true
	w.problems = append(w.problems, Problem{Span: w.file.Span(n), Message: fmt.Sprintf(format, args...), Fatal: true})
}

func (w *walk) warn(n *yaml.Node, format string, args ...any) {
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, Problem{Span: w.file.Span(n), Message: fmt.Sprintf(format, args...)})
	}
}

func (w *walk) document(doc *yaml.Node) {
	for _, n := range doc.Content {
		w.node(n, 1)
	}
}

// node judges n at a depth and returns its expanded size. Once the walk has
// ended the size means nothing.
func (w *walk) node(n *yaml.Node, depth int) size {
	if n.Kind == yaml.AliasNode {
		return w.alias(n, depth)
	}
	if depth > MaxDepth {
		w.refuse(n, "nested deeper than %d levels", MaxDepth)
	}
	if w.fatal {
		return size{}
	}
	if !knownTag(n) {
		w.warn(n, "the tag %s is ignored by kustomize and refused by other parsers", quoted(n.Tag))
	}
	if n.Anchor != "" {
		w.open[n] = true
	}
	sum := size{nodes: 1, bytes: len(n.Value), depth: 1}
	for _, child := range n.Content {
		sum.add(w.node(child, depth+1))
		if w.exceeded(child, sum) {
			return size{}
		}
	}
	if n.Kind == yaml.MappingNode {
		w.keyTypes(n)
		w.keys(n)
	}
	if n.Anchor != "" {
		delete(w.open, n)
		w.sizes[n] = sum
	}
	return sum
}

func (s *size) add(child size) {
	s.nodes += child.nodes
	s.bytes += child.bytes
	s.aliased += child.aliased
	s.aliasedBytes += child.aliasedBytes
	s.depth = max(s.depth, child.depth+1)
}

// alias judges an alias without following it: its anchor came before, so its
// size is known, unless the alias lies inside it.
func (w *walk) alias(n *yaml.Node, depth int) size {
	if w.open[n.Alias] {
		w.refuse(n, "an anchor contains an alias to itself")
		return size{}
	}
	target := w.sizes[n.Alias]
	if depth+target.depth-1 > MaxDepth {
		w.refuse(n, "nested deeper than %d levels when its alias is followed", MaxDepth)
	}
	target.aliased, target.aliasedBytes = target.nodes, target.bytes
	return target
}

// exceeded refuses a file whose aliases expand to too much. It looks after each
// child, so the sums cannot overflow.
func (w *walk) exceeded(child *yaml.Node, sum size) bool {
	switch {
	case sum.aliased > MaxAliasNodes:
		w.refuse(child, "aliases expand to more than %d nodes", MaxAliasNodes)
	case sum.aliasedBytes > MaxAliasBytes:
		w.refuse(child, "aliases expand to more than %d MiB", MaxAliasBytes>>20)
	}
	return w.fatal
}

// keys finds keys that occur twice. Parsers compare a key's text, whatever its
// type, and so does this.
func (w *walk) keys(n *yaml.Node) {
	count := len(n.Content) / 2
	if w.pairs += count * count / 2; w.pairs > MaxKeyPairs {
		w.refuse(n, "mappings have too many keys: more than %d pairs to compare", MaxKeyPairs)
		return
	}
	if count > 8 {
		w.manyKeys(n)
		return
	}
	for i := 2; i < len(n.Content); i += 2 {
		for j := 0; j < i; j += 2 {
			if sameKey(n.Content[i], n.Content[j]) {
				w.duplicate(n.Content[i], n.Content[j])
				break
			}
		}
	}
}

// manyKeys is keys for a large mapping.
func (w *walk) manyKeys(n *yaml.Node) {
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if before, ok := first[resolved(key).Value]; ok && sameKey(before, key) {
			w.duplicate(key, before)
			continue
		}
		first[resolved(key).Value] = key
	}
}

func sameKey(a, b *yaml.Node) bool {
	a, b = resolved(a), resolved(b)
	return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value
}

// keyTypes finds keys that are no strings. kustomize fails on them with a dump
// of the whole object and no place.
func (w *walk) keyTypes(n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := resolved(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			w.warn(n.Content[i], "a key must be a string, not a collection")
		case key.Tag == boolTag, key.Tag == intTag, key.Tag == floatTag, key.Tag == nullTag, key.Tag == timestampTag:
			w.warn(n.Content[i], "the key %s is not a string to YAML: put it in quotes", quoted(key.Value))
		}
	}
}

func (w *walk) duplicate(key, first *yaml.Node) {
	w.warn(key, "duplicate key %s, first set on line %d", quoted(resolved(key).Value), w.file.Span(first).Start.Line)
}

// quoted quotes a key or a tag for a message, cut to a readable length.
func quoted(name string) string {
	const most = 64
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", name)
}

func knownTag(n *yaml.Node) bool {
	switch n.Tag {
	case "", "!", nullTag, boolTag, strTag, intTag, floatTag, timestampTag, binaryTag, seqTag, mapTag, mergeTag:
		return true
	}
	return false
}

// separator warns of a document that does not begin where kustomize and kubectl
// split a file: at a line of three dashes after a line feed. They read one
// document of each part and drop the rest without a word.
func (w *walk) separator(doc *yaml.Node) {
	f := w.file
	at := f.lines.offset(doc.Line, doc.Column)
	rest := f.Data[at:]
	if bytes.HasPrefix(rest, []byte("---")) && at > 0 && f.Data[at-1] == '\n' && bytes.IndexByte(rest, '\n') >= 0 {
		return
	}
	w.dropped(at)
}

// dropped warns of a document that only some parsers see. at is its offset.
func (w *walk) dropped(at int) {
	f := w.file
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, Problem{
			Span:    f.lines.span(f.Path, at, f.lines.textEnd(at)),
			Message: "kustomize and kubectl drop this document: separate it from the one before by a line of three dashes",
			Dropped: true,
		})
	}
}
