package encrypt

import (
	"regexp"
	"strings"
)

// proseWord is a word of running text: letters in one case, or a capital first,
// with punctuation around. Nothing with digits or a sign inside, as passwords,
// tokens and assignments have.
var proseWord = regexp.MustCompile(`^[("']?(?:\p{Lu}?\p{Ll}+|\p{Lu}{1,5}|\p{Lo}+)(?:[-'’/](?:\p{Lu}?\p{Ll}+|\p{Lu}{1,5}))?[)"',.;!?]*$`)

// minProse is the least number of words: one alone may well be a password.
const minProse = 2

// maxWord is the longest word of running text, in bytes.
const maxWord = 24

// isProse reports whether a comment is plain prose, which may stay readable. A
// line that was commented out may hold an old secret, and is no prose.
func isProse(comment string) bool {
	words := 0
	for w := range strings.FieldsSeq(comment) {
		switch {
		case strings.Trim(w, "-–—=*#") == "": // a rule
		case len(w) > maxWord || !proseWord.MatchString(w):
			return false
		default:
			words++
		}
	}
	return words == 0 || words >= minProse
}
