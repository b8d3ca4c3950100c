package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFrame(t *testing.T) {
	for name, c := range map[string]struct {
		line       string
		start, end int
		shown, bar string
	}{
		"plain":            {"  replicas: 2", 13, 14, "  replicas: 2", "            ^"},
		"tab before":       {"\tkey: v", 7, 8, "    key: v", "         ^"},
		"wide before":      {"名: v", 4, 5, "名: v", "    ^"},
		"wide under":       {"名前: v", 1, 3, "名前: v", "^^^^"},
		"combining":        {"e\u0301: v", 5, 6, "e\u0301: v", "   ^"},
		"CRLF":             {"a: b\r", 4, 6, "a: b", "   ^"},
		"empty line":       {"", 1, 1, "", "^"},
		"past the end":     {"ab", 9, 12, "ab", "  ^"},
		"to the end":       {"key: |", 6, 0, "key: |", "     ^"},
		"end before start": {"abc", 2, 1, "abc", " ^"},
		"column zero":      {"abc", 0, 2, "abc", "^"},
		"escape":           {"\x1b[31m", 1, 2, "<U+001B>[31m", "^^^^^^^^"},
		"mask, short":      {"k: ••••••••", 4, 5, "k: ••••••••", "   ^^^^^^^^"},
		"mask, long":       {"k: •••••••• # c", 4, 400, "k: •••••••• # c", "   ^^^^^^^^"},
		"mask, past":       {"k: ••••••••", 90, 91, "k: ••••••••", "   ^^^^^^^^"},
	} {
		t.Run(name, func(t *testing.T) {
			shown, bar := frame(c.line, c.start, c.end, "^")
			if shown != c.shown || bar != c.bar {
				t.Errorf("frame(%q, %d, %d)\n got %q\n     %q\nwant %q\n     %q", c.line, c.start, c.end, shown, bar, c.shown, c.bar)
			}
		})
	}
}

// A long line is cut around its span, and the underline still stands under it.
func TestFrameCutsLongLines(t *testing.T) {
	for _, before := range []int{0, 10, 60, 90, 91, 92, 93, 200, 5000} {
		for _, after := range []int{0, 10, 90, 5000} {
			line := strings.Repeat("x", before) + "BAD" + strings.Repeat("y", after)
			shown, bar := frame(line, before+1, before+4, "^")
			if n := utf8.RuneCountInString(shown); n > frameColumns+2 {
				t.Errorf("%d before, %d after: %d columns", before, after, n)
			}
			at := []rune(shown)[strings.Index(bar, "^"):]
			if string(at[:3]) != "BAD" || strings.TrimLeft(bar, " ") != "^^^" {
				t.Errorf("%d before, %d after:\n%s\n%s", before, after, shown, bar)
			}
		}
	}
}

// Whatever the line and the span: no panic, no control character, and an
// underline that stays within what is shown.
func FuzzFrame(f *testing.F) {
	f.Add("  replicas: 2", 13, 14)
	f.Add("\t名前: ••••••••\r", 5, 900)
	f.Add(strings.Repeat("e\u0301", 300), 290, 299)
	f.Add("\u202e\x1b[0m", -4, 1<<30)
	f.Fuzz(func(t *testing.T, line string, start, end int) {
		line, _, _ = strings.Cut(line, "\n")
		shown, bar := frame(line, start, end, "^")
		if got := strings.TrimRight(Sanitize(shown), " "); got != shown {
			t.Errorf("%q is shown as %q", line, shown)
		}
		marks := strings.TrimLeft(bar, " ")
		if marks == "" || strings.Trim(marks, "^") != "" {
			t.Errorf("underline %q", bar)
		}
		if w := columns(cells(shown)); len(bar) > w+frameColumns {
			t.Errorf("underline of %d columns under %d", len(bar), w)
		}
	})
}
