package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// unparsed handles a file that no YAML parser reads, or may read. What looks like
// a Secret is judged line by line, whatever the file is called. Under a name that
// says YAML the file is refused as well: kustomize's error would quote it. Under
// any other name a generator may still take the bytes, and the render is checked
// for what they hold.
func (s *sheet) unparsed(err error) {
	var parse *source.Error
	if !errors.As(err, &parse) {
		return
	}
	found := s.roughSecrets(0, len(s.data))
	if !source.IsYAML(s.path) {
		return
	}
	if s.repaired(parse) {
		found = true
	}
	if !found && !bytes.Contains(s.data, []byte("ENC[AES256_GCM")) {
		return
	}
	rule := "render-error"
	if parse.Unsafe {
		rule = "yaml-unsafe"
	}
	s.refuse(rule, parse.Span.Start, parse.Message)
}

// maxRepairs bounds how many mistakes of one file are looked past.
const maxRepairs = 3

// repaired judges a broken file as it would be without its mistakes, so that a
// stray bracket at the end hides nothing of what is above it. Every byte keeps its
// place. It reports whether anything is secret.
func (s *sheet) repaired(parse *source.Error) bool {
	data := printable(s.data)
	for range maxRepairs {
		f, err := source.Parse(s.path, data)
		if err == nil {
			return s.second(f, data)
		}
		if !errors.As(err, &parse) || parse.Span.Start.Line == 0 || parse.Span.Start.Line > len(s.lines) {
			return false
		}
		line := s.lines[parse.Span.Start.Line-1]
		blankOut(data[line:s.lineEnd(line)])
	}
	return false
}

// printable returns a copy in which what YAML does not allow, and directives, are
// something else of the same length.
func printable(data []byte) []byte {
	out := []byte(string(bytes.ToValidUTF8(data, nil)))
	if len(out) != len(data) {
		out = slices.Clone(data)
		for i, c := range out {
			if c >= 0x80 {
				out[i] = '?'
			}
		}
	}
	for i, c := range out {
		switch {
		case c < ' ' && c != '\n' && c != '\r' && c != '\t', c == 0x7f:
			out[i] = '?'
		case c == '%' && (i == 0 || out[i-1] == '\n'):
			out[i] = '#'
		}
	}
	return out
}

func blankOut(line []byte) {
	for i := range line {
		line[i] = ' '
	}
}

// second takes over what a repaired copy of the file shows and this one does not
// yet. Nothing of it is sealed: the file is refused.
func (s *sheet) second(f *source.File, data []byte) bool {
	copied := &sheet{text: newText(s.path, data)}
	root := &layer{text: copied.text, sheet: copied, span: f.Span, what: valuesIn(s.path, f)}
	root.documents(f, nil)
	told := map[int]bool{}
	for _, e := range s.exposed {
		told[e.finding.Location.Start.Line] = true
	}
	found := false
	for _, e := range copied.exposures() {
		if found = true; !told[e.finding.Location.Start.Line] {
			s.exposed = append(s.exposed, e)
		}
	}
	return found
}

// exposures returns everything secret in the open that a sheet found, as findings
// with the stretches that must not be shown.
func (s *sheet) exposures() []exposed {
	out := slices.Clone(s.exposed)
	for _, v := range s.values {
		if v.rule != "" {
			out = append(out, exposed{s.extentOf(v.span), v.finding()})
		}
	}
	for _, e := range s.edits {
		if e.with != "" { // hidden, also where nothing is reported
			out = append(out, exposed{extent: e.extent})
		}
	}
	return slices.Concat(out)
}

// extentOf turns a span of this text back into bytes.
func (t *text) extentOf(span finding.Span) extent {
	from, ok := t.at(span.Start)
	if !ok {
		return extent{}
	}
	to, ok := t.at(span.End)
	if !ok || to < from {
		to = t.lineEnd(from)
	}
	return extent{from, to}
}

