package encrypt

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// A slotWalk finds the scalars of a document in its text, in the order in which
// sops reads them: where an alias leads, it reads a copy.
type slotWalk struct {
	file   *source.File
	page   page
	values []slot
	taken  []stretch // every scalar and alias, keys too
}

// node walks a value. The sops block of the document is passed over where top is
// set. alias is the alias that led here.
func (w *slotWalk) node(n *yaml.Node, top bool, alias *yaml.Node) {
	switch n.Kind {
	case yaml.AliasNode:
		w.take(w.token(n))
		w.node(n.Alias, false, n)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Kind == yaml.ScalarNode && alias == nil {
				w.take(w.scalar(key).whole()...)
			}
			if top && key.Value == "sops" {
				w.skip(value)
				continue
			}
			w.child(n, value, alias)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			w.child(n, item, alias)
		}
	case yaml.ScalarNode:
		w.value(n, false, alias)
	}
}

// child walks a value of a collection.
func (w *slotWalk) child(parent, n *yaml.Node, alias *yaml.Node) {
	flow := parent.Style&yaml.FlowStyle != 0
	switch {
	case n.Kind == yaml.ScalarNode:
		w.value(n, flow, alias)
	case n.Kind == yaml.AliasNode && n.Alias.Kind == yaml.ScalarNode && alias == nil:
		w.aliasValue(n, flow)
	default:
		w.node(n, false, alias)
	}
}

// value notes a scalar.
func (w *slotWalk) value(n *yaml.Node, flow bool, alias *yaml.Node) {
	if alias != nil {
		w.values = append(w.values, slot{
			span: w.file.Span(alias), origin: n, copied: true,
			refused: "copies values of an anchor, which cannot be encrypted for two places; write them out here",
		})
		return
	}
	s := w.scalar(n)
	w.take(s.whole()...)
	if flow && s.quote == "" {
		s.quote = `"`
	}
	if n.Style&yaml.TaggedStyle != 0 {
		s.refused = "has a YAML tag, which would not fit the encrypted value; write it without"
	}
	s.origin = n
	w.values = append(w.values, s)
}

// aliasValue notes an alias of a scalar: the ciphertext takes the place of the
// alias.
func (w *slotWalk) aliasValue(n *yaml.Node, flow bool) {
	s := slot{stretch: w.token(n), span: w.file.Span(n), origin: n.Alias, copied: true}
	if flow {
		s.quote = `"`
	}
	w.take(s.stretch)
	w.values = append(w.values, s)
}

func (w *slotWalk) take(s ...stretch) { w.taken = append(w.taken, s...) }

// skip takes the scalars of a value without noting them.
func (w *slotWalk) skip(n *yaml.Node) {
	inner := &slotWalk{file: w.file, page: w.page}
	inner.node(n, false, nil)
	w.take(inner.taken...)
}

// token is the stretch of a node that lies on one line.
func (w *slotWalk) token(n *yaml.Node) stretch {
	span := w.file.Span(n)
	return stretch{w.page.offset(span.Start), w.page.offset(span.End)}
}

// scalar finds a scalar in the text.
func (w *slotWalk) scalar(n *yaml.Node) slot {
	s := slot{stretch: w.token(n), span: w.file.Span(n)}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		s.quote = `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		s.quote = `'`
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.block(n, &s)
	default:
		s.to = max(s.to, w.plainEnd(s.from, n.Value))
	}
	return s
}

// whole is everything that a scalar takes.
func (s slot) whole() []stretch { return append([]stretch{s.stretch}, s.more...) }

// block finds the indicator and the lines of a block scalar. A comment behind
// the indicator and blank lines behind the text are no part of it.
func (w *slotWalk) block(n *yaml.Node, s *slot) {
	p := w.page
	end := p.lineEnd(s.from)
	s.to = s.from
	for s.to < end && p.data[s.to] != ' ' && p.data[s.to] != '\t' {
		s.to++
	}
	if strings.Trim(n.Value, "\n ") == "" {
		return
	}
	depth, last := -1, end
	for at := p.nextLine(end); at < len(p.data); at = p.nextLine(p.lineEnd(at)) {
		line := p.data[at:p.lineEnd(at)]
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		if len(bytes.TrimSpace(line)) == 0 && (depth < 0 || indent <= depth) {
			continue
		}
		if depth < 0 {
			depth = indent - leading(n.Value)
		}
		if indent < depth {
			break
		}
		last = p.lineEnd(at)
	}
	s.more = []stretch{{end, last}}
}

// leading counts the blanks in front of the first text of a block's value.
func leading(value string) int {
	for line := range strings.Lines(value) {
		if strings.TrimSpace(line) != "" {
			return len(line) - len(strings.TrimLeft(line, " "))
		}
	}
	return 0
}

// plainEnd follows a plain scalar over its lines: folding turns white space into
// other white space only. It is from where the text does not fit the value.
func (w *slotWalk) plainEnd(from int, value string) int {
	data, at := w.page.data, from
	for i := 0; i < len(value); {
		if !isBlank(value[i]) {
			if at >= len(data) || data[at] != value[i] {
				return from
			}
			i, at = i+1, at+1
			continue
		}
		if at >= len(data) || !isBlank(data[at]) {
			return from
		}
		for i < len(value) && isBlank(value[i]) {
			i++
		}
		for at < len(data) && isBlank(data[at]) {
			at++
		}
	}
	return at
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// gaps are the parts of a document between its scalars.
func (w *slotWalk) gaps(from, to int) []stretch {
	taken := slices.Clone(w.taken)
	slices.SortFunc(taken, func(a, b stretch) int { return a.from - b.from })
	var out []stretch
	for _, t := range taken {
		if t.from < from || t.from >= to {
			continue
		}
		if t.from > from {
			out = append(out, stretch{from, t.from})
		}
		from = max(from, t.to)
	}
	if from < to {
		out = append(out, stretch{from, to})
	}
	return out
}

// comments finds the comments in the gaps, each line on its own.
func (w *slotWalk) comments(gaps []stretch) []slot {
	var out []slot
	data := w.page.data
	for _, g := range gaps {
		for at := g.from; at < g.to; at++ {
			if data[at] != '#' || at > w.page.starts[0] && !isBlank(data[at-1]) {
				continue
			}
			end := w.page.lineEnd(at)
			text := strings.TrimRight(string(data[at+1:end]), " \t")
			out = append(out, slot{stretch: stretch{at + 1, at + 1 + len(text)}, comment: text})
			at = end
		}
	}
	return out
}
