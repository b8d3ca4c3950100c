package cluster

import (
	"strings"
	"unicode"
)

// Redact passes a text that came from the cluster through [Options.Redact].
func (c *Cluster) Redact(text string) string { return c.redact(text) }

// OneLine makes a text of a server, a webhook or a controller fit for a line of
// a log: nothing in it begins a line, moves a cursor, hides, or is a command to
// a CI system that reads along. What is longer than limit bytes is cut; redact
// before, since half a value would not be recognised.
func OneLine(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	text = strings.ReplaceAll(text, "##[", "## [") // GitHub's runner obeys it anywhere in a line (ActionCommand.TryParse)
	if len(text) > limit {
		return cut(text, limit) + "…"
	}
	return text
}

// cut shortens a text without splitting a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xC0 == 0x80 {
		limit--
	}
	return s[:limit]
}
