package validate

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/source"
)

// problem is one thing that a schema does not accept about an object. Path
// leads from the object's root to the place; message and help quote no scalar
// of the object, only its keys.
type problem struct {
	path    []string
	message string
	help    string
	keyword string // the schema keyword that failed: type, required, format:byte, …
}

// pointer returns the RFC 6901 JSON pointer of the place.
func (p problem) pointer() string { return source.Pointer(p.path...) }

func compareProblems(a, b problem) int {
	return cmp.Or(
		slices.Compare(a.path, b.path),
		cmp.Compare(a.message, b.message),
		cmp.Compare(a.help, b.help),
	)
}

// sortProblems puts problems in a fixed order and drops repetitions: the engine
// walks Go maps, so that its own order differs from run to run.
func sortProblems(in []problem) []problem {
	slices.SortFunc(in, compareProblems)
	return slices.CompactFunc(in, func(a, b problem) bool { return compareProblems(a, b) == 0 })
}

// plainKey is what a field path shows after a dot; other keys are bracketed
// and quoted, as in metadata.labels["app.kubernetes.io/name"].
var plainKey = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_-]*$`)

// fieldPath writes a path as people write it: spec.containers[0].image. Value
// is the root that the path starts from; it tells indexes from keys. The empty
// path is "the object".
func fieldPath(value any, path []string) string {
	if len(path) == 0 {
		return "the object"
	}
	var b strings.Builder
	for _, token := range path {
		switch {
		case isList(value):
			b.WriteString("[" + token + "]")
		case plainKey.MatchString(token):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(token)
		default:
			b.WriteString("[" + strconv.Quote(token) + "]")
		}
		value = child(value, token)
	}
	return b.String()
}

func isList(value any) bool {
	_, ok := value.([]any)
	return ok
}

// child returns the element of a list or mapping, nil where there is none.
func child(value any, token string) any {
	switch value := value.(type) {
	case map[string]any:
		return value[token]
	case []any:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(value) {
			return value[i]
		}
	}
	return nil
}

// at returns the value at a path, nil where there is none.
func at(value any, path []string) any {
	for _, token := range path {
		value = child(value, token)
	}
	return value
}
