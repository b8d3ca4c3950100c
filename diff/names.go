package diff

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// names maps the names of the old state to those of the new one, where they
// differ throughout: of generated objects, and between two targets also of the
// namespace and of what has a prefix or a suffix. The nil map maps nothing.
type names struct {
	between bool
	follow  map[string]string // names of generated objects
	exact   map[string]string // whole texts
	within  *regexp.Regexp    // the old namespace as a word of its own, nil for none
	word    string            // the new namespace
}

// follows reports whether a text is the name of a generated object, before and
// after.
func (n *names) follows(a, b string) bool {
	if n == nil {
		return false
	}
	now, ok := n.follow[a]
	return ok && now == b
}

// mapped returns a text of the old state as it would be in the new one.
func (n *names) mapped(text string) string {
	if n == nil {
		return text
	}
	if now, ok := n.follow[text]; ok {
		return now
	}
	if now, ok := n.exact[text]; ok {
		return now
	}
	if n.within != nil {
		return n.within.ReplaceAllString(text, "${1}"+n.word+"${2}")
	}
	return text
}

// mappedIn is mapped for every text in a value.
func (n *names) mappedIn(value any) any {
	if n == nil || len(n.follow)+len(n.exact) == 0 && n.within == nil {
		return value
	}
	switch value := value.(type) {
	case string:
		return n.mapped(value)
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, item := range value {
			out[key] = n.mappedIn(item)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = n.mappedIn(item)
		}
		return out
	}
	return value
}

// word matches a namespace where it stands alone, as in db.shop.svc.
func word(namespace string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^A-Za-z0-9-])` + regexp.QuoteMeta(namespace) + `($|[^A-Za-z0-9-])`)
}

// affixes finds the prefix or suffix that most of the unmatched names of two
// targets differ in: dev-web and prod-web, web and web-blue.
func affixes(old, now map[string][]string) (oldAffix, newAffix string, prefix bool) {
	type vote struct {
		old, now string
		prefix   bool
	}
	votes := map[vote]map[string]bool{}
	count := func(v vote, core string) {
		if core == "" || v.old == v.now {
			return
		}
		if votes[v] == nil {
			votes[v] = map[string]bool{}
		}
		votes[v][core] = true
	}
	for kind, list := range old {
		if len(list)*len(now[kind]) > maxNamePairs {
			continue
		}
		for _, a := range list {
			for _, b := range now[kind] {
				core := sharedEnd(a, b)
				count(vote{strings.TrimSuffix(a, core), strings.TrimSuffix(b, core), true}, core)
				core = sharedStart(a, b)
				count(vote{strings.TrimPrefix(a, core), strings.TrimPrefix(b, core), false}, core)
			}
		}
	}
	var best vote
	most := 1 // one pair alone is chance
	all := slices.SortedFunc(maps.Keys(votes), func(a, b vote) int {
		return strings.Compare(a.old+"\x00"+a.now, b.old+"\x00"+b.now)
	})
	for _, v := range all {
		if n := len(votes[v]); n > most || n == most && n > 1 && v.prefix && !best.prefix {
			best, most = v, n
		}
	}
	return best.old, best.now, best.prefix
}

// maxNamePairs bounds the search among objects of one kind.
const maxNamePairs = 10_000

// sharedEnd is the longest common end of two names that begins a word.
func sharedEnd(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for ; n > 0; n-- {
		if startsWord(a, len(a)-n) && startsWord(b, len(b)-n) {
			return a[len(a)-n:]
		}
	}
	return ""
}

func sharedStart(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for ; n > 0; n-- {
		if endsWord(a, n) && endsWord(b, n) {
			return a[:n]
		}
	}
	return ""
}

func startsWord(s string, i int) bool { return i == 0 || s[i-1] == '-' || s[i-1] == '.' }
func endsWord(s string, i int) bool   { return i == len(s) || s[i] == '-' || s[i] == '.' }
