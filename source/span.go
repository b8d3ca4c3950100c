package source

import (
	"bytes"

	yaml "go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
)

// Span is the place of a node's token. End is exclusive and columns count
// runes. A quoted scalar includes its quotes; an anchor or a tag before a scalar
// is left out. Plain scalars over several lines, block scalars and collections
// are reduced to their first line. The zero node gives the whole file.
func (f *File) Span(n *yaml.Node) finding.Span {
	if n == nil || n.Line == 0 {
		return finding.Span{File: f.Path}
	}
	return f.place(f.extent(n))
}

// place turns byte offsets of Data into a span, of the outermost file where this
// one is embedded.
func (f *File) place(start, end int) finding.Span {
	switch {
	case f.outer == nil:
		return f.lines.span(f.Path, start, end)
	case f.written == nil:
		return f.outer.Span(f.scalar)
	}
	from := f.written[start].start
	to := from
	if end > start {
		to = f.written[end-1].end
	}
	return f.outer.place(from, to)
}

// extent is the node's token as byte offsets.
func (f *File) extent(n *yaml.Node) (start, end int) {
	start = f.lines.offset(n.Line, n.Column)
	switch n.Kind {
	case yaml.AliasNode:
		return start, f.tokenEnd(start)
	case yaml.ScalarNode:
		start = f.skipProperties(start, n)
		return start, f.scalarEnd(start, n)
	}
	if n.Style&yaml.FlowStyle != 0 {
		start = f.skipProperties(start, n)
	}
	return start, f.lines.textEnd(start)
}

// skipProperties moves past the anchor and the tag in front of a node's value.
func (f *File) skipProperties(at int, n *yaml.Node) int {
	if n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && (at >= len(f.Data) || f.Data[at] != '!') {
		return at
	}
	first := at
	for at < len(f.Data) && (f.Data[at] == '&' || f.Data[at] == '!') {
		at = f.skipSpace(f.tokenEnd(at))
	}
	if n.Kind == yaml.ScalarNode && n.Value == "" && !f.quoted(at) {
		return first // the value is empty: only the property is there to point at
	}
	return at
}

func (f *File) quoted(at int) bool {
	return at < len(f.Data) && (f.Data[at] == '"' || f.Data[at] == '\'')
}

// tokenEnd is the end of the run of non-blank bytes at offset.
func (f *File) tokenEnd(at int) int {
	end := bytes.IndexAny(f.Data[at:], " \t\r\n,]}")
	if end < 0 {
		return len(f.Data)
	}
	return at + max(end, min(1, len(f.Data)-at))
}

// skipSpace moves past blanks, line breaks and comments.
func (f *File) skipSpace(at int) int {
	for at < len(f.Data) {
		switch f.Data[at] {
		case ' ', '\t', '\r', '\n':
			at++
		case '#':
			at = f.lines.textEnd(at)
		default:
			return at
		}
	}
	return at
}

func (f *File) scalarEnd(start int, n *yaml.Node) int {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return f.doubleQuotedEnd(start)
	case n.Style&yaml.SingleQuotedStyle != 0:
		return f.singleQuotedEnd(start)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return f.lines.textEnd(start)
	case bytes.HasPrefix(f.Data[start:], []byte(n.Value)) && n.Value != "":
		return start + len(n.Value)
	case n.Value == "":
		return start
	}
	return f.lines.textEnd(start)
}

func (f *File) doubleQuotedEnd(start int) int {
	for i := start + 1; i < len(f.Data); i++ {
		switch f.Data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(f.Data)
}

func (f *File) singleQuotedEnd(start int) int {
	for i := start + 1; i < len(f.Data); i++ {
		if f.Data[i] != '\'' {
			continue
		}
		if i+1 < len(f.Data) && f.Data[i+1] == '\'' {
			i++
			continue
		}
		return i + 1
	}
	return len(f.Data)
}
