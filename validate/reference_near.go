package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// near is what a reference probably meant in its own target. Without a message
// it is a hint only.
type near struct {
	message string
	help    string
	meant   uint64 // hash of the name that was meant, which nothing may name; 0 if that does not matter
	sure    bool   // also where a controller could make the object
}

// isError reports whether the near miss is a mistake for certain: with alone,
// also where a controller could have made the object.
func (n *near) isError(alone bool) bool {
	return n != nil && n.message != "" && n.sure == alone
}

// hashSuffix is what kustomize appends to the name of a generated Secret or
// ConfigMap (its hasher writes ten of these characters).
var hashSuffix = regexp.MustCompile(`^-[2456789bcdfghkmt]{10}$`)

// near looks for what a reference probably meant: a generated name, a name that
// nothing else refers to and that differs by a slip of the pen, or the same name
// in another namespace. Nil where there is nothing of the kind.
func (s *survey) near(ref reference, words wordSet) *near {
	unnamed := s.unnamed(ref, words)
	for _, name := range unnamed {
		if suffix, ok := strings.CutPrefix(name, ref.name); ok && hashSuffix.MatchString(suffix) {
			return &near{
				message: fmt.Sprintf("%s %q is generated with a hash suffix, which nothing appends to this name", ref.kind, ref.name),
				help:    "set generatorOptions.disableNameSuffixHash, or tell kustomize about this field by a nameReference in configurations",
				sure:    true,
			}
		}
	}
	for _, name := range unnamed {
		if slip(ref.name, name) {
			return &near{
				message: fmt.Sprintf("%s %q does not exist; the target has %q, which nothing names", ref.kind, ref.name, name),
				help:    "correct one of the two names",
				meant:   s.x.hash(name),
				sure:    true,
			}
		}
	}
	if others := s.own.others(ref.kind, ref.name); len(others) > 0 {
		return &near{
			message: fmt.Sprintf("%s %q is in namespace %s, and is named from namespace %s", ref.kind, ref.name, others[0].namespace, ref.namespace),
			help:    "an object can only use what is in its own namespace: move one of the two, or define it here as well",
		}
	}
	return affixed(ref, unnamed)
}

// unnamed lists what the target has of a kind in a namespace and nothing in the
// target names, in order.
func (s *survey) unnamed(ref reference, words wordSet) (names []string) {
	for at, entries := range s.own.names {
		if at.kind != ref.kind || s.named[at] || !slices.ContainsFunc(entries, func(k *known) bool { return k.within(ref.namespace) }) {
			continue
		}
		if data := at.kind == kindSecret || at.kind == kindConfigMap; !data || !words.has(s.x.hash(at.name)) {
			names = append(names, at.name)
		}
	}
	slices.Sort(names)
	return names
}

// affixed hints at the one name that has something in front of or behind the
// name that is missing: a namePrefix, perhaps.
func affixed(ref reference, names []string) *near {
	var found []string
	for _, name := range names {
		if strings.HasSuffix(name, "-"+ref.name) || strings.HasPrefix(name, ref.name+"-") {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return &near{help: fmt.Sprintf("the target has %q, which nothing names", found[0])}
}

// slip reports whether two names differ by a slip of the pen: in every eight
// letters one that is wrong, missing or too many, or two that changed places.
//
// Digits are never a slip, since they number things, nor are short words, which
// are abbreviations: tls-a and tls-b, db-dev and db-prd.
func slip(a, b string) bool {
	if digits(a) != digits(b) || distance(a, b) > max(1, min(len(a), len(b))/8) {
		return false
	}
	left, right := nameWords(a), nameWords(b)
	if len(left) != len(right) {
		return true // a hyphen
	}
	for i := range left {
		if left[i] != right[i] && min(len(left[i]), len(right[i])) < shortestSlip {
			return false
		}
	}
	return true
}

// shortestSlip is the length from which a word of a name can be mistyped.
const shortestSlip = 4

func nameWords(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' })
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
