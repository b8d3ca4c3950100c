package secrets

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An edit replaces a stretch of bytes by one line of text. The line breaks that
// it covers are kept behind it, so every line keeps its number.
type edit struct {
	extent
	with string
}

// apply makes all edits, as settle chooses them.
func apply(data []byte, edits []edit) []byte {
	var out bytes.Buffer
	out.Grow(len(data))
	at := 0
	for _, e := range settle(edits) {
		with, kept := e.replacement(data)
		out.Write(data[at:e.from])
		out.WriteString(with)
		out.Write(kept)
		at = e.to
	}
	out.Write(data[at:])
	return out.Bytes()
}

// settle returns the edits that are made, in order. Where two overlap, the one
// that starts first wins and swallows the other.
func settle(edits []edit) []edit {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b edit) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	at := 0
	return slices.DeleteFunc(sorted, func(e edit) bool {
		if e.from < at {
			return true
		}
		at = e.to
		return false
	})
}

// replacement is what an edit puts in place of its bytes: the text, and the line
// breaks that it keeps.
func (e edit) replacement(data []byte) (with string, kept []byte) {
	if with, whole := strings.CutSuffix(e.with, wholeMark); whole {
		return with, nil
	}
	return e.with, breaks(data[e.from:e.to])
}

// breaks returns the line breaks of a stretch of bytes, one after the other.
func breaks(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data); {
		n := lineBreak(data[i:])
		out = append(out, data[i:i+n]...)
		i += max(n, 1)
	}
	return out
}

// rewrite gives the edit that sets a string scalar to value. The scalar keeps
// its quotes; a block scalar becomes a plain one. A value that a plain scalar
// cannot hold is quoted.
func rewrite(n *yaml.Node, e extent, value string) edit {
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0 && !strings.Contains(value, "\n"):
		return edit{e, "'" + strings.ReplaceAll(value, "'", "''") + "'"}
	case n.Style&yaml.DoubleQuotedStyle != 0, !isPlainSafe(value):
		return edit{e, quoteJSON(value)}
	}
	return edit{e, value}
}

// isPlainSafe reports whether value reads back as the same string wherever a
// plain scalar may stand. It is deliberately narrow.
func isPlainSafe(value string) bool {
	for _, c := range []byte(value) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			continue
		}
		if !strings.ContainsRune("._=/-", rune(c)) {
			return false
		}
	}
	return value != "" && strings.ContainsAny(value[:1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") &&
		(strings.Contains(value, sealedPrefix) || strings.Contains(value, plainPrefix))
}

// quoteJSON writes a string as JSON, which is a double-quoted YAML scalar too.
func quoteJSON(value string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return `""`
	}
	return strings.TrimSuffix(out.String(), "\n")
}
