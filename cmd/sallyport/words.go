package main

import "strings"

// wrapColumns is the width of running text; long lines are hard to read.
const wrapColumns = 78

// wrap breaks paragraphs into lines. Lines that begin with a space, a list mark
// or a fence keep their breaks.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.ContainsAny(line[:1], " -*`|#\t") {
			if column > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(line + "\n")
			column = 0
			continue
		}
		for word := range strings.FieldsSeq(line) {
			switch n := len([]rune(word)); {
			case column == 0:
				column = n
			case column+1+n > wrapColumns:
				b.WriteByte('\n')
				column = n
			default:
				b.WriteByte(' ')
				column += 1 + n
			}
			b.WriteString(word)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// nearest returns the name that shares the longest beginning or contains the
// word, "" where none is near.
func nearest(word string, names []string) string {
	best, most := "", 3 // fewer shared letters are chance
	for _, name := range names {
		shared := 0
		for shared < len(word) && shared < len(name) && word[shared] == name[shared] {
			shared++
		}
		if word != "" && strings.Contains(name, word) {
			shared = max(shared, len(word))
		}
		if shared > most {
			best, most = name, shared
		}
	}
	return best
}
