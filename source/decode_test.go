package source

import (
	"reflect"
	"strings"
	"testing"
)

// TestDecodeScalars holds what kustomize 5.8.2 prints for the same scalars.
func TestDecodeScalars(t *testing.T) {
	for text, want := range map[string]any{
		"yes": "yes", "n": "n", "on": "on", "y": "y", "True": true, "false": false,
		"~": nil, "": nil, "null": nil,
		"0777": int64(511), "0o14": int64(12), "1_000": int64(1000), "0xFF": int64(255), "0b11": int64(3),
		"-0": int64(0), "+1": int64(1), "9223372036854775807": int64(9223372036854775807),
		"18446744073709551615": float64(18446744073709551615), "123456789012345678901234567890": 1.2345678901234568e+29,
		"1e3": int64(1000), "1.0": int64(1), "5.": int64(5), ".5": 0.5, "1.5e300": 1.5e300, "0.1e-7": 1e-8,
		"2001-01-01": "2001-01-01T00:00:00Z", "2001-01-01T00:00:00+01:00": "2001-01-01T00:00:00+01:00",
		"1:30": "1:30", "'1'": "1", "!!str 1": "1", "!!binary aGVsbG8=": "hello", "!!float 1": int64(1),
		"!vault x": "x", "\"\\u00e9\"": "é", "<<": "<<", "|\n   x": "x\n",
	} {
		f := parse(t, "a: "+text+"\n")
		got, err := Decode(f.Docs[0].Root)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v := got.(map[string]any)["a"]; v != want {
			t.Errorf("%s: got %T %v, want %T %v", text, v, v, want, want)
		}
	}
}

func TestDecodeCollections(t *testing.T) {
	f := parse(t, `
base: &base {a: 1, b: 2}
merged: {<<: *base, b: 3}
list: [*base, {}, []]
1: int
true: bool
1.5: float
`)
	got, err := Decode(f.Docs[0].Root)
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]any{"a": int64(1), "b": int64(2)}
	want := map[string]any{
		"base": base, "merged": map[string]any{"a": int64(1), "b": int64(3)},
		"list": []any{base, map[string]any{}, []any{}}, "1": "int", "true": "bool", "1.5": "float",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestDecodeErrors: an error names the line and never the value.
func TestDecodeErrors(t *testing.T) {
	for text, want := range map[string]string{
		".inf":              "line 1: not a number that JSON can hold",
		"-.inf":             "line 1: not a number that JSON can hold",
		".nan":              "line 1: not a number that JSON can hold",
		"!!int hunter2":     "line 1: the value does not fit its type",
		"!!binary hunter2":  "line 1: the value does not fit its type",
		"{? [hunter2] : b}": "line 1: a key must be a scalar",
		"{<<: hunter2}":     "line 1: a merge key takes a mapping or a list of mappings",
	} {
		f := parse(t, "a: "+text+"\n")
		_, err := Decode(f.Docs[0].Root)
		if err == nil || err.Error() != want || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
