package decrypt

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// minLine is the shortest line of a value of several lines that is looked for
	// by itself: shorter ones are brackets and keywords of its format.
	minLine = 8
	// minPart is how many characters of the beginning of a value give it away
	// where the rest was cut off.
	minPart = 16
)

// Redactor takes decrypted values out of texts. It prints as dots.
type Redactor struct {
	opaque
	redact func(text string) string
}

// NewRedactor knows the values, and each line of those that have several.
func NewRedactor(values ...Plaintext) *Redactor {
	x := newIndex()
	for _, v := range values {
		x.addLines(v.Reveal())
	}
	x.seal()
	return &Redactor{redact: x.redact}
}

// redactor knows the values of the target's files. The lines of a file as a whole
// are not all secret: of those, only what was encrypted is looked for.
func (j *job) redactor() *Redactor {
	x := newIndex()
	for _, path := range j.paths {
		for _, v := range j.files[path].all {
			if v.key != "" {
				x.addLines(v.text.Reveal())
				continue
			}
			for _, text := range inner(v.text.Reveal()) {
				x.add(text, 0)
			}
		}
	}
	x.seal()
	return &Redactor{redact: x.redact}
}

func (x *index) addLines(text string) {
	for _, text := range inner(text) {
		x.add(text, 0)
		lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(line) >= minLine && len(lines) > 1 {
				x.add(line, 0)
			}
		}
	}
}

// Redact replaces every decrypted value in a text by eight dots: as it is, in
// base64 (standard and URL-safe, from any byte on), in hexadecimal, escaped for
// JSON, Go or a URL. Values that touch or overlap become one mask, and so does
// the beginning of a value whose rest was cut off. Values of up to three
// characters are replaced where they stand alone: within words they mean nothing.
// The same text gives the same result.
func (r *Redactor) Redact(text string) string {
	if r == nil || r.redact == nil {
		return text
	}
	return r.redact(text)
}

// stem is how many bytes of a pattern are looked up; shorter values are words.
const stem = 4

// An index finds patterns in a text, by their first bytes.
type index struct {
	patterns map[[stem]byte][]pattern
	words    []string
}

type pattern struct {
	form
	owner int
}

func newIndex() *index { return &index{patterns: map[[stem]byte][]pattern{}} }

// add takes a value in all its forms.
func (x *index) add(text string, owner int) {
	if text == "" {
		return
	}
	if len(text) < stem {
		x.words = append(x.words, text)
	}
	for _, f := range forms(text) {
		if len(f.text) >= stem {
			head := [stem]byte([]byte(f.text[:stem]))
			x.patterns[head] = append(x.patterns[head], pattern{f, owner})
		}
	}
}

// seal puts the longest patterns first.
func (x *index) seal() {
	for head, list := range x.patterns {
		slices.SortFunc(list, func(a, b pattern) int {
			return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(a.text, b.text), cmp.Compare(a.owner, b.owner))
		})
		x.patterns[head] = slices.CompactFunc(list, func(a, b pattern) bool { return a.form == b.form })
	}
	slices.Sort(x.words)
	x.words = slices.Compact(x.words)
}

// first returns the owner of the first pattern that stands whole in a text.
func (x *index) first(text string) (owner int, ok bool) {
	for i := 0; i+stem <= len(text); i++ {
		for _, p := range x.patterns[[stem]byte([]byte(text[i:i+stem]))] {
			if len(p.text) >= minLeak && strings.HasPrefix(text[i:], p.text) {
				return p.owner, true
			}
		}
	}
	return 0, false
}

// redact covers every match and writes one mask for each covered stretch.
func (x *index) redact(text string) string {
	covered := x.alone(text)
	for i := 0; i+stem <= len(text); i++ {
		if from, to, ok := x.longest(text, i); ok {
			covered = append(covered, extent{from, to})
		}
	}
	if len(covered) == 0 {
		return text
	}
	slices.SortFunc(covered, func(a, b extent) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var out strings.Builder
	end, masked := 0, false
	for _, c := range covered {
		if !masked || c.from > end {
			out.WriteString(text[end:c.from])
			out.WriteString(dots)
		}
		masked = true
		end = max(end, c.to)
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
	}
	out.WriteString(text[end:])
	return out.String()
}

type extent struct{ from, to int }

// longest returns the longest stretch from i on that a pattern covers.
func (x *index) longest(text string, i int) (from, to int, ok bool) {
	for _, p := range x.patterns[[stem]byte([]byte(text[i:i+stem]))] {
		n := common(text[i:], p.text)
		if n < len(p.text) && n < minPart || ok && i+n <= to {
			continue
		}
		from, to, ok = i, i+n, true
		if p.loose && n == len(p.text) {
			from, to = widen(text, from, to)
		}
	}
	return from, to, ok
}

// common is the length of the common beginning.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// widen takes in the characters that hold the remaining bits, and the padding.
func widen(text string, from, to int) (int, int) {
	if from > 0 && isBase64(text[from-1]) {
		from--
	}
	if to < len(text) && isBase64(text[to]) {
		to++
	}
	for to < len(text) && text[to] == '=' {
		to++
	}
	return from, to
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// alone finds the short values that are words of a text.
func (x *index) alone(text string) []extent {
	var out []extent
	for _, w := range x.words {
		for at := 0; ; {
			i := strings.Index(text[at:], w)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(w)
			before, _ := utf8.DecodeLastRuneInString(text[:from])
			after, _ := utf8.DecodeRuneInString(text[to:])
			if !isWordRune(before) && !isWordRune(after) {
				out = append(out, extent{from, to})
			}
			at = from + 1
		}
	}
	return out
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