// A roughEntry is one value of a Secret in text that is not parsed.
type roughEntry struct {
	field string // data or stringData
	key   string
	value extent // with quotes; of a block, from its indicator to its last line
	text  string // without quotes
}

// roughSecrets finds the values of Secrets in text that does not parse: a
// truncated manifest, a template, a manifest inside a Markdown fence or a shell
// script. from and to bound it. It reports whether any Secret is there.
func (s *sheet) roughSecrets(from, to int) bool {
	return s.rough(from, to, func(int) bool { return true })
}

// roughComments finds the values of Secrets that are commented out, in a file that
// parses.
func (s *sheet) roughComments() {
	s.rough(0, len(s.data), s.inComment)
}

func (s *sheet) rough(from, to int, judged func(at int) bool) bool {
	kinds := roughKinds(s.data[:to], from)
	var entries []roughEntry
	var page *roughPage
	for _, at := range kinds {
		if !judged(at) {
			continue
		}
		if found := s.roughFlow(at, from, to); len(found) > 0 {
			entries = append(entries, found...)
			continue
		}
		if page == nil {
			page = s.newRoughPage(from, to)
		}
		entries = append(entries, page.around(at)...)
	}
	slices.SortStableFunc(entries, func(a, b roughEntry) int { return a.value.from - b.value.from })
	last := -1
	for _, e := range entries {
		if e.value.from != last {
			s.roughValue(e)
		}
		last = e.value.from
	}
	return len(kinds) > 0
}

// roughKinds returns where the kinds of Secrets are written, from a place on. The
// expression sees only what is around the word.
func roughKinds(data []byte, from int) []int {
	var out []int
	for at := from; len(out) < maxRough; {
		i := bytes.Index(data[at:], []byte("Secret"))
		if i < 0 {
			break
		}
		word := at + i
		at = word + len("Secret")
		start := max(from, word-maxMargin)
		k := bytes.LastIndex(data[start:word], []byte("kind"))
		if k < 0 {
			continue
		}
		for k += start; k > start && (data[k-1] == '"' || data[k-1] == '\'' || data[k-1] == '\\'); {
			k--
		}
		if m := roughKind.FindIndex(data[k:min(at+maxMargin, len(data))]); m != nil && m[0] == 0 && k+m[1] >= at {
			out = append(out, k)
		}
	}
	return out
}

// maxRough bounds how many Secrets of one text are read line by line: a bundle of
// manifests parses.
const maxRough = 1000

func (s *sheet) roughValue(e roughEntry) {
	if isEnc(e.text) || isReferenceIn(e.field, e.text) || isPublic(e.field, e.text) || isTemplated(e.text) || e.text == "null" || e.text == "~" {
		return
	}
	if s.isProse(e.value.from) && (isStandIn(e.text) || e.field == "data" && isStandIn(decoded(e.text)) || isFilledIn(e.text)) {
		return
	}
	end := e.value.to
	if stop := s.lineEnd(e.value.from); stop < end {
		end = min(e.value.from+1, stop) // the indicator of a block
	}
	s.exposed = append(s.exposed, exposed{e.value, finding.Finding{
		Rule: rulePlaintext, Severity: finding.Error, Help: helpEncrypt,
		Message: fmt.Sprintf("Secret value %q is committed in plaintext", e.key),
		Object:  &finding.Object{APIVersion: "v1", Kind: "Secret"}, Pointer: source.Pointer(e.field, e.key),
		Location: s.span(e.value.from, end),
	}})
}

// isProse reports whether the text at a place explains or makes manifests rather
// than being one: it is in a comment, or in a file that is not called YAML. There
// "changeme" is what a reader is told to replace.
func (s *sheet) isProse(at int) bool { return !source.IsYAML(s.path) || s.inComment(at) }

func (s *sheet) inComment(at int) bool {
	line := s.data[:at]
	line = bytes.TrimLeft(line[bytes.LastIndexByte(line, '\n')+1:], " \t")
	return len(line) > 0 && line[0] == '#'
}
