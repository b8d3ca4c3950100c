package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// minPart is the shortest part of a token that is found. Of random text of a
// million characters, one part in 10^8 looks like a given one.
const minPart = 12

// A partIndex finds parts of tokens: every stretch of minPart digits of each.
type partIndex map[string]*value

// newPartIndex takes the tokens in order, so that a shared part names the same
// value in every run.
func newPartIndex(tokens map[string]*value) partIndex {
	index := make(partIndex, len(tokens)*(tokenDigits-minPart+1))
	keys := make([]string, 0, len(tokens))
	for token := range tokens {
		keys = append(keys, token)
	}
	slices.Sort(keys)
	for _, token := range keys {
		digits := token[len(sealedPrefix):]
		for i := 0; i+minPart <= len(digits); i++ {
			if part := digits[i : i+minPart]; index[part] == nil {
				index[part] = tokens[token]
			}
		}
	}
	return index
}

// find looks for a token or a part of one in a text: as it is, in another case,
// and once encoded in base64 or hexadecimal, from any character on. It returns
// the value where it is known; part is true where text only looks like a token,
// which sealing never wrote here.
func (c *course) find(text string) (v *value, part bool) {
	if len(text) < minPart {
		return nil, false
	}
	if v = c.parts.in(text); v != nil {
		return v, true
	}
	if forged(text) {
		return nil, true
	}
	if len(c.parts) == 0 {
		return nil, false
	}
	for _, decoded := range decodings(text) {
		if v = c.parts.in(decoded); v != nil || forged(decoded) {
			return v, true
		}
	}
	return nil, false
}

// forged reports whether a text holds something in the form of a token.
func forged(text string) bool {
	return plantedToken([]byte(text)) >= 0
}

// in looks for parts in the stretches of hexadecimal digits of a text.
func (p partIndex) in(text string) *value {
	if len(p) == 0 {
		return nil
	}
	for i := 0; i < len(text); {
		from := i
		for i < len(text) && isHex(text[i]) {
			i++
		}
		run := text[from:i]
		i++
		if len(run) < minPart {
			continue
		}
		run = strings.ToLower(run)
		for j := 0; j+minPart <= len(run); j++ {
			if v := p[run[j:j+minPart]]; v != nil {
				return v
			}
		}
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// decodings returns what stretches of a text are as base64, standard and
// URL-safe, and as hexadecimal, from each possible first character on.
func decodings(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		from := i
		for i < len(text) && (isAlnum(text[i]) || strings.IndexByte("+/-_\n", text[i]) >= 0) {
			i++
		}
		if i-from >= minPart*4/3 {
			run := standard.Replace(text[from:i])
			for skip := range min(4, len(run)) {
				out = append(out, decode64(run[skip:]))
			}
		}
		i++
	}
	return append(out, decodeHex(text)...)
}

var standard = strings.NewReplacer("-", "+", "_", "/", "\n", "")

// decode64 decodes the whole quanta of a stretch.
func decode64(run string) string {
	out, err := base64.RawStdEncoding.DecodeString(run[:len(run)/4*4])
	if err != nil {
		return ""
	}
	if tail := run[len(run)/4*4:]; len(tail) > 1 {
		if rest, err := base64.RawStdEncoding.DecodeString(tail); err == nil {
			out = append(out, rest...)
		}
	}
	return string(out)
}

func decodeHex(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		from := i
		for i < len(text) && isHex(text[i]) {
			i++
		}
		for skip := range 2 {
			if run := text[min(from+skip, i):i]; len(run) >= 2*minPart {
				decoded, err := hex.DecodeString(run[:len(run)/2*2])
				if err == nil {
					out = append(out, string(decoded))
				}
			}
		}
		i++
	}
	return out
}
