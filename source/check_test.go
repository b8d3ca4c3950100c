package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"

// bomb returns a file whose aliases expand to 10^levels scalars.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString(head + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < levels; i++ {
		item := fmt.Sprintf("*a%d", i-1)
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Join([]string{item, item, item, item, item, item, item, item, item, item}, ", "))
	}
	return b.String()
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: v\n", i)
	}
	return b.String()
}

// TestCheckFatal holds what no parser may see. The wanted place is a span
// without the file.
func TestCheckFatal(t *testing.T) {
	for name, test := range map[string]struct{ data, at, message string }{
		"alias bomb":               {bomb(6), "8:55-8:58", "aliases expand to more than 100000 nodes"},
		"self alias":               {"a: &a\n  b: *a\n", "2:6-2:8", "an anchor contains an alias to itself"},
		"self alias in document 2": {"a: 1\n---\na: &a [*a]\n", "3:8-3:10", "an anchor contains an alias to itself"},
		"self alias in document 3": {"a: 1\n---\nb: 2\n---\n&a a: *a\nb: &b {c: {d: *b}}\n", "6:15-6:17", "an anchor contains an alias to itself"},
		"cyclic merge":             {"a: &a\n  <<: *a\n", "2:7-2:9", "an anchor contains an alias to itself"},
		"cyclic merge list":        {"a: &a\n  <<: [{b: c}, *a]\n", "2:16-2:18", "an anchor contains an alias to itself"},
		"string under aliases":     {"a: &a " + strings.Repeat("x", 1<<20) + "\nb: [*a, *a, *a, *a, *a]\n", "2:21-2:23", "aliases expand to more than 4 MiB"},
		"flow depth":               {strings.Repeat("[", 300) + strings.Repeat("]", 300), "1:257-1:601", "nested deeper than 256 levels"},
		"parser depth":             {strings.Repeat("[", 20000), "1:1-1:20001", "nested deeper than 256 levels"},
		"block depth":              {strings.Repeat("- ", 300) + "x", "1:513-1:602", "nested deeper than 256 levels"},
		"alias depth":              {aliasChain(300), "255:14-255:19", "nested deeper than 256 levels when its alias is followed"},
		"keys":                     {"a:\n  b: 1\n---\n" + keys(10_001), "4:1-4:6", "mappings have too many keys: more than 50000000 pairs to compare"},
		"tokens":                   {strings.Repeat("-\n", 1<<20), "524289:1-524289:2", "more than 1048576 nodes may follow from the punctuation up to here"},
		"directives":               {strings.Repeat("%TAG !a! x\n", 100) + "--- a\n", "65:11-66:1", "more than 64 directives"},
		"size":                     {strings.Repeat("#", MaxSize+1), "", "larger than 16 MiB"},
		"UTF-16 LE":                {"\xff\xfea\x00:\x00", "1:1-1:2", "encoded as UTF-16, not as UTF-8"},
		"UTF-16 BE":                {"\xfe\xff\x00a\x00:", "1:1-1:2", "encoded as UTF-16, not as UTF-8"},
		"UTF-16 without a mark":    {"a\x00:\x00 \x00", "1:1-1:2", "encoded as UTF-16, not as UTF-8"},
		"UTF-32":                   {"\xff\xfe\x00\x00a\x00\x00\x00", "1:1-1:2", "encoded as UTF-32, not as UTF-8"},
		"Latin-1":                  {"a: caf\xe9\n", "1:7-1:8", "not valid UTF-8"},
		"surrogate":                {"a: ä\xed\xa0\x80\n", "1:5-1:6", "not valid UTF-8"},
		"NUL":                      {"a: 'x\x00'\n", "1:6-1:7", "control character U+0000, which YAML does not allow"},
		"escape":                   {"# \x1b[2J\n", "1:3-1:4", "control character U+001B, which YAML does not allow"},
		"C1":                       {"a: \u0090\n", "1:4-1:5", "control character U+0090, which YAML does not allow"},
		"behind a malformed one":   {"a: [\n---\nb: &b\n  c: *b\n", "4:6-4:8", "an anchor contains an alias to itself"},
		"behind a dropped one":     {"a: 1\n...\n]\n---\nb: &b [*b]\n---\n[\n", "5:8-5:10", "an anchor contains an alias to itself"},
		"hidden document":          {head + "---#: |\n  kind: Secret\n", "4:1-4:4", "kustomize splits documents here and YAML does not: put a space after ---"},
		"hidden document, CRLF":    {"a: b\r\n---#: |\r\n  kind: Secret\r\n", "2:1-2:4", "kustomize splits documents here and YAML does not: put a space after ---"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := slices.DeleteFunc(Check("f.yaml", []byte(test.data)), func(p Problem) bool { return !p.Fatal })
			if len(problems) != 1 {
				t.Fatalf("want one fatal problem, got %v", problems)
			}
			if got := at(problems[0].Span); got != test.at || problems[0].Message != test.message {
				t.Errorf("got  %s %s\nwant %s %s", got, problems[0].Message, test.at, test.message)
			}
			if _, err := Parse("f.yaml", []byte(test.data)); err == nil || !err.(*Error).Unsafe {
				t.Errorf("Parse accepts it: %v", err)
			}
		})
	}
}

