package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// at writes a span without its file.
func at(s finding.Span) string {
	if s.Start.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d-%d:%d", s.Start.Line, s.Start.Column, s.End.Line, s.End.Column)
}

func parse(t *testing.T, data string) *File {
	t.Helper()
	f, err := Parse("f.yaml", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDocuments(t *testing.T) {
	for data, want := range map[string]int{
		"":                               0,
		"# only a comment\n":             0,
		"---\n---\n":                     0,
		"null\n":                         0,
		"a: 1\n":                         1,
		"a: 1\n---\n# none\n---\nb: 2\n": 2,
		"%YAML 1.1\n---\na: 1\n":         1,
		"{\"a\":\t1}":                    1,
		"a: 1\r\n---\r\nb: 2\r\n":        2,
		"\ufeffa: 1\n---\n\ufeffb: 2\n":  2,
		"a: 1\n...\nb: 2\n":              1, // kustomize drops the second
		"a: 1\n...\nb: 2\n---\nc: 3\n":   2,
		"{\"a\": 1}\n{\"b\": 2}\n":       1,
		"--- # first\na: 1\n--- #\nb: 1": 2,
	} {
		f := parse(t, data)
		if len(f.Docs) != want {
			t.Errorf("%q: %d documents, want %d", data, len(f.Docs), want)
		}
		for i, doc := range f.Docs {
			if doc.Index != i {
				t.Errorf("%q: document %d has index %d", data, i, doc.Index)
			}
		}
	}
}

// TestSyntaxErrors holds the line that an error names: the one where the parser
// gives up. No message quotes a value.
func TestSyntaxErrors(t *testing.T) {
	for data, want := range map[string]string{
		"a: [\n":                                "f.yaml:1:1: not valid YAML: did not find expected node content",
		"a: 1\nb: 2\n  c: 3\n":                  "f.yaml:3:3: not valid YAML: mapping values are not allowed in this context",
		"a:\n  b: 1\n c: 2\n":                   "f.yaml:3:2: not valid YAML: did not find expected key",
		"a:\n- b\n c\n- d: e\n  f\n":            "f.yaml:5:3: not valid YAML: could not find expected ':'",
		"a:\n\tb: 1\n":                          "f.yaml:2:2: not valid YAML: found character that cannot start any token",
		"a: 1\n---\nb: 'hunter2\n":              "f.yaml:3:1: not valid YAML: found unexpected end of stream",
		"a: *hunter2\n":                         "f.yaml:1:1: not valid YAML: an alias names an anchor that is not defined before it",
		"%YAML 1.2\n---\na: 1\n":                "f.yaml:1:1: not valid YAML: found incompatible YAML document",
		"{{ .Values.x }}:\n  {{- if y }}\na: 1": "f.yaml:2:3: not valid YAML: did not find expected node content",
	} {
		_, err := Parse("f.yaml", []byte(data))
		if err == nil {
			t.Errorf("%q: no error", data)
			continue
		}
		if err.(*Error).Unsafe {
			t.Errorf("%q: unsafe", data)
		}
		if err.Error() != want {
			t.Errorf("%q:\n got %s\nwant %s", data, err, want)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error quotes a value", data)
		}
	}
}

func TestIsYAML(t *testing.T) {
	for name, want := range map[string]bool{
		"a.yaml": true, "a/b.yml": true, "c.JSON": true, "k/Kustomization": true,
		"README.md": false, "yaml": false, "kustomization": false, "a.yaml.tmpl": false,
	} {
		if IsYAML(name) != want {
			t.Errorf("IsYAML(%q) = %v", name, !want)
		}
	}
}
