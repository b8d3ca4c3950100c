package diff

import (
	"strings"
)

const (
	// contextLines stand around a change, as in diff -u.
	contextLines = 3
	// maxHunkLines bounds one hunk: a reviewer reads a longer one in the file.
	maxHunkLines = 120
	// maxYAMLLines bounds one hunk of an object as YAML, for tools that fold.
	maxYAMLLines = 5_000
	// maxLine is how many characters of a line are shown.
	maxLine = 300
)

// hunks compares two texts line by line. Of a hunk no more than most lines are
// kept.
func hunks(a, b string, most int) []Hunk {
	old, now := splitLines(a), splitLines(b)
	var out []Hunk
	var open *Hunk
	gap := 0 // equal lines since the last change
	put := func(sign, line string) {
		line = sign + cut(line, maxLine)
		if len(open.Lines) < most {
			open.Lines = append(open.Lines, line)
		} else {
			open.Cut++
		}
	}
	start := func(i, j int) {
		if open != nil {
			return
		}
		lead := min(contextLines, i, j)
		out = append(out, Hunk{OldStart: i - lead + 1, NewStart: j - lead + 1, OldLines: lead, NewLines: lead})
		open = &out[len(out)-1]
		for n := lead; n > 0; n-- {
			put(" ", old[i-n])
		}
	}
	i, j := 0, 0
	pairs := append(common(old, now), [2]int{len(old), len(now)})
	for n, pair := range pairs {
		for ; i < pair[0]; i++ {
			start(i, j)
			put("-", old[i])
			open.OldLines++
			gap = 0
		}
		for ; j < pair[1]; j++ {
			start(i, j)
			put("+", now[j])
			open.NewLines++
			gap = 0
		}
		if n == len(pairs)-1 {
			break
		}
		if open != nil && gap >= contextLines && !soon(pairs[n:]) {
			open = nil
		}
		if open != nil {
			put(" ", old[i])
			open.OldLines++
			open.NewLines++
			gap++
		}
		i, j = i+1, j+1
	}
	trim(out)
	return out
}

// soon reports whether the next change is so near that its context would join.
func soon(pairs [][2]int) bool {
	for n := 0; n < contextLines && n+1 < len(pairs); n++ {
		if pairs[n+1][0] != pairs[n][0]+1 || pairs[n+1][1] != pairs[n][1]+1 {
			return true
		}
	}
	return false
}

// trim takes off the context beyond contextLines at the end of a hunk.
func trim(all []Hunk) {
	for n := range all {
		h := &all[n]
		for h.Cut == 0 && equalTail(h.Lines) > contextLines {
			h.Lines = h.Lines[:len(h.Lines)-1]
			h.OldLines--
			h.NewLines--
		}
	}
}

func equalTail(lines []string) int {
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[len(lines)-1-n], " ") {
		n++
	}
	return n
}

// splitLines keeps a last line without a line break apart from one with it.
func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.Split(s, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		return lines[:last]
	}
	lines[len(lines)-1] += noNewline
	return lines
}

// noNewline marks a text that does not end its last line, as POSIX asks.
const noNewline = " (no newline at the end)"
