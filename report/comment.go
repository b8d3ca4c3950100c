package report

import "strings"

const (
	// maxComment is the size of a comment in bytes. GitHub refuses more than
	// 65,536 characters, GitLab more than 1,000,000; counting bytes stays within
	// both however a platform counts characters.
	maxComment = 65_536
	// noteRoom is kept for the last paragraph, which says what was left out.
	noteRoom = 512
)

// comment is a page with limited room, filled by rank: as soon as something is
// left out, nothing of a lower rank follows.
type comment struct {
	strings.Builder
	full     bool
	reserved int // bytes kept for sections to come
	left     []leftOut
}

// leftOut counts entries that did not fit.
type leftOut struct {
	n    int
	noun string
}

func (c *comment) room() int { return maxComment - noteRoom - c.reserved - c.Len() }

// section is a heading, entries of which each ends in a line break, and an end.
type section struct {
	noun    string // of one entry
	head    string
	entries []string
	tail    string
}

// put writes as many entries as fit, from the first.
func (c *comment) put(s section) {
	n, room := 0, c.room()-len(s.head)-len(s.tail)
	for !c.full && n < len(s.entries) && len(s.entries[n]) <= room {
		room -= len(s.entries[n])
		n++
	}
	if n > 0 {
		c.WriteString(s.head + strings.Join(s.entries[:n], "") + s.tail)
	}
	if rest := len(s.entries) - n; rest > 0 {
		c.full = true
		c.leave(rest, s.noun)
	}
}

// leave notes that n entries were left out. Sections of one noun follow each
// other.
func (c *comment) leave(n int, noun string) {
	if last := len(c.left) - 1; last >= 0 && c.left[last].noun == noun {
		c.left[last].n += n
		return
	}
	c.left = append(c.left, leftOut{n, noun})
}

// note is the last paragraph: what was left out, if anything.
func (c *comment) note() {
	if len(c.left) == 0 {
		return
	}
	parts := make([]string, len(c.left))
	for i, l := range c.left {
		parts[i] = number(l.n, "more "+l.noun)
	}
	c.WriteString("…and " + strings.Join(parts, ", ") + ", left out so that this fits one comment. The exit code counts all of them; the log of the run lists them.\n")
}
