package source

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// textProblem is a problem of the bytes [start, end) of a file; both are 0
// where it is about the file as a whole.
type textProblem struct {
	start, end int
	message    string
}

// Classes of bytes, for one table look-up per byte.
const (
	plainByte   = iota
	tokenByte   // may begin a node
	breakByte   // line feed
	wideByte    // begins a multi-byte rune
	controlByte // no YAML parser accepts it
)

// classes sorts all bytes. YAML 1.2.2 section 5.1 lists the printable ones.
func classes() (t [256]uint8) {
	for i := range t {
		switch {
		case i >= 0x80:
			t[i] = wideByte
		case i < 0x20 && i != '\t' && i != '\r' || i == 0x7f:
			t[i] = controlByte
		}
	}
	for _, c := range []byte(",[]{}:-?\r") {
		t[c] = tokenByte
	}
	t['\n'] = breakByte
	return t
}

// checkText looks at the bytes of a file without parsing them: its size and
// encoding, characters that YAML forbids, how many nodes it could hold, and
// lines that YAML parsers and kustomize read differently.
func checkText(data []byte) (textProblem, bool) {
	if len(data) > MaxSize {
		return textProblem{message: fmt.Sprintf("larger than %d MiB", MaxSize>>20)}, true
	}
	if p, bad := checkEncoding(data); bad {
		return p, true
	}
	return checkRunes(data)
}

// checkEncoding recognises UTF-16 and UTF-32, with or without a byte order mark.
// YAML allows them, and parsers disagree on them: yaml.v3 decodes UTF-16 but
// whatever looks for text in the bytes sees none.
func checkEncoding(data []byte) (textProblem, bool) {
	head := data[:min(4, len(data))]
	name := ""
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		name = "UTF-32"
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		name = "UTF-16"
	case len(head) == 4 && head[0] == 0 && head[1] == 0 && head[2] == 0 && head[3] != 0,
		len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] == 0 && head[3] == 0:
		name = "UTF-32"
	case len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0,
		len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		name = "UTF-16"
	default:
		return textProblem{}, false
	}
	return textProblem{message: "encoded as " + name + ", not as UTF-8", start: 0, end: 1}, true
}

// checkRunes walks the text once.
func checkRunes(data []byte) (textProblem, bool) {
	class := classes()
	tokens, directives := 0, 0
	for i := 0; i < len(data); {
		switch class[data[i]] {
		case plainByte:
			i++
			continue
		case controlByte:
			return textProblem{i, i + 1, fmt.Sprintf("control character U+%04X, which YAML does not allow", data[i])}, true
		case wideByte:
			r, size := utf8.DecodeRune(data[i:])
			if message := wideProblem(r, size); message != "" {
				return textProblem{i, i + 1, message}, true
			}
			i += size
			continue
		case breakByte:
			if p, bad := checkLineStart(data, i+1); bad {
				return p, true
			}
		}
		if i == 0 && data[0] == '%' || data[i] < ' ' && i+1 < len(data) && data[i+1] == '%' {
			directives++
		}
		tokens++
		if tokens > MaxTokens {
			return textProblem{i, i + 1, fmt.Sprintf("more than %d nodes may follow from the punctuation up to here", MaxTokens)}, true
		}
		if directives > MaxDirectives {
			return textProblem{i, i + 1, fmt.Sprintf("more than %d directives", MaxDirectives)}, true
		}
		i++
	}
	return textProblem{}, false
}

func wideProblem(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size <= 1:
		return "not valid UTF-8"
	case r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
		return fmt.Sprintf("control character U+%04X, which YAML does not allow", r)
	}
	return ""
}

// checkLineStart refuses the one line that YAML takes for text and kustomize
// for a document separator: three dashes directly followed by a comment sign.
// kustomize splits the text before it parses, with the regular expression
// `\n---.*\n`, so a document could hide inside what every YAML parser, and so
// this check, sees as the value of a string.
func checkLineStart(data []byte, start int) (textProblem, bool) {
	rest := data[start:]
	if !bytes.HasPrefix(rest, []byte("---")) {
		return textProblem{}, false
	}
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		return textProblem{}, false
	}
	after := rest[3:end]
	text := bytes.TrimSpace(after)
	if len(text) == 0 || text[0] != '#' || after[0] == ' ' || after[0] == '\t' {
		return textProblem{}, false
	}
	return textProblem{start, start + 3, "kustomize splits documents here and YAML does not: put a space after ---"}, true
}
