package secrets

import (
	"sync"
	"unicode/utf8"

	"github.com/sallyport/sallyport/finding"
)

// Original translates a span of a file's sealed text into the span of the same
// text in the repository. Sealing keeps lines, but not columns: a token is
// seldom as long as the value that it stands for. A span inside a token becomes
// that of the value, or of its first line. Spans of files that sealing leaves as
// they are, or refuses, stay.
//
// It must be applied once: whoever reads sealed text translates the spans that
// it hands out. Package render does.
func (s *Sealed) Original(span finding.Span) finding.Span {
	if span.Start.Line == 0 {
		return span
	}
	c, ok := s.columns.Load(span.File)
	if !ok {
		return span
	}
	return c.(*columns).original(span)
}

// columns are the edits that sealed a file, to go back from the text that they
// made to the text that they changed.
type columns struct {
	once   sync.Once
	before *text
	sealed []byte
	edits  []edit

	after     *text
	stretches []stretch
}

// A stretch is one edit that was made: from bytes of the file to bytes of the
// sealed text. Behind tokens lie the line breaks that the edit keeps.
type stretch struct {
	before extent
	after  extent // without the breaks
	end    int    // in the sealed text, behind the breaks
}

func (s *sheet) columns() *columns {
	return &columns{before: s.text, sealed: s.sealed, edits: s.edits}
}

func (c *columns) measure() {
	c.after = newText(c.before.path, c.sealed)
	at, shift := 0, 0
	for _, e := range settle(c.edits) {
		with, kept := e.replacement(c.before.data)
		at = e.from + shift
		st := stretch{before: e.extent, after: extent{at, at + len(with)}, end: at + len(with) + len(kept)}
		shift = st.end - e.to
		c.stretches = append(c.stretches, st)
	}
}

func (c *columns) original(span finding.Span) finding.Span {
	c.once.Do(c.measure)
	from, known := c.after.at(span.Start)
	to, also := c.after.at(span.End)
	if !known || !also {
		return span
	}
	start, end := c.start(from), c.end(to)
	if to <= from {
		if end = start; c.within(from) {
			end = c.end(from + 1)
		}
	}
	return finding.Span{File: span.File, Start: c.before.position(start), End: c.before.position(max(start, end))}
}

// within reports whether a byte of the sealed text is one of a token.
func (c *columns) within(at int) bool {
	for _, st := range c.stretches {
		if st.after.from <= at && at < st.after.to {
			return true
		}
	}
	return false
}

// start returns where the text that begins at a byte of the sealed text begins
// in the file.
func (c *columns) start(at int) int {
	shift := 0
	for _, st := range c.stretches {
		switch {
		case at < st.after.from:
			return at - shift
		case at < st.after.to:
			return st.before.from
		case at < st.end:
			return c.sameLine(at, st)
		}
		shift = st.end - st.before.to
	}
	return at - shift
}

// end returns where the text that ends before a byte of the sealed text ends in
// the file.
func (c *columns) end(at int) int {
	shift := 0
	for _, st := range c.stretches {
		switch {
		case at <= st.after.from:
			return at - shift
		case at <= st.after.to:
			return c.valueEnd(st.before)
		case at < st.end:
			return c.sameLine(at, st)
		}
		shift = st.end - st.before.to
	}
	return at - shift
}

// valueEnd is where a value ends as package source has it: behind its quote, or
// at the end of its first line.
func (c *columns) valueEnd(e extent) int {
	if e.from < e.to && (c.before.data[e.from] == '"' || c.before.data[e.from] == '\'') {
		return e.to
	}
	return min(e.to, c.before.lineEnd(e.from))
}

// sameLine is for the empty lines behind a token: the start of the line in the
// file, or the value where that is its first.
func (c *columns) sameLine(at int, st stretch) int {
	line := c.after.position(at).Line
	return max(st.before.from, c.before.lines[min(line, len(c.before.lines))-1])
}

// at is the inverse of position. It is not ok past the end of the text or of the
// line.
func (t *text) at(p finding.Position) (offset int, ok bool) {
	if p.Line < 1 || p.Line > len(t.lines) {
		return 0, false
	}
	offset = t.lines[p.Line-1]
	for range p.Column - 1 {
		if offset >= len(t.data) || t.data[offset] == '\n' || t.data[offset] == '\r' {
			return offset, false
		}
		_, n := utf8.DecodeRune(t.data[offset:])
		offset += n
	}
	return offset, true
}
