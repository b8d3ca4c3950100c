package diff

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Dots stand for a sealed value, whatever its length.
const Dots = "••••••••"

// changedDots stand for a sealed value that is not what it was.
const changedDots = Dots + " (changed)"

// marks begin what must never be printed: tokens of the seal and ciphertexts, as
// they are and in base64 from any byte on.
var marks = encodings("sopsTok0", "plainTok", "ENC[AES256_GCM")

func encodings(marks ...string) []string {
	out := marks
	for _, mark := range marks {
		for pad := range 3 {
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", pad) + mark))
			// Only the digits that no neighbouring byte has a part in.
			out = append(out, encoded[(pad*8+5)/6:(pad+len(mark))*8/6])
		}
	}
	return out
}

// looksSealed reports whether a text holds a token or a ciphertext.
func looksSealed(text string) bool {
	if strings.ContainsAny(text, " \n") { // base64 may be broken into lines
		if holdsMark(strings.Join(strings.Fields(text), "")) {
			return true
		}
	}
	return holdsMark(text)
}

func holdsMark(text string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) })
}

// scrub returns a name for printing.
func scrub(name string) string {
	if looksSealed(name) {
		return Dots
	}
	return name
}

func scrubObject(o finding.Object) finding.Object {
	return finding.Object{
		APIVersion: scrub(o.APIVersion), Kind: scrub(o.Kind),
		Namespace: scrub(o.Namespace), Name: scrub(o.Name),
	}
}

// isSecret reports whether an object is one whose values are never shown.
func isSecret(o finding.Object) bool { return o.Kind == "Secret" && group(o) == "" }

// sealed reports whether the value at a path of an object is never shown.
func (s *State) sealed(o finding.Object, at []string, value any) bool {
	if isSecret(o) && len(at) > 1 && holdsValues(at[0]) {
		return true
	}
	if _, ok := s.Secrets[At{o, pointer(at...)}]; ok {
		return true
	}
	text, ok := value.(string)
	return ok && looksSealed(text)
}

// same reports whether two sealed values are equal.
func same(old, now *State, oldAt, newAt At, a, b any) bool {
	x, y := old.Secrets[oldAt], now.Secrets[newAt]
	if x != "" && y != "" {
		return x == y
	}
	return equal(a, b)
}

// masked returns a copy of a value in which nothing sealed is left.
func (s *State) masked(o finding.Object, at []string, value any) any {
	if s.sealed(o, at, value) {
		return Dots
	}
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, item := range value {
			out[scrub(key)] = s.masked(o, below(at, key), item)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = s.masked(o, below(at, strconv.Itoa(i)), item)
		}
		return out
	}
	if isSecret(o) && len(at) == 1 && holdsValues(at[0]) {
		return Dots // no mapping, and still what a Secret holds
	}
	return value
}

func holdsValues(field string) bool { return field == "data" || field == "stringData" }

// below appends to a path without sharing its memory.
func below(at []string, token string) []string { return append(at[:len(at):len(at)], token) }
