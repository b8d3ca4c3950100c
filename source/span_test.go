package source

import "testing"

// TestSpan holds the token of the value at a pointer. Columns count runes.
func TestSpan(t *testing.T) {
	for name, test := range map[string]struct{ data, pointer, want string }{
		"plain":               {"a: bcd\n", "/a", "1:4-1:7"},
		"non-ASCII before":    {"ä: {ö: üü, 日本: 語}\n", "/ä/日本", "1:16-1:17"},
		"non-ASCII value":     {"a: 日本語 # x\n", "/a", "1:4-1:7"},
		"beyond the BMP":      {"a: [😀😀, b]\n", "/a/1", "1:9-1:10"},
		"byte order mark":     {"\ufeffa: bcd\n", "/a", "1:4-1:7"},
		"mark in document 2":  {"a: 1\n---\n\ufeffb: c\n", "/b", "3:4-3:5"},
		"double quoted":       {"a: \"b\\\"c\" # x\n", "/a", "1:4-1:10"},
		"single quoted":       {"a: 'b''c'\n", "/a", "1:4-1:10"},
		"quoted over lines":   {"a: \"b\n  c\"\n", "/a", "1:4-2:5"},
		"plain over lines":    {"a: b c  \n  d\n", "/a", "1:4-1:7"},
		"literal block":       {"a: |- # x\n  b\n  c\n", "/a", "1:4-1:10"},
		"folded block":        {"a: >\n  b\n", "/a", "1:4-1:5"},
		"empty":               {"a:\nb: 1\n", "/a", "1:3-1:3"},
		"empty in flow":       {"{a: , b: 1}\n", "/a", "1:5-1:5"},
		"anchor":              {"a: &x bcd\n", "/a", "1:7-1:10"},
		"anchor and tag":      {"a: !!str &x bcd\n", "/a", "1:13-1:16"},
		"tag over lines":      {"a: !!str\n  bcd\n", "/a", "2:3-2:6"},
		"non-specific tag":    {"a: ! bcd\n", "/a", "1:6-1:9"},
		"anchor, empty":       {"a: &x\nb: 1\n", "/a", "1:4-1:4"},
		"mapping":             {"a:\n  b: c\n  d: e\n", "/a", "2:3-2:7"},
		"sequence":            {"a:\n- b\n- c\n", "/a", "2:1-2:4"},
		"flow mapping":        {"a: {b: c}\n", "/a", "1:4-1:10"},
		"CRLF":                {"a: 1\r\nb: 'c'\r\n", "/b", "2:4-2:7"},
		"lone CR":             {"a: 1\rb: 'c'\r", "/b", "2:4-2:7"},
		"line separator":      {"a: \"x\u2028y\"\nb: c\n", "/b", "2:4-2:5"},
		"next line":           {"a: 1\u0085b: c\nd: e\n", "/d", "2:4-2:5"},
		"JSON":                {"{\n\t\"a\": {\"b\": \"c\"}\n}", "/a/b", "2:13-2:16"},
		"key through merge":   {"x: &x {b: c}\na:\n  <<: *x\n", "/a/b", "1:11-1:12"},
		"alias":               {"x: &x b\na: *x\n", "/a", "2:4-2:6"},
		"after a JSON stream": {"{\"a\": 1}\n{\"b\": 2}\n---\nc: d\n", "/c", "4:4-4:5"},
		"colon in plain":      {"a: b:c\n", "/a", "1:4-1:7"},
		"flow plain":          {"a: [b c, d]\n", "/a/0", "1:5-1:8"},
		"tab before":          {"a:\tb\n", "/a", "1:4-1:5"},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, test.data)
			_, value, ok := Find(f.Docs[len(f.Docs)-1].Root, test.pointer)
			if !ok {
				t.Fatal("not found")
			}
			if got := at(f.Span(value)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSpanOfKey(t *testing.T) {
	f := parse(t, "spec:\n  'a/b': 1\n")
	key, _, _ := Find(f.Docs[0].Root, "/spec/a~1b")
	if got := at(f.Span(key)); got != "2:3-2:8" {
		t.Errorf("got %s", got)
	}
	if span := f.Span(nil); span.File != "f.yaml" || span.Start.Line != 0 {
		t.Errorf("no node: %v", span)
	}
}
