package report

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// htmlPlace is file:line:column, with a link where the file can be read.
type htmlPlace struct{ Text, Link string }

// htmlLine is one line of a source frame; Marked is the part that is meant.
type htmlLine struct {
	Number                int
	Before, Marked, After string
	Meant                 bool
}

// place links a span of the snapshot; of another commit the link would be wrong.
func (h *htmlWriter) place(at finding.Span, commit string) htmlPlace {
	p := htmlPlace{Text: clip(at.String(), maxHTMLText)}
	address := h.link + "/" + percent(at.File)
	if h.link == "" || at.File == "" || commit != "" || len(address) > maxLink {
		return p
	}
	if at.Start.Line > 0 {
		address += fmt.Sprintf("#L%d", at.Start.Line)
	}
	p.Link = address
	return p
}

// frame shows the masked line of a span and its neighbours.
func (h *htmlWriter) frame(at finding.Span) []htmlLine {
	lines := (&printer{opts: h.opts}).source(at)
	if lines == nil {
		return nil
	}
	var out []htmlLine
	const around = 2
	for n := max(at.Start.Line-around, 1); n <= min(at.Start.Line+around, len(lines)); n++ {
		line := htmlLine{Number: n}
		if n == at.Start.Line {
			line.Meant = true
			line.Before, line.Marked, line.After = marked(lines[n-1], at.Start.Column, endColumn(at))
		} else {
			line.Before, _ = frame(lines[n-1], 1, 1, " ")
		}
		out = append(out, line)
	}
	return out
}

// marked splits a line at the span from start to end, as [frame] underlines it.
func marked(line string, start, end int) (before, mid, after string) {
	cs := cells(line)
	from, to := clamp(cs, start, end)
	first, last := window(cs, from, to)
	to = max(min(to, last), from)
	if to == from && to < last {
		to++ // a place between two characters is drawn on the one after it
	}
	if before = text(cs[first:from]); first > 0 {
		before = ellipsis + before
	}
	if mid = text(cs[from:to]); mid == "" {
		mid = " " // behind the end of the line
	}
	if after = strings.TrimRight(text(cs[to:last]), " "); last < len(cs) {
		after += ellipsis
	}
	return before, mid, after
}
