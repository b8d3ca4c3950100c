package diff

import (
	"cmp"
	"strings"
)

// Moved finds targets that were moved to another directory: of those that are
// gone and those that are new, the ones that share most of their objects, by
// kind, namespace and name, and at least half. Of equals the one with an equal
// digest is taken, then the one whose path is most alike. It returns the index
// into gone for every new target, -1 for none.
func Moved(gone, added []Pair) []int {
	holders := map[identity][]int{}
	sizes := make([]int, len(gone))
	for i, p := range gone {
		for id := range inventory(p.Old) {
			holders[id] = append(holders[id], i)
			sizes[i]++
		}
	}
	out := make([]int, len(added))
	used := map[int]bool{}
	for j, p := range added {
		mine := inventory(p.New)
		shared := map[int]int{}
		for id := range mine {
			for _, i := range holders[id] {
				shared[i]++
			}
		}
		out[j] = -1
		for i := range gone {
			if used[i] || shared[i] == 0 || 2*shared[i] < max(sizes[i], len(mine)) {
				continue
			}
			if best := out[j]; best < 0 || cmp.Or(shared[i]-shared[best], alike(gone[i], p)-alike(gone[best], p)) > 0 {
				out[j] = i
			}
		}
		if out[j] >= 0 {
			used[out[j]] = true
		}
	}
	return out
}

// inventory is the identities of the objects of a state, none for a target that
// did not render.
func inventory(s *State) map[identity]bool {
	out := map[identity]bool{}
	if s == nil || s.Reason != "" {
		return out
	}
	for _, o := range s.Objects {
		id := identityOf(o.Object)
		id.name = baseName(id.name)
		out[id] = true
	}
	return out
}

// alike counts what two targets have in common besides their objects: an equal
// digest before all, then the words of their paths.
func alike(old, now Pair) int {
	const digestCounts = 1 << 20 // more than any path
	n := 0
	if old.Old.Digest == now.New.Digest {
		n += digestCounts
	}
	words := map[string]bool{}
	for word := range strings.SplitSeq(old.Path, "/") {
		words[word] = true
	}
	for word := range strings.SplitSeq(now.Path, "/") {
		if words[word] {
			n++
		}
	}
	return n
}
