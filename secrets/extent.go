package secrets

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// An extent is the stretch of bytes that a node's value takes: a quoted scalar
// with its quotes, a block scalar from its indicator to its last line, a flow
// collection with its brackets. Anchor and tag lie before it.
type extent struct{ from, to int }

// scalar returns the extent of a scalar node that was parsed from this text. It
// is not ok where the bytes do not look like the value, so that nobody replaces
// the wrong ones.
func (t *text) scalar(n *yaml.Node) (extent, bool) {
	at := t.skipProperties(t.offset(n.Line, n.Column))
	if at >= len(t.data) {
		return extent{at, at}, n.Value == ""
	}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return t.quoted(at, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return t.quoted(at, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return t.block(at, n.Value)
	}
	return t.plain(at, n.Value)
}

// skipProperties steps over anchors, tags, white space and comments.
func (t *text) skipProperties(at int) int {
	for at < len(t.data) {
		switch c := t.data[at]; {
		case c == '&' || c == '!':
			for at < len(t.data) && !isSpace(t.data[at]) {
				at++
			}
		case c == '#':
			at = t.lineEnd(at)
		case isSpace(c):
			at++
		default:
			return at
		}
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// quoted runs from an opening quote to the closing one.
func (t *text) quoted(at int, quote byte) (extent, bool) {
	if t.data[at] != quote {
		return extent{}, false
	}
	for i := at + 1; i < len(t.data); i++ {
		switch {
		case quote == '"' && t.data[i] == '\\':
			i++
		case t.data[i] != quote:
		case quote == '\'' && i+1 < len(t.data) && t.data[i+1] == quote:
			i++
		default:
			return extent{at, i + 1}, true
		}
	}
	return extent{}, false
}

// plain follows the value through the bytes: folding only ever turns white
// space into other white space.
func (t *text) plain(at int, value string) (extent, bool) {
	i := at
	for v := 0; v < len(value); {
		if i >= len(t.data) {
			return extent{}, false
		}
		if isSpace(value[v]) {
			for v < len(value) && isSpace(value[v]) {
				v++
			}
			if !isSpace(t.data[i]) {
				return extent{}, false
			}
			for i < len(t.data) && isSpace(t.data[i]) {
				i++
			}
			continue
		}
		if value[v] != t.data[i] {
			return extent{}, false
		}
		v, i = v+1, i+1
	}
	return extent{at, i}, true
}

// block runs from the indicator | or > to the end of the last line that is as
// deep as the first one with text.
func (t *text) block(at int, value string) (extent, bool) {
	if t.data[at] != '|' && t.data[at] != '>' {
		return extent{}, false
	}
	end := t.lineEnd(at)
	depth := -1
	for next := t.nextLine(end); next < len(t.data); next = t.nextLine(t.lineEnd(next)) {
		stop := t.lineEnd(next)
		line := t.data[next:stop]
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		if len(bytes.TrimSpace(line)) == 0 {
			continue // blank lines belong to it only if text follows
		}
		if depth < 0 {
			if depth = indent - leading(value); depth < 1 || !holdsText(value) {
				break
			}
		}
		if indent < depth {
			break
		}
		end = stop
	}
	return extent{at, end}, true
}

// nextLine returns the start of the line after the one that ends at end.
func (t *text) nextLine(end int) int {
	if end >= len(t.data) {
		return len(t.data)
	}
	return end + lineBreak(t.data[end:])
}

// leading counts the blanks before the first line with text in a block's value.
func leading(value string) int {
	blanks := 0
	for i := range len(value) {
		switch value[i] {
		case '\n':
			blanks = 0
		case ' ':
			blanks++
		default:
			return blanks
		}
	}
	return 0
}

func holdsText(value string) bool { return len(bytes.TrimSpace([]byte(value))) > 0 }

// flow returns the extent of the flow collection that opens at at.
func (t *text) flow(at int) (extent, bool) {
	depth := 0
	for i := at; i < len(t.data); i++ {
		switch c := t.data[i]; c {
		case '"', '\'':
			if c == '\'' && i > 0 && !isSpace(t.data[i-1]) && !bytes.ContainsRune([]byte("[{,:"), rune(t.data[i-1])) {
				continue // an apostrophe inside a plain scalar
			}
			e, ok := t.quoted(i, c)
			if !ok {
				return extent{}, false
			}
			i = e.to - 1
		case '#':
			if isSpace(t.data[i-1]) {
				i = t.lineEnd(i) - 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return extent{at, i + 1}, true
			}
		}
	}
	return extent{}, false
}
