package validate

import (
	"path"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/source"
)

// step is one node of a compiled set of paths into an object: where to go from
// a value, and what is found there. All paths of a kind are one tree of steps,
// so that an object is walked once, however many rows its kind has.
type step struct {
	fields map[string]*step // by key of a mapping
	globs  []glob           // keys that match a pattern
	each   *step            // every item of a list and every value of a mapping
	deep   *step            // from here, at any depth
	forms  []form           // a reference is written here, in these ways
}

type glob struct {
	pattern string
	next    *step
}

// add compiles a path: keys separated by slashes, in which "a|b" is either key,
// "*" every item of a list or value of a mapping, "*Ref" every key that ends so,
// and "**" any depth. A slash inside a key is written ~1, as in RFC 6901.
func (s *step) add(path string, f form) {
	if path == "" {
		s.forms = append(s.forms, f)
		return
	}
	head, rest, _ := strings.Cut(path, "/")
	for _, key := range strings.Split(head, "|") {
		s.next(strings.ReplaceAll(key, "~1", "/")).add(rest, f)
	}
}

// next returns the step behind a key, made where there is none yet.
func (s *step) next(key string) *step {
	switch {
	case key == "*":
		if s.each == nil {
			s.each = &step{}
		}
		return s.each
	case key == "**":
		if s.deep == nil {
			s.deep = &step{}
		}
		return s.deep
	case strings.Contains(key, "*"):
		for _, g := range s.globs {
			if g.pattern == key {
				return g.next
			}
		}
		s.globs = append(s.globs, glob{key, &step{}})
		return s.globs[len(s.globs)-1].next
	}
	if s.fields == nil {
		s.fields = map[string]*step{}
	}
	if s.fields[key] == nil {
		s.fields[key] = &step{}
	}
	return s.fields[key]
}

// walker walks one object along steps. Path is where it is; found must not keep
// it.
type walker struct {
	path  []string
	found func(f form, value any)
}

func (w *walker) visit(s *step, value any) {
	for _, f := range s.forms {
		w.found(f, value)
	}
	if s.deep != nil {
		w.descend(s.deep, value)
	}
	switch value := value.(type) {
	case map[string]any:
		for key, next := range s.fields {
			if child, ok := value[key]; ok {
				w.enter(key, next, child)
			}
		}
		if s.each == nil && len(s.globs) == 0 {
			return
		}
		for key, child := range value {
			if s.each != nil {
				w.enter(key, s.each, child)
			}
			for _, g := range s.globs {
				if ok, _ := path.Match(g.pattern, key); ok {
					w.enter(key, g.next, child)
				}
			}
		}
	case []any:
		if s.each == nil {
			return
		}
		for i, child := range value {
			w.enter(strconv.Itoa(i), s.each, child)
		}
	}
}

func (w *walker) enter(key string, next *step, value any) {
	w.path = append(w.path, key)
	w.visit(next, value)
	w.path = w.path[:len(w.path)-1]
}

// descend tries a step at value and at everything below it.
func (w *walker) descend(s *step, value any) {
	w.visit(s, value)
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			w.path = append(w.path, key)
			w.descend(s, child)
			w.path = w.path[:len(w.path)-1]
		}
	case []any:
		for i, child := range value {
			w.path = append(w.path, strconv.Itoa(i))
			w.descend(s, child)
			w.path = w.path[:len(w.path)-1]
		}
	}
}

// pointer is where the walker is, with further tokens behind it.
func (w *walker) pointer(further ...string) string {
	return source.Pointer(append(w.path[:len(w.path):len(w.path)], further...)...)
}
