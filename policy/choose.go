package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// matcher returns whether a namespace is among those chosen, by conftest's
// patterns: path.Match, where "." is an ordinary character.
func matcher(patterns []string) (func(string) bool, error) {
	if len(patterns) == 0 {
		patterns = []string{DefaultNamespace}
	}
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, &ConfigError{Message: fmt.Sprintf("namespace pattern %q: %s", pattern, err)}
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			matched, _ := path.Match(pattern, name)
			return matched || pattern == name
		})
	}, nil
}

// somethingChosen refuses policy directories of which nothing would be asked:
// conftest passes everything then, with "0 tests".
func somethingChosen(verdicts []verdict, modules []module, patterns []string) error {
	given := map[string]bool{}
	for _, m := range modules {
		if !m.bundled && !m.isTest() && slices.ContainsFunc(m.Rules, isVerdict) {
			given[namespace(m.Module)] = true
		}
	}
	own := slices.ContainsFunc(verdicts, func(v verdict) bool { return !v.bundled })
	if own || !slices.ContainsFunc(modules, func(m module) bool { return !m.bundled }) {
		return nil
	}
	if len(patterns) == 0 {
		patterns = []string{DefaultNamespace}
	}
	message := fmt.Sprintf("no deny, violation or warn rule in namespace %s", strings.Join(patterns, ", "))
	if len(given) > 0 {
		message += "; there are some in " + enumerate(sorted(given))
	}
	return &ConfigError{Message: message}
}

// choose drops the bundled verdicts that are switched off. A name that no
// bundled rule has is an error: it would otherwise switch off nothing, unseen.
func choose(verdicts []verdict, opts Options) ([]verdict, error) {
	known := map[string]bool{}
	for _, v := range verdicts {
		if v.bundled {
			known[v.id()] = true
		}
	}
	for _, id := range opts.Disable {
		if !known[id] {
			return nil, &ConfigError{Message: fmt.Sprintf("no bundled rule is called %s; there are %s", id, strings.Join(sorted(known), ", "))}
		}
	}
	return slices.DeleteFunc(verdicts, func(v verdict) bool {
		wanted := !v.meta.optIn || slices.Contains(opts.Enable, v.id()) || slices.Contains(opts.Enable, "*")
		return v.bundled && (!wanted || slices.Contains(opts.Disable, v.id()))
	}), nil
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// maxNamed is how many names an error message lists before it counts the rest:
// enough for one line of a terminal.
const maxNamed = 6

func enumerate(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
