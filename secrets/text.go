package secrets

import (
	"bytes"
	"unicode/utf8"

	"github.com/sallyport/sallyport/finding"
)

// A text is a file's bytes with the starts of its lines, as the YAML parser
// counts them and as editors do: only the parser ends a line at U+0085, U+2028
// and U+2029.
type text struct {
	path   string
	data   []byte
	parsed []int // byte offset of each line of the parser
	lines  []int // byte offset of each line of an editor; mostly the same slice
}

func newText(path string, data []byte) *text {
	t := &text{path: path, data: data}
	t.parsed = t.starts(true)
	t.lines = t.parsed
	if bytes.Contains(data, []byte("\u0085")) || bytes.Contains(data, []byte("\u2028")) || bytes.Contains(data, []byte("\u2029")) {
		t.lines = t.starts(false)
	}
	return t
}

func (t *text) starts(exotic bool) []int {
	lines := make([]int, 1, 1+bytes.Count(t.data, []byte{'\n'}))
	if bytes.HasPrefix(t.data, []byte("\ufeff")) {
		lines[0] = len("\ufeff") // a leading mark takes no column
	}
	for i := 0; i < len(t.data); {
		n := 0
		if lineBreaks[t.data[i]] {
			n = lineBreak(t.data[i:])
		}
		i += max(n, 1)
		if n > 0 && (exotic || t.data[i-1] == '\n' || t.data[i-1] == '\r') {
			lines = append(lines, i)
		}
	}
	return lines
}

// lineBreaks are the bytes that a line break begins with.
var lineBreaks = [256]bool{'\n': true, '\r': true, 0xc2: true, 0xe2: true}

// lineBreak returns the length of the line break that data starts with: CR LF,
// CR, LF, and YAML 1.1's NEL, LS and PS. It is 0 where there is none.
func lineBreak(data []byte) int {
	switch {
	case data[0] == '\n':
		return 1
	case data[0] == '\r':
		if len(data) > 1 && data[1] == '\n' {
			return 2
		}
		return 1
	case data[0] == 0xc2 && len(data) > 1 && data[1] == 0x85:
		return 2
	case data[0] == 0xe2 && len(data) > 2 && data[1] == 0x80 && (data[2] == 0xa8 || data[2] == 0xa9):
		return 3
	}
	return 0
}

// offset returns where the parser's line and column, counted from 1 and in
// runes, are in the bytes. Past the end of a line it gives the end of the text at most.
func (t *text) offset(line, column int) int {
	if line < 1 {
		return 0
	}
	if line > len(t.parsed) {
		return len(t.data)
	}
	at := t.parsed[line-1]
	for range column - 1 {
		if at >= len(t.data) {
			break
		}
		_, n := utf8.DecodeRune(t.data[at:])
		at += n
	}
	return at
}

// position is the place of a byte as an editor shows it.
func (t *text) position(at int) finding.Position {
	lo, hi := 0, len(t.lines)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; t.lines[mid] <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
	start := min(t.lines[lo], at)
	return finding.Position{Line: lo + 1, Column: utf8.RuneCount(t.data[start:at]) + 1}
}

func (t *text) span(from, to int) finding.Span {
	return finding.Span{File: t.path, Start: t.position(from), End: t.position(to)}
}

// lineEnd is the end of the line that at lies in, without its break.
func (t *text) lineEnd(at int) int {
	for at < len(t.data) && lineBreak(t.data[at:]) == 0 {
		at++
	}
	return at
}
