package diff

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// walker compares two objects field by field.
type walker struct {
	old, now       *State
	oldObj, newObj *render.Object
	names          *names
	opts           Options

	fields  []Field
	sealed  [][]string // paths of sealed values that differ, in the new object
	noise   int
	follows int
}

// spot is a place in both objects.
type spot struct {
	old, now []string // pointer tokens
	shown    string
}

func (s spot) key(key string) spot {
	return spot{below(s.old, key), below(s.now, key), s.shown + pointer(scrub(key))}
}

// compare fills in the fields that differ.
func (w *walker) compare() {
	w.value(spot{}, w.oldObj.Value, w.newObj.Value)
}

// value compares what both sides have.
func (w *walker) value(at spot, a, b any) {
	if w.isSealed(at, a, b) {
		w.sealedValue(at, a, b)
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			w.mapping(at, x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			w.list(at, x, y)
			return
		}
	case string:
		if y, ok := b.(string); ok {
			w.text(at, x, y)
			return
		}
	}
	if !equal(a, b) {
		w.report(at, Changed, a, b)
	}
}

func (w *walker) isSealed(at spot, a, b any) bool {
	if isSecret(w.newObj.Object) && len(at.now) == 1 && holdsValues(at.now[0]) {
		_, x := a.(map[string]any)
		_, y := b.(map[string]any)
		return !x || !y
	}
	return w.old.sealed(w.oldObj.Object, at.old, a) || w.now.sealed(w.newObj.Object, at.now, b)
}

func (w *walker) sealedValue(at spot, a, b any) {
	oldAt := At{w.oldObj.Object, pointer(at.old...)}
	newAt := At{w.newObj.Object, pointer(at.now...)}
	if same(w.old, w.now, oldAt, newAt, a, b) {
		return
	}
	w.sealed = append(w.sealed, at.now)
	w.report(at, Changed, a, b)
}

func (w *walker) mapping(at spot, a, b map[string]any) {
	keys := slices.Collect(maps.Keys(a))
	for key := range b {
		if _, ok := a[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		x, inOld := a[key]
		y, inNew := b[key]
		switch {
		case inOld && inNew:
			w.value(at.key(key), x, y)
		case inOld:
			w.only(at.key(key), Removed, x)
		default:
			w.only(at.key(key), Added, y)
		}
	}
}

// only reports what one side has. Labels, annotations and what a Secret or a
// ConfigMap holds are reported key by key even if all of them are new.
func (w *walker) only(at spot, action Action, value any) {
	m, ok := value.(map[string]any)
	if !ok || len(m) == 0 || !apart(at.now) {
		w.report(at, action, value, value)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		w.only(at.key(key), action, m[key])
	}
}

func apart(at []string) bool {
	switch last := at[len(at)-1]; last {
	case "data", "stringData", "binaryData":
		return len(at) == 1
	case "labels", "annotations", "metadata":
		return true
	}
	return false
}

// text compares strings, apart from names that differ throughout.
func (w *walker) text(at spot, a, b string) {
	switch {
	case a == b:
	case w.names.follows(a, b):
		w.follows++
	case w.names.mapped(a) == b:
	default:
		w.report(at, Changed, a, b)
	}
}

// report adds a field. What is sealed keeps its value to itself.
func (w *walker) report(at spot, action Action, a, b any) {
	where := at.now
	if action == Removed {
		where = at.old
	}
	f := Field{Path: at.shown, Pointer: pointer(where...), Action: action}
	if f.Noise = w.opts.noise(where); f.Noise && !w.opts.ShowNoise {
		w.noise++
		return
	}
	f.Sealed = w.isSealed(at, a, b)
	if !f.Sealed {
		w.values(&f, at, a, b)
	}
	w.place(&f, at)
	f.Pointer = scrubPointer(where)
	w.fields = append(w.fields, f)
}

func (w *walker) values(f *Field, at spot, a, b any) {
	old, isText := a.(string)
	now, bothText := b.(string)
	if isText && bothText && (strings.Contains(old, "\n") || strings.Contains(now, "\n")) {
		switch f.Action { // what only one side has is passed as both
		case Added:
			old = ""
		case Removed:
			now = ""
		}
		f.Hunks = hunks(old, now, maxHunkLines)
		return
	}
	if f.Action != Added {
		f.Old = shorten(w.old.masked(w.oldObj.Object, at.old, a))
	}
	if f.Action != Removed {
		f.New = shorten(w.now.masked(w.newObj.Object, at.now, b))
	}
}

// place asks where the new value is set, or what took the old one away. A list
// item that is gone has no place in the new object, so it has its old one.
func (w *walker) place(f *Field, at spot) {
	if f.Action != Removed {
		f.Location = w.now.Place(w.newObj, f.Pointer).Span
	}
	if f.Action == Removed || w.names.between {
		f.OldLocation = w.old.Place(w.oldObj, pointer(at.old...)).Span
	}
}

// pointer joins tokens to a JSON pointer (RFC 6901).
func pointer(tokens ...string) string {
	var b strings.Builder
	for _, token := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

func scrubPointer(tokens []string) string {
	clean := make([]string, len(tokens))
	for i, token := range tokens {
		clean[i] = scrub(token)
	}
	return pointer(clean...)
}

// objectPlace is where an object is written.
func objectPlace(s *State, o *render.Object) finding.Span { return s.Place(o, "").Span }
