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
	alone   bool // nothing else names what was meant: a mistake even where a controller could make the object
}

// hashSuffix is what kustomize appends to the name of a generated Secret or
// ConfigMap (its hasher writes ten of these characters).
var hashSuffix = regexp.MustCompile(`^-[2456789bcdfghkmt]{10}$`)

// near looks for what a reference probably meant: a generated name, a name that
// differs by a slip of the pen, or the same name in another namespace. Nil where
// there is nothing of the kind.
func (s *survey) near(ref reference, words wordSet) *near {
	names := s.names(ref)
	for _, name := range names {
		if suffix, ok := strings.CutPrefix(name, ref.name); ok && hashSuffix.MatchString(suffix) {
			return &near{
				message: fmt.Sprintf("%s %q is generated with a hash suffix, which nothing appends to this name", ref.kind, ref.name),
				help:    "set generatorOptions.disableNameSuffixHash, or tell kustomize about this field by a nameReference in configurations",
				alone:   true,
			}
		}
	}
	for _, name := range names {
		if slip(ref.name, name) {
			return &near{
				message: fmt.Sprintf("%s %q does not exist; did you mean %q?", ref.kind, ref.name, name),
				help:    "correct one of the two names",
				alone:   !s.isNamed(kindName{ref.kind, name}, words),
			}
		}
	}
	if others := s.own.others(ref.kind, ref.name); len(others) > 0 {
		return &near{
			message: fmt.Sprintf("%s %q is in namespace %s, and is named from namespace %s", ref.kind, ref.name, others[0].namespace, ref.namespace),
			help:    "an object can only use what is in its own namespace: move one of the two, or define it here as well",
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return s.isNamed(kindName{ref.kind, name}, words) })
	return affixed(ref, names)
}

// names lists what the target has of a kind in a namespace, in order.
func (s *survey) names(ref reference) (names []string) {
	for at, entries := range s.own.names {
		if at.kind == ref.kind && slices.ContainsFunc(entries, func(k *known) bool { return k.within(ref.namespace) }) {
			names = append(names, at.name)
		}
	}
	slices.Sort(names)
	return names
}

// isNamed reports whether anything in the target names an object. Services and
// workloads have names that are everywhere, so only references count for them.
func (s *survey) isNamed(at kindName, words wordSet) bool {
	data := at.kind == kindSecret || at.kind == kindConfigMap
	return s.named[at] || data && words.has(s.x.hash(at.name))
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

const (
	// shortestSlip is the length from which a word of a name can be mistyped.
	// Shorter ones are too often two different words: east and west, mail and
	// main, dev and prd.
	shortestSlip = 5
	// longWord is the length from which two letters can be wrong.
	longWord = 12
)

// slip reports whether two names differ by a slip of the pen in one word: a
// letter that is wrong, missing or too many, or two that changed places; or by a
// hyphen. Digits are never a slip, since they number things.
func slip(a, b string) bool {
	if digits(a) != digits(b) {
		return false
	}
	left, right := nameWords(a), nameWords(b)
	if len(left) != len(right) {
		return strings.Join(left, "") == strings.Join(right, "")
	}
	differ := -1
	for i := range left {
		if left[i] == right[i] {
			continue
		}
		if differ >= 0 {
			return false
		}
		differ = i
	}
	if differ < 0 {
		return true // dots and hyphens
	}
	length := max(len(left[differ]), len(right[differ]))
	return length >= shortestSlip && distance(left[differ], right[differ]) <= 1+length/longWord
}

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
