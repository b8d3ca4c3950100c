package source

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"github.com/sallyport/sallyport/finding"
)

// lines maps between byte offsets and positions. The YAML parser counts more
// line breaks than editors do (U+0085, U+2028 and U+2029), so the two ways of
// counting are kept apart.
type lines struct {
	data   []byte
	starts []int // offset of each line as editors count
	parsed []int // offset of each line as the parser counts; mostly the same slice
}

// bom is a byte order mark. At the start of a line it takes no column.
const bom = "\ufeff"

func newLines(data []byte) *lines {
	l := &lines{data: data, starts: lineStarts(data, false)}
	l.parsed = l.starts
	for _, exotic := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(data, []byte(exotic)) {
			l.parsed = lineStarts(data, true)
			break
		}
	}
	return l
}

func lineStarts(data []byte, unicode bool) []int {
	starts := make([]int, 1, 1+bytes.Count(data, []byte{'\n'}))
	starts[0] = bomWidth(data)
	for i := 0; i < len(data); {
		n := breakWidth(data[i:], unicode)
		if n == 0 {
			i++
			continue
		}
		i += n
		starts = append(starts, i+bomWidth(data[i:]))
	}
	return starts
}

// bomWidth is the length of the byte order mark at the start of s, or 0.
func bomWidth(s []byte) int {
	if len(s) > 0 && s[0] == bom[0] && bytes.HasPrefix(s, []byte(bom)) {
		return len(bom)
	}
	return 0
}

// breakWidth is the length in bytes of the line break at the start of s, or 0.
func breakWidth(s []byte, unicode bool) int {
	switch {
	case s[0] == '\n':
		return 1
	case s[0] == '\r' && len(s) > 1 && s[1] == '\n':
		return 2
	case s[0] == '\r':
		return 1
	case !unicode || s[0] < 0xc2:
		return 0
	case len(s) > 1 && s[0] == 0xc2 && s[1] == 0x85:
		return 2
	case len(s) > 2 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9):
		return 3
	}
	return 0
}

// offset is the byte offset of the parser's line and column, both from 1.
func (l *lines) offset(line, column int) int {
	if line < 1 {
		return 0
	}
	if line > len(l.parsed) {
		return len(l.data)
	}
	at := l.parsed[line-1]
	for ; column > 1 && at < len(l.data); column-- {
		_, size := utf8.DecodeRune(l.data[at:])
		at += size
	}
	return at
}

// line is the parser's line that holds a byte offset, from 1.
func (l *lines) line(offset int) int {
	return max(1, sort.SearchInts(l.parsed, offset+1))
}

// position is the place of a byte offset as an editor shows it.
func (l *lines) position(offset int) finding.Position {
	i := sort.SearchInts(l.starts, offset+1) - 1
	if i < 0 {
		return finding.Position{Line: 1, Column: 1}
	}
	return finding.Position{Line: i + 1, Column: utf8.RuneCount(l.data[l.starts[i]:offset]) + 1}
}

func (l *lines) span(file string, start, end int) finding.Span {
	return finding.Span{File: file, Start: l.position(start), End: l.position(end)}
}

// wholeLine is the text of the parser's line, without the space around it.
func (l *lines) wholeLine(file string, line int) finding.Span {
	start := l.offset(line, 1)
	for start < len(l.data) && (l.data[start] == ' ' || l.data[start] == '\t') {
		start++
	}
	return l.span(file, start, l.textEnd(start))
}

// textEnd is the end of the text on the line that holds offset: without the
// break and the blanks before it.
func (l *lines) textEnd(offset int) int {
	end := offset
	for end < len(l.data) && breakWidth(l.data[end:], true) == 0 {
		end++
	}
	for end > offset && (l.data[end-1] == ' ' || l.data[end-1] == '\t') {
		end--
	}
	return end
}
