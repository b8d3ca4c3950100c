package source

import (
	yaml "go.yaml.in/yaml/v3"
)

// Embedded parses the text of a scalar as a file of its own, such as a patch
// that is written inside a kustomization. Its spans are places in f, the file
// that holds the scalar. The error is an *Error with a place in f.
func (f *File) Embedded(n *yaml.Node) (*File, error) {
	n = resolved(n)
	inner, problems := read(f.Path, []byte(n.Value))
	inner.outer, inner.scalar = f, n
	inner.written = f.align(n)
	for _, p := range problems {
		if p.Fatal || p.syntax {
			return nil, &Error{Span: f.Span(n), Message: p.Message, Unsafe: p.Fatal}
		}
	}
	return inner, nil
}

// written is where in a file one byte of a scalar's value is written.
type written struct{ start, end int }

// align gives for each byte of a scalar's value where in f it is written. Only
// what is not white space is exact: folding and indentation change the rest. It
// returns nil where the value cannot be followed, as with an escape that stands
// for another character.
func (f *File) align(n *yaml.Node) []written {
	at, end := f.contentStart(n), f.contentEnd(n)
	escapes := n.Style&yaml.DoubleQuotedStyle != 0
	quotes := n.Style&yaml.SingleQuotedStyle != 0
	out := make([]written, 0, len(n.Value)+1)
	for i := range len(n.Value) {
		c := n.Value[i]
		for at < end && (isBlank(f.Data[at]) || escapes && f.isEscapedBlank(at)) && !isBlank(c) {
			at = f.afterBlank(at, escapes)
		}
		start := at
		switch {
		case isBlank(c):
		case at < end && f.Data[at] == c && !(escapes && c == '\\'):
			at++
			if quotes && c == '\'' {
				at++
			}
		case escapes && at+1 < end && f.Data[at] == '\\' && f.Data[at+1] == c:
			at += 2
		default:
			return nil
		}
		out = append(out, written{start, at})
	}
	return append(out, written{at, at})
}

// contentStart is where the text of a scalar begins: behind its quote, or on
// the line below the header of a block scalar.
func (f *File) contentStart(n *yaml.Node) int {
	at := f.skipProperties(f.lines.offset(n.Line, n.Column), n)
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return min(at+1, len(f.Data))
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		for at < len(f.Data) && f.Data[at] != '\n' && f.Data[at] != '\r' {
			at++
		}
	}
	return at
}

// contentEnd bounds the search for the text of a scalar.
func (f *File) contentEnd(n *yaml.Node) int {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		_, end := f.extent(n)
		return max(0, end-1)
	}
	return len(f.Data)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// isEscapedBlank reports whether an escape stands for white space, or continues
// a double-quoted scalar on the next line.
func (f *File) isEscapedBlank(at int) bool {
	if at+1 >= len(f.Data) || f.Data[at] != '\\' {
		return false
	}
	switch f.Data[at+1] {
	case 'n', 't', 'r', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

func (f *File) afterBlank(at int, escapes bool) int {
	if escapes && f.Data[at] == '\\' {
		return at + 2
	}
	return at + 1
}