// aliasChain nests n levels deep, each through an alias of the one before.
func aliasChain(n int) string {
	b := strings.Builder{}
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d]\n", i, i, i-1)
	}
	return b.String()
}

// TestCheckWarnings holds what some parsers refuse or read differently.
func TestCheckWarnings(t *testing.T) {
	const drop = "kustomize and kubectl drop this document: separate it from the one before by a line of three dashes"
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"duplicate key":            {"a: 1\nb: 2\na: 3\n", []string{`3:1-3:2 duplicate key "a", first set on line 1`}},
		"duplicate key in a list":  {"l:\n- {a: 1, a: 2}\n", []string{`2:10-2:11 duplicate key "a", first set on line 2`}},
		"duplicate in a big map":   {keys(20) + "\"k3\": 2\n", []string{`21:1-21:5 duplicate key "k3", first set on line 4`}},
		"null and its text":        {"null: 1\n'null': 2\n", []string{`1:1-1:5 the key "null" is not a string to YAML: put it in quotes`, `2:1-2:7 duplicate key "null", first set on line 1`}},
		"duplicate through alias":  {"&a x: 1\n*a : 2\n", []string{`2:1-2:3 duplicate key "x", first set on line 1`}},
		"two merge keys":           {"a: &a {b: 1}\nc:\n  <<: *a\n  <<: *a\n", []string{`4:3-4:5 duplicate key "<<", first set on line 3`}},
		"own key over merged":      {"a: &a {b: 1}\nc:\n  b: 2\n  <<: *a\n", nil},
		"number as key":            {"data:\n  80: web\n", []string{`2:3-2:5 the key "80" is not a string to YAML: put it in quotes`}},
		"YAML 1.1 key":             {"on: push\nyes: no\n", nil},
		"collection as key":        {"? [a]\n: b\n", []string{"1:3-1:6 a key must be a string, not a collection"}},
		"unknown tag":              {"a: !vault |\n  x\nb: !!python/object:os.system {}\n", []string{`1:11-1:12 the tag "!vault" is ignored by kustomize and refused by other parsers`, `3:30-3:32 the tag "!!python/object:os.system" is ignored by kustomize and refused by other parsers`}},
		"core tags":                {"a: !!str 1\nb: !!binary aGk=\nc: ! x\nd: !<tag:yaml.org,2002:int> 3\n", nil},
		"after three dots":         {"a: 1\n...\nb: 2\n", []string{"3:1-3:5 " + drop}},
		"dots, then dashes":        {"a: 1\n...\n---\nb: 2\n", nil},
		"JSON stream":              {`{"a": 1}` + "\n" + `{"b": 2}` + "\n", []string{"2:1-2:9 " + drop}},
		"dashes after lone CR":     {"a: 1\r---\rb: 2\r", []string{"2:1-2:4 " + drop}},
		"dashes at the end":        {"a: 1\n--- {b: 2}", []string{"2:1-2:11 " + drop}},
		"comment after dashes":     {"a: 1\n--- # second\nb: 2\n", nil},
		"empty documents":          {"---\n---\n# c\n---\na: 1\n---\n", nil},
		"anchors and merge keys":   {"x: &x {a: b}\ny: &y [*x, *x]\nz: {<<: *x, c: *y}\n", nil},
		"byte order mark":          {"\ufeffa: 1\n---\n\ufeffb: 2\n", nil},
		"tabs, CRLF and separator": {"a:\t1\r\n---\r\nb: 2\r\n", nil},
		"malformed":                {"a: [\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range Check("f.yaml", []byte(test.data)) {
				if p.Fatal {
					t.Errorf("fatal: %v", p)
				}
				got = append(got, at(p.Span)+" "+p.Message)
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestCheckIsLinear holds the shapes that cost a parser more than linear time
// or a large multiple of memory. No time is measured: a parser that is hurt by one
// does not come back before the test's timeout.
func TestCheckIsLinear(t *testing.T) {
	const n = 1 << 20
	for name, data := range map[string]string{
		"open brackets":  strings.Repeat("[", n),
		"open braces":    strings.Repeat("{a: ", n/4),
		"dashes":         strings.Repeat("- ", n/2),
		"question marks": strings.Repeat("? ", n/2),
		"tag directives": strings.Repeat("%TAG !a! tag:x\n", n/16) + "--- a\n",
		"comments":       "a: b\n" + strings.Repeat("#\n", n/2) + "c: d\n",
		"anchors":        strings.Repeat("- &a x\n- *a\n", n/12),
		"documents":      strings.Repeat("--- a\n...\n", n/10),
		"one long line":  "a:" + strings.Repeat(" ", n) + "b",
		"duplicates":     strings.Repeat("a: b\n", 9000),
		"error at end":   strings.Repeat("a: [b, c]\n", 9000) + "]",
	} {
		t.Run(name, func(t *testing.T) {
			Check("f.yaml", []byte(data))
		})
	}
}
