package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// maxReasons is how many reasons for "not checked" are listed; the JSON report
// has all of them.
const maxReasons = 12

// reason is why a check could not judge some objects, and how many.
type reason struct {
	check, text string
	objects     int
}

// reasons groups what was not checked, most objects first.
func reasons(list []finding.NotChecked) []reason {
	at := map[[2]string]int{}
	var out []reason
	for _, n := range list {
		key := [2]string{n.Check, n.Reason}
		if _, ok := at[key]; !ok {
			at[key] = len(out)
			out = append(out, reason{check: n.Check, text: n.Reason})
		}
		out[at[key]].objects++
	}
	slices.SortFunc(out, func(a, b reason) int {
		return cmp.Or(cmp.Compare(b.objects, a.objects), cmp.Compare(a.check, b.check), cmp.Compare(a.text, b.text))
	})
	return out
}

// notCheckedNote says how much a check left unjudged, with the reason where
// there is only one.
func notCheckedNote(check string, why []reason) string {
	mine := slices.DeleteFunc(slices.Clone(why), func(w reason) bool { return w.check != check })
	total := 0
	for _, w := range mine {
		total += w.objects
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
		p.line(fmt.Sprintf("  %4d %-7s  %s: %s", w.objects, plural(w.objects, "object"), w.check, Sanitize(w.text)))
	}
	if rest := len(why) - maxReasons; rest > 0 {
		p.line(fmt.Sprintf("  and %d more %s; -o json lists every object", rest, plural(rest, "reason")))
	}
}
