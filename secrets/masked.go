package secrets

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// Hide remembers places that only a render showed to hold secrets, so that
// [Sealed.Masked] hides them. [Sealed.CheckRendered] does so by itself; a verdict
// that was kept needs it to be done again.
func (s *Sealed) Hide(places ...finding.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range places {
		if at.File != "" && at.Start.Line > 0 {
			s.hidden[at.File] = append(s.hidden[at.File], at)
		}
	}
}

// scannedFile reports whether the bytes of a file show secret material of a rule.
func (s *Sealed) scannedFile(path, rule string) bool {
	if path == "" {
		return false
	}
	data, _, err := s.read(path)
	return err == nil && slices.ContainsFunc(scan(toUTF8(data)), func(h hit) bool { return h.rule == rule })
}

// Masked returns the lines of a file as they may be printed: eight dots for
// every plaintext secret, whatever its length, and ENC[…] for every ciphertext.
// Every line stays at its number. Comments beside secrets are hidden too: that
// is where the value of yesterday stands. Of a file that should be YAML and does
// not parse, only keys are left. It is nil for a file that cannot be
// read.
func (s *Sealed) Masked(path string) []string {
	data, sh, err := s.read(path)
	if err != nil || data == nil {
		return nil
	}
	data = toUTF8(data)
	if source.IsYAML(path) && (sh == nil || !sh.parsed) {
		if _, err := source.Parse(path, data); err != nil {
			return lines(roughMask(string(data)))
		}
	}
	var edits []edit
	if sh != nil {
		edits = append(edits, sh.masks()...)
		for _, e := range sh.exposed {
			edits = append(edits, maskOf(data, e.extent))
		}
	}
	for _, h := range scan(data) {
		edits = append(edits, maskOf(data, h.extent))
	}
	for _, e := range slices.Concat(beside(data), s.hiddenIn(newText(path, data))) {
		edits = append(edits, maskOf(data, e))
	}
	masked := string(apply(data, mergeMasks(data, edits)))
	if len(edits) > 0 {
		masked = comment.ReplaceAllString(masked, "$1# "+dots)
	}
	return lines(shortEnc.ReplaceAllString(masked, "ENC[…]"))
}

// masks turns the edits that seal a file into edits that hide it.
func (s *sheet) masks() []edit {
	var out []edit
	for _, e := range s.bare {
		out = append(out, maskOf(s.data, e))
	}
	for _, e := range s.edits {
		original := s.data[e.from:e.to]
		switch {
		case strings.HasSuffix(e.with, wholeMark):
			if s.format == "" {
				return []edit{maskOf(s.data, e.extent)}
			}
		case e.with == "" || wholeEnc.Match(original):
			// sops blocks are public, ciphertexts are shortened as text
		case strings.ContainsRune(e.with, '='):
			key, _, _ := strings.Cut(strings.TrimLeft(e.with, `"'`), "=")
			out = append(out, edit{e.extent, key + "=" + dots})
		default:
			out = append(out, maskOf(s.data, e.extent))
		}
	}
	return out
}

var (
	comment    = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	shortEnc   = regexp.MustCompile(`ENC\[AES256_GCM,[^\]\n]*\]`)
	wholeEnc   = regexp.MustCompile(`^["']?ENC\[AES256_GCM,[^\]\n]*\]["']?$`)
	blockStart = regexp.MustCompile(`^[|>][-+0-9]*[^\n]*`)
)

// maskOf hides a stretch. A block scalar keeps its indicator and its lines; of
// every other stretch each line shows dots.
func maskOf(data []byte, e extent) edit {
	text := string(data[e.from:e.to])
	head, body, multi := strings.Cut(text, "\n")
	if !multi {
		return edit{e, dots}
	}
	var out strings.Builder
	if blockStart.MatchString(head) {
		out.WriteString(blockStart.FindString(head))
	} else {
		out.WriteString(dots)
	}
	for line := range strings.SplitSeq(body, "\n") {
		out.WriteByte('\n')
		if trimmed := strings.TrimLeft(line, " \t"); strings.TrimSpace(trimmed) != "" {
			out.WriteString(line[:len(line)-len(trimmed)] + dots)
		}
	}
	return edit{e, out.String() + wholeMark}
}

// mergeMasks joins masks that overlap into the one that covers both, so that no
// end of a secret is left.
func mergeMasks(data []byte, edits []edit) []edit {
	slices.SortFunc(edits, func(a, b edit) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	var out []edit
	for _, e := range edits {
		if n := len(out); n > 0 && e.from < out[n-1].to {
			if e.to > out[n-1].to {
				out[n-1] = maskOf(data, extent{out[n-1].from, e.to})
			}
			continue
		}
		out = append(out, e)
	}
	return out
}

func lines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

var roughLine = regexp.MustCompile(`^(\s*(?:- +)*(?:["']?[\w./~-]+["']?\s*[:=]))(?:\s.*|$)`)

// roughMask leaves of each line only what cannot be a value: its indentation, a
// key, a document separator.
func roughMask(text string) string {
	out := strings.Split(text, "\n")
	for i, line := range out {
		trimmed := strings.TrimSpace(line)
		switch m := roughLine.FindStringSubmatch(line); {
		case trimmed == "" || trimmed == "---" || trimmed == "...":
		case m != nil && strings.TrimSpace(line[len(m[1]):]) == "":
		case m != nil && roughPublic.MatchString(line):
		case m != nil:
			out[i] = m[1] + " " + dots
		default:
			out[i] = line[:len(line)-len(strings.TrimLeft(line, " \t"))] + dots
		}
	}
	return strings.Join(out, "\n")
}

// roughPublic fits the lines that say what an object is.
var roughPublic = regexp.MustCompile(`^\s*(?:- )?"?(?:apiVersion|kind|name|namespace)"?\s*:\s*"?[A-Za-z0-9./-]{1,63}"?,?\s*$`)

// hiddenIn returns the places of a file that only the render showed to be
// secret: from each to the end of its line, with the deeper lines below.
func (s *Sealed) hiddenIn(t *text) []extent {
	s.mu.Lock()
	spans := slices.Clone(s.hidden[t.path])
	s.mu.Unlock()
	var out []extent
	for _, span := range spans {
		from, ok := t.at(span.Start)
		if !ok {
			continue
		}
		line := t.lines[span.Start.Line-1]
		depth, end := t.indent(line), t.lineEnd(from)
		for next := t.nextLine(end); next < len(t.data); next = t.nextLine(t.lineEnd(next)) {
			stop := t.lineEnd(next)
			blank := strings.TrimSpace(string(t.data[next:stop])) == ""
			if !blank && t.indent(next) <= depth {
				break
			}
			if !blank {
				end = stop
			}
		}
		out = append(out, extent{from, end})
	}
	return out
}

// indent counts the blanks that a line starts with.
func (t *text) indent(line int) int {
	at := line
	for at < len(t.data) && t.data[at] == ' ' {
		at++
	}
	return at - line
}
