package report

import (
	"fmt"
	"html"
	"strings"
	"unicode"
)

// prose writes one line of repository text as Markdown that says just that.
//
// Escaping is not enough on GitHub and GitLab: both look for mentions,
// references, commits and addresses in the finished page, where an escaped @team
// is @team again. Code spans alone are exempt. So a word that is more than a
// plain word becomes a code span, which is also how a person would write
// `nginx:latest` or `/spec/replicas`. Code spans that the text has already stay.
func prose(s string) string {
	words := strings.Fields(Sanitize(s))
	var out []string
	for len(words) > 0 {
		span, n := proseSpan(words)
		if n == 0 {
			span, n = proseWord(words[0]), 1
		}
		out, words = append(out, span), words[n:]
	}
	return strings.Join(out, " ")
}

// proseWord leaves the punctuation of a sentence outside the code span.
func proseWord(word string) string {
	lead, core, tail := punctuation(word)
	if plainWord(core) {
		return word
	}
	return lead + code(core) + tail
}

// proseSpan returns the code span that words begin with and how many of them it
// takes, 0 if they begin with none: `kubectl get pods`.
func proseSpan(words []string) (span string, n int) {
	for n = 1; n <= len(words); n++ {
		lead, core, tail := punctuation(strings.Join(words[:n], " "))
		if !strings.HasPrefix(core, "`") {
			return "", 0
		}
		if ticks := strings.Count(core, "`"); ticks == 2 && strings.HasSuffix(core, "`") && len(core) > 2 {
			return lead + code(core[1:len(core)-1]) + tail, n
		} else if ticks > 1 {
			return "", 0
		}
	}
	return "", 0
}

// punctuation parts what belongs to the sentence from s. A parenthesis that closes
// what is opened outside of s is of the sentence: "(as in main)".
func punctuation(s string) (lead, core, tail string) {
	core = strings.TrimLeft(s, `("'`)
	lead = s[:len(s)-len(core)]
	inner := core
	for {
		cut := strings.TrimRight(inner, `.,;:!?"'…`)
		if strings.HasSuffix(cut, ")") && strings.Count(cut, ")") > strings.Count(cut, "(") {
			cut = cut[:len(cut)-1]
		}
		if cut == inner {
			return lead, inner, core[len(inner):]
		}
		inner = cut
	}
}

// plainWord reports whether no platform can see more in s than a word: it is a
// short number, a dash, or letters, with an inner hyphen or apostrophe only if
// all are lower case (PROJ-ABC may be a reference to a tracker). Seven
// hexadecimal digits may be a commit, and "www" begins an address.
func plainWord(s string) bool {
	const commit = 7
	switch {
	case s == "" || s == "-" || s == "–" || s == "—":
		return true
	case strings.EqualFold(s, "www"):
		return false
	case strings.Trim(s, "0123456789") == "":
		return len(s) < commit
	case len(s) >= commit && strings.Trim(s, "0123456789abcdefABCDEF") == "":
		return false
	}
	joined, lower := false, true
	for i, r := range s {
		switch {
		case unicode.IsLetter(r):
			lower = lower && !unicode.IsUpper(r)
		case (r == '-' || r == '\'') && i > 0 && i < len(s)-1:
			joined = true
		default:
			return false
		}
	}
	return lower || !joined
}

// code writes s as a code span on one line. The fence is longer than any run of
// backticks in s, and the spaces that CommonMark takes off are put on (6.1).
func code(s string) string {
	s = Sanitize(s)
	if strings.TrimSpace(s) == "" {
		return "–" // there is no empty code span
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	first, last := s[0], s[len(s)-1]
	if first == '`' || last == '`' || first == ' ' && last == ' ' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// codeHTML escapes s for an HTML code element. Backticks too, for platforms that
// look for Markdown inside of HTML.
func codeHTML(s string) string {
	return strings.ReplaceAll(html.EscapeString(Sanitize(s)), "`", "&#96;")
}

// tableText prepares text for prose or code in a table cell, which a bar ends
// even inside a code span.
func tableText(s string) string {
	return strings.ReplaceAll(s, "|", fmt.Sprintf("<U+%04X>", '|'))
}

// longestRun returns the length of the longest run of c in s.
func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
