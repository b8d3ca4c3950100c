package source

import "testing"

// TestEmbedded holds where the value of /b inside the text at /patch is written.
func TestEmbedded(t *testing.T) {
	for name, test := range map[string]struct{ data, want string }{
		"literal":           {"patch: |-\n  a: 1\n\n  b: two # x\n", "4:6-4:9"},
		"literal, indented": {"x:\n- patch: |2\n      a: 1\n      b: two\n", ""},
		"literal, CRLF":     {"patch: |\r\n  a: 1\r\n  b: two\r\n", "3:6-3:9"},
		"folded":            {"patch: >\n  {a: 1,\n  b: two}\n", "3:6-3:9"},
		"plain":             {"patch: '{a: 1, b: two}'\n", "1:19-1:22"},
		"single quotes":     {"patch: '{a: ''1'', b: ''two''}'\n", "1:23-1:30"},
		"double quotes":     {"patch: \"a: \\\"1\\\"\\nb: two\"\n", "1:22-1:25"},
		"JSON in JSON":      {"{\"patch\": \"{\\\"a\\\": 1, \\\"b\\\": \\\"two\\\"}\"}\n", "1:30-1:37"},
		"double, continued": {"patch: \"{a: 1, \\\n  b: two}\"\n", "2:6-2:9"},
		"non-ASCII":         {"patch: |\n  ä: ü\n  b: ßß\n", "3:6-3:8"},
		"anchor":            {"patch: &p |\n  b: two\n", "2:6-2:9"},
		"second document":   {"patch: |\n  a: 1\n  ---\n  b: two\n", "4:6-4:9"},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, test.data)
			_, patch, ok := Find(f.Docs[0].Root, "/patch")
			if !ok {
				_, patch, _ = Find(f.Docs[0].Root, "/x/0/patch")
			}
			inner, err := f.Embedded(patch)
			if err != nil {
				t.Fatal(err)
			}
			_, value, ok := Find(inner.Docs[len(inner.Docs)-1].Root, "/b")
			if !ok {
				t.Fatal("not found")
			}
			if test.want == "" {
				test.want = "4:10-4:13"
			}
			if got := at(inner.Span(value)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestEmbeddedUnknown: where the text cannot be followed, the scalar that holds
// it is the place.
func TestEmbeddedUnknown(t *testing.T) {
	f := parse(t, "patch: \"b: \\x41bc\"\n")
	_, patch, _ := Find(f.Docs[0].Root, "/patch")
	inner, err := f.Embedded(patch)
	if err != nil {
		t.Fatal(err)
	}
	_, value, _ := Find(inner.Docs[0].Root, "/b")
	if got := at(inner.Span(value)); got != "1:8-1:19" {
		t.Errorf("got %s", got)
	}
	if _, err := f.Embedded(f.Docs[0].Root.Content[0]); err != nil {
		t.Errorf("plain text is YAML: %v", err)
	}
}

func TestEmbeddedErrors(t *testing.T) {
	f := parse(t, "x: 1\npatch: |\n  a: &a [*a]\n")
	_, patch, _ := Find(f.Docs[0].Root, "/patch")
	_, err := f.Embedded(patch)
	if err == nil || !err.(*Error).Unsafe || err.(*Error).Span.Start.Line != 2 {
		t.Errorf("got %v", err)
	}
}
