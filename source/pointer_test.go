package source

import (
	"slices"
	"testing"
)

func TestPointer(t *testing.T) {
	for pointer, tokens := range map[string][]string{
		"":             nil,
		"/":            {""},
		"/a/0":         {"a", "0"},
		"/a~1b/~0/~01": {"a/b", "~", "~1"},
	} {
		if got := Pointer(tokens...); got != pointer {
			t.Errorf("Pointer(%q) = %q", tokens, got)
		}
		if got := Split(pointer); !slices.Equal(got, tokens) {
			t.Errorf("Split(%q) = %q", pointer, got)
		}
	}
}

func TestFind(t *testing.T) {
	f := parse(t, `
base: &base {a: base, b: base}
more: &more {b: more, c: more}
one: {<<: *base, a: own}
list: {<<: [*base, *more]}
seq: &seq [x, {y: z}]
ref: *seq
"": empty
"<<": quoted
`)
	for pointer, want := range map[string]string{
		"/one/a": "own", "/one/b": "base", "/list/b": "base", "/list/c": "more",
		"/seq/1/y": "z", "/ref/1/y": "z", "/ref/0": "x", "/": "empty", "/<<": "quoted",
	} {
		if _, value, ok := Find(f.Docs[0].Root, pointer); !ok || value.Value != want {
			t.Errorf("Find(%q) = %v %v, want %s", pointer, value, ok, want)
		}
	}
	for _, pointer := range []string{"/none", "/one/<<", "/seq/2", "/seq/-1", "/seq/01", "/seq/-", "/one/a/b"} {
		if _, _, ok := Find(f.Docs[0].Root, pointer); ok {
			t.Errorf("Find(%q) finds something", pointer)
		}
	}
}
