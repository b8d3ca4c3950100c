package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// maxReasons is how many reasons for "not checked" are listed; the JSON report
// has all of them.
const maxReasons = 12

// reason is why a check could not judge some things, what they are, and how many.
type reason struct {
	check, text, noun string
	things            int
}

func (w reason) count() string { return number(w.things, w.noun) }

// nouns are what can be left unjudged, in the order of a sum.
func nouns() []string { return []string{"object", "target", "file", "commit range"} }

// nounOf says what was not checked: an object, the whole of a target, a file of
// the repository that no target has asked for, or the commits of a change.
func nounOf(n finding.NotChecked) string {
	switch {
	case n.Object.Kind != "":
		return "object"
	case n.Target != "":
		return "target"
	case n.Check == "commits":
		return "commit range"
	}
	return "file"
}

// sum counts what was not checked for several reasons: "2 objects, 1 file".
func sum(why []reason) string {
	var parts []string
	for _, noun := range nouns() {
		n := 0
		for _, w := range why {
			if w.noun == noun {
				n += w.things
			}
		}
		if n > 0 {
			parts = append(parts, number(n, noun))
		}
	}
	return strings.Join(parts, ", ")
}

// reasons groups what was not checked, the most first.
func reasons(list []finding.NotChecked) []reason {
	at := map[[2]string]int{}
	var out []reason
	for _, n := range list {
		key := [2]string{n.Check, n.Reason}
		if _, ok := at[key]; !ok {
			at[key] = len(out)
			out = append(out, reason{check: n.Check, text: n.Reason, noun: nounOf(n)})
		}
		out[at[key]].things++
	}
	slices.SortFunc(out, func(a, b reason) int {
		return cmp.Or(cmp.Compare(b.things, a.things), cmp.Compare(a.check, b.check), cmp.Compare(a.text, b.text))
	})
	return out
}

// ofCheck returns the reasons of one check.
func ofCheck(check string, why []reason) []reason {
	return slices.DeleteFunc(slices.Clone(why), func(w reason) bool { return w.check != check })
}

// notCheckedNote says how much a check left unjudged, with the reason where
// there is only one.
func notCheckedNote(check string, why []reason) string {
	mine := ofCheck(check, why)
	total := 0
	for _, w := range mine {
		total += w.things
	}
	switch len(mine) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%d not checked: %s", total, Sanitize(mine[0].text))
	}
	return fmt.Sprintf("%d not checked", total)
}

// reasons lists why objects were not checked, for the checks with more than
// one reason.
func (p *printer) reasons(why []reason) {
	several := map[string]int{}
	for _, w := range why {
		several[w.check]++
	}
	why = slices.DeleteFunc(slices.Clone(why), func(w reason) bool { return several[w.check] < 2 })
	if len(why) == 0 {
		return
	}
	p.line()
	p.line("not checked:")
	for _, w := range why[:min(len(why), maxReasons)] {
		p.line(fmt.Sprintf("  %4d %-7s  %s: %s", w.things, plural(w.things, w.noun), w.check, Sanitize(w.text)))
	}
	if rest := len(why) - maxReasons; rest > 0 {
		p.line(fmt.Sprintf("  and %d more %s; -o json lists every object", rest, plural(rest, "reason")))
	}
}
