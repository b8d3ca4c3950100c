package report

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	// frameColumns is how much of a source line is shown: with the gutter it
	// fits a terminal of 100 columns.
	frameColumns = 92
	// leadColumns is how much is shown before the span of a line that is cut.
	leadColumns = 24
	// tabColumns is how wide a tab is drawn.
	tabColumns = 4
	// maskRune is what the values of secrets are replaced by.
	maskRune = '•'
	// ellipsis marks where a line is cut.
	ellipsis = "…"
)

// cell is one rune of a source line as it is drawn: its text, and how many
// terminal columns that takes (0 for a combining mark, 2 for a wide character).
type cell struct {
	text  string
	width int
}

// cells splits a line so that the rune at column c is cells[c-1].
func cells(line string) []cell {
	line = strings.TrimRight(line, "\r\n")
	out := make([]cell, 0, len(line))
	for _, r := range line {
		out = append(out, draw(r))
	}
	return out
}

func draw(r rune) cell {
	switch {
	case r == '\t':
		return cell{strings.Repeat(" ", tabColumns), tabColumns}
	case hidden(r):
		text := visible(r)
		return cell{text, len(text)}
	case unicode.In(r, unicode.Mn, unicode.Me):
		return cell{string(r), 0}
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return cell{string(r), 2}
	}
	return cell{string(r), 1}
}

func columns(cs []cell) int {
	n := 0
	for _, c := range cs {
		n += c.width
	}
	return n
}

func text(cs []cell) string {
	var b strings.Builder
	for _, c := range cs {
		b.WriteString(c.text)
	}
	return b.String()
}

// frame draws one source line with start (a column from 1) to end (exclusive,
// 0 for "to the end of the line") underlined by mark. Columns outside the line
// are moved into it, since the line that is shown may be masked and so be
// shorter or longer than the one that was read.
func frame(line string, start, end int, mark string) (shown, underline string) {
	cs := cells(line)
	from, to := clamp(cs, start, end)
	first, last := window(cs, from, to)
	prefix, suffix := "", ""
	if first > 0 {
		prefix = ellipsis
	}
	if last < len(cs) {
		suffix = ellipsis
	}
	to = max(min(to, last), from)
	shown = prefix + text(cs[first:last]) + suffix
	lead := utf8.RuneCountInString(prefix) + columns(cs[first:from])
	underline = strings.Repeat(" ", lead) + strings.Repeat(mark, max(columns(cs[from:to]), 1))
	return strings.TrimRight(shown, " "), underline
}

// clamp turns columns into indices of cs, widened to the whole of a masked
// value: the length of a mask says nothing about the length of the value, so
// its underline must not either.
func clamp(cs []cell, start, end int) (from, to int) {
	from = min(max(start-1, 0), len(cs))
	to = end - 1
	if end <= 0 || to > len(cs) {
		to = len(cs)
	}
	to = max(to, from)
	masked := func(i int) bool { return i >= 0 && i < len(cs) && cs[i].text == string(maskRune) }
	if from == len(cs) && masked(from-1) {
		from--
	}
	if !masked(from) {
		return from, to
	}
	for masked(from - 1) {
		from--
	}
	to = from
	for masked(to) {
		to++
	}
	return from, to
}

// window returns the part cs[first:last] of a line that is shown: all of it
// where it fits, else frameColumns around the span that begins at from.
func window(cs []cell, from, to int) (first, last int) {
	if columns(cs) <= frameColumns {
		return 0, len(cs)
	}
	first = from
	for lead := 0; first > 0 && lead+cs[first-1].width <= leadColumns; first-- {
		lead += cs[first-1].width
	}
	last = first
	for used := 0; last < len(cs) && used+cs[last].width <= frameColumns; last++ {
		used += cs[last].width
	}
	// Near the end of the line there is room to show more before the span.
	for first > 0 && columns(cs[first-1:last]) <= frameColumns {
		first--
	}
	for first < from && cs[first].width == 0 {
		first++ // a combining mark without its letter would attach to the ellipsis
	}
	return first, last
}
