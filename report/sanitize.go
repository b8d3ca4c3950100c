package report

import (
	"fmt"
	"strings"
	"unicode"
)

// Sanitize returns s on one line and safe for a terminal: line breaks and tabs
// become single spaces, and every other character that cannot be seen is
// written as its code point, <U+001B>. That covers control characters (C0, DEL,
// C1, so no ANSI sequence survives), bidirectional overrides (Trojan Source,
// CVE-2021-42574), zero-width characters and tags. Bytes that are not UTF-8
// become U+FFFD.
func Sanitize(s string) string {
	s = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(s)
	var b strings.Builder
	for _, r := range s {
		b.WriteString(visible(r))
	}
	return b.String()
}

// sanitizeLines is Sanitize for text that may have several lines.
func sanitizeLines(s string) []string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = Sanitize(strings.TrimRight(line, " \t"))
	}
	return lines
}

// visible returns r, or its code point where r does not show as itself.
func visible(r rune) string {
	if hidden(r) {
		return fmt.Sprintf("<U+%04X>", r)
	}
	return string(r)
}

func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs)
}
