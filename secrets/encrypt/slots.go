package encrypt

import (
	"bytes"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// A stretch is a part of a text, in bytes.
type stretch struct{ from, to int }

// An edit replaces a stretch.
type edit struct {
	stretch
	with string
}

// apply makes edits, none of which overlap.
func apply(data []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		out.Write(data[at:e.from])
		out.WriteString(e.with)
		at = e.to
	}
	out.Write(data[at:])
	return out.Bytes()
}

// A slot is the place of a leaf in a text, and how a ciphertext is written
// there.
type slot struct {
	stretch
	quote   string    // written on both sides of the ciphertext
	more    []stretch // further lines of the value, which go away
	comment string    // of a comment: its text
	span    finding.Span
	refused string // why the place cannot take a ciphertext, if it cannot

	origin any  // what the value is written as; the same for all its copies
	copied bool // the value is written elsewhere, and an alias leads to it
}

// edits puts a ciphertext into the slot.
func (s slot) edits(ciphertext string) []edit {
	out := []edit{{s.stretch, s.quote + ciphertext + s.quote}}
	for _, m := range s.more {
		out = append(out, edit{m, ""})
	}
	return out
}

// A page maps the positions of a finding.Span to bytes: lines end at LF, CR LF
// and CR, columns count runes.
type page struct {
	data   []byte
	starts []int
}

const bom = "\ufeff"

func newPage(data []byte) page {
	p := page{data: data, starts: []int{0}}
	if bytes.HasPrefix(data, []byte(bom)) {
		p.starts[0] = len(bom)
	}
	for i, c := range data {
		if c == '\n' || c == '\r' && (i+1 == len(data) || data[i+1] != '\n') {
			p.starts = append(p.starts, i+1)
		}
	}
	return p
}

func (p page) offset(at finding.Position) int {
	start := p.starts[min(at.Line, len(p.starts))-1]
	for i := range string(p.data[start:]) {
		if at.Column--; at.Column == 0 {
			return start + i
		}
	}
	return len(p.data)
}

// lineEnd is the end of the line that at lies in, without its break.
func (p page) lineEnd(at int) int {
	if i := bytes.IndexAny(p.data[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(p.data)
}

// nextLine is the start of the line after the one that ends at end.
func (p page) nextLine(end int) int {
	switch {
	case end >= len(p.data):
		return len(p.data)
	case p.data[end] == '\r' && end+1 < len(p.data) && p.data[end+1] == '\n':
		return end + 2
	}
	return end + 1
}

// newline is the line break that a text uses.
func newline(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lines breaks a block into its lines.
func lines(block []byte) []string {
	return strings.Split(strings.TrimSuffix(string(block), "\n"), "\n")
}
