package secrets

import (
	"bytes"
	"strings"
)

// Age identities are found however their text is laid out: over lines that YAML
// folds or a string continues, in pieces that a program joins, behind escapes, in
// hexadecimal. Their checksum (BIP 173) tells real ones from examples.

const (
	nativeKey = "AGE-SECRET-KEY-"
	pluginKey = "AGE-PLUGIN-"
	// nativeData is how many characters of an X25519 or post-quantum identity
	// follow the separator: 32 bytes and the checksum.
	nativeData = 58
	// maxIdentity bounds an identity: those of plugins hold some 100 bytes.
	maxIdentity = 1024
	// maxGap is how far apart two characters of an identity may be: a line break,
	// quotes, a sign that joins strings, and the indentation.
	maxGap = 80
)

// scanAge finds age identities.
func scanAge(data []byte) []hit {
	var out []hit
	for at := 0; at < len(data); {
		i := bytes.IndexByte(data[at:], 'A')
		if i < 0 {
			break
		}
		from := at + i
		at = from + 1
		if at < len(data) && data[at] != 'G' && !isJoint(data[at]) || from > 0 && isAlnum(data[from-1]) && !wordBegins(data, from) {
			continue
		}
		if end := identityEnd(data, from); end > 0 {
			out = append(out, hit{extent{from, end}, ruleKey, "an age identity is committed: it opens every file encrypted to it"})
			at = end
		}
	}
	return out
}

// identityEnd returns where the identity that begins at a place ends, or 0.
func identityEnd(data []byte, from int) int {
	var text []byte
	for i := from; i < len(data) && len(text) < maxIdentity; {
		next := skipJoints(data, i)
		if next > i && len(text) > len(nativeKey) && isIdentity32(text) {
			return i
		}
		if i = next; i >= len(data) || i < 0 || !isIdentityByte(data[i]) {
			break
		}
		text = append(text, data[i])
		i++
		if n := len(text); n <= len(nativeKey) && !strings.HasPrefix(nativeKey, string(text)) && !strings.HasPrefix(string(text), pluginKey) && !strings.HasPrefix(pluginKey, string(text)) {
			return 0
		}
		if isNativeLength(text) && isIdentity32(text) {
			return i
		}
		if i == len(data) || !isIdentityByte(data[i]) && !isJoint(data[i]) {
			if isIdentity32(text) {
				return i
			}
			return 0
		}
	}
	return 0
}

// isIdentity32 reports whether a text is bech32 with a right checksum.
func isIdentity32(text []byte) bool {
	_, _, ok := parseBech32(string(text))
	return ok
}

func isNativeLength(text []byte) bool {
	sep := len(text) - nativeData - 1
	return sep >= len(nativeKey) && text[sep] == '1' && bytes.HasPrefix(text, []byte(nativeKey))
}

func isIdentityByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '+'
}

func isJoint(c byte) bool { return isSpace(c) || c == '\\' || c == '"' || c == '\'' || c == '`' }

// skipJoints steps over what may stand between two pieces of one text. It returns
// a negative number where that is too much.
func skipJoints(data []byte, i int) int {
	from := i
	for i < len(data) && i-from <= maxGap {
		switch c := data[i]; {
		case c == '\\' && i+1 < len(data) && strings.IndexByte("nrt", data[i+1]) >= 0:
			i += 2
		case isJoint(c), i > from && strings.IndexByte("+,.#>*|(){}&", c) >= 0:
			i++
		default:
			return i
		}
	}
	return -1
}

// unescaped returns a text in which escapes such as \u0041 are the characters that
// they stand for, and where each of its bytes was.
func unescaped(data []byte) (text []byte, at []int) {
	text, at = make([]byte, 0, len(data)), make([]int, 0, len(data)+1)
	for i := 0; i < len(data); {
		c, n := escapeAt(data[i:])
		if n == 0 {
			c, n = data[i], 1
		}
		text, at = append(text, c), append(at, i)
		i += n
	}
	return text, append(at, len(data))
}

// escapeAt returns the ASCII character that an escape stands for, and how long the
// escape is: 0 where there is none.
func escapeAt(data []byte) (c byte, n int) {
	if data[0] != '\\' || len(data) < 4 {
		return 0, 0
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[data[1]]
	if digits == 0 || len(data) < 2+digits {
		return 0, 0
	}
	value := 0
	for _, d := range data[2 : 2+digits] {
		if !isHex(d) {
			return 0, 0
		}
		value = value<<4 | hexValue(d)
	}
	if value <= ' ' || value >= 0x7f {
		return 0, 0
	}
	return byte(value), 2 + digits
}

func hexValue(c byte) int {
	switch {
	case c <= '9':
		return int(c - '0')
	case c <= 'F':
		return int(c-'A') + 10
	}
	return int(c-'a') + 10
}

// scanEscaped finds what escapes hide.
func scanEscaped(data []byte) []hit {
	if !hasLetterEscape(data) {
		return nil
	}
	text, at := unescaped(data)
	if len(text) == len(data) {
		return nil
	}
	out := scanRaw(text)
	for i := range out {
		out[i].extent = extent{at[out[i].from], at[out[i].to]}
	}
	return out
}

// hexMarks are "AGE-" and "-----BEGIN " in hexadecimal, without the last digits,
// which may be letters in either case.
var hexMarks = [][]byte{[]byte("4147452"), []byte("2d2d2d2d2d424547494"), []byte("2D2D2D2D2D424547494")}

// scanHex finds keys in hexadecimal, also with spaces, colons or line breaks
// between the digits.
func scanHex(data []byte) []hit {
	var out []hit
	for _, mark := range hexMarks {
		for at := 0; ; {
			i := bytes.Index(data[at:], mark)
			if i < 0 {
				break
			}
			from := at + i
			text, end := decodeHexAt(data, from)
			if hits := scanKeys(text); len(hits) > 0 {
				out = append(out, hit{extent{from, end}, hits[0].rule, hits[0].message + ", in hexadecimal"})
				from = end
			}
			at = max(from, at+i+len(mark))
		}
	}
	return out
}

// decodeHexAt decodes digits as far as they go, no further than a key may.
func decodeHexAt(data []byte, from int) (text []byte, end int) {
	digit, odd := 0, false
	for i := from; i < len(data) && len(text) < maxKey/16; i++ {
		switch c := data[i]; {
		case isHex(c):
			if digit, odd = digit<<4|hexValue(c), !odd; !odd {
				text = append(text, byte(digit))
			}
			end = i + 1
		case !isJoint(c) && c != ':' && c != ',':
			return text, end
		}
	}
	return text, end
}
