package validate

import (
	"slices"
	"strings"
)

// longestWord bounds what is compared: the longest field name of Kubernetes has
// 47 letters, and the comparison is quadratic.
const longestWord = 64

// nearest returns the candidate that a person most likely meant by word, or ""
// if none is close: equal but for case, or at most a third of its letters away.
// Ties go to the first in alphabetical order.
func nearest(word string, candidates []string) string {
	if len(word) > longestWord {
		return ""
	}
	best, bestDistance := "", max(1, len(word)/3)+1
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		if strings.EqualFold(word, candidate) {
			return candidate
		}
		if d := distance(word, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours (optimal string alignment) that turn a into b, in bytes: field
// names are ASCII.
func distance(a, b string) int {
	before, previous := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, previous = previous, row
	}
	return previous[len(b)]
}
