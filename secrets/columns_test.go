package secrets

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

const encStr = "ENC[AES256_GCM,data:c4nary==,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"

var columnFiles = memTree{
	"plain.yaml":  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q, labels: {a: b}}\ndata:\n  a: |\n    text\n",
	"block.yaml":  "apiVersion: v1\nkind: Secret\nmetadata: {name: q}\nstringData:\n  a: |\n    c4nary\n    more\n  b: \"c4nary é\" # note\n  c: &x c4nary\n  d: >-\n    c4nary\n\n    x\nextra: true\n",
	"crlf.yaml":   "apiVersion: v1\r\nkind: Secret\r\nstringData: {a: c4nary,\r\n  b: 'c4nary\r\n    folded', c: 3}\r\nx: [1, 2]\r\n",
	"flow.json":   `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"q"},"stringData":{"a":"c4nary","ü":"c"},"typo":1}`,
	"sealed.json": `{"apiVersion":"v1","kind":"Secret","sops":{"mac":"` + encStr + `","version":"3.9.0",` + "\n" + `"age":[]},"stringData":{"a":"` + encStr + `","b":"` + encStr + `"},"typo":{"x":[1,2]}}`,
	"sealed.yaml": "apiVersion: v1\nkind: Secret\nstringData:\n    a: " + encStr + "\n    b: {c: \"" + encStr + "\", d: '" + encStr + "'}\nsops:\n    mac: x\n    version: 3.9.0\n    age: []\n---\napiVersion: v1\nkind: Secret\nstringData: {a: c4nary, b: 1}\n",
	"kustomization.yaml": "secretGenerator:\n- {name: a, literals: [a=c4nary, \"b=c4nary\"], type: Opaque}\n" +
		"patches:\n- patch: '{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"q\"}, \"stringData\": {\"a\": \"c4nary\"}}'\n  target: {kind: Secret}\n",
}

// Every key and value that sealing leaves has its place in the repository, and
// so has every value that a token stands for.
func TestOriginal(t *testing.T) {
	s := seal(t, columnFiles)
	for path, text := range columnFiles {
		before, err := source.Parse(path, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sealed := read(t, s, path)
		after, err := source.Parse(path, []byte(sealed))
		if err != nil {
			t.Fatal(err)
		}
		if path != "plain.yaml" && sealed == text {
			t.Errorf("%s is not sealed, so this proves nothing", path)
		}
		for i, doc := range after.Docs {
			compareSpans(t, s, before, after, before.Docs[i].Root, doc.Root, text == sealed)
		}
	}
}

func compareSpans(t *testing.T, s *Sealed, before, after *source.File, a, b *yaml.Node, same bool) {
	t.Helper()
	got, want := s.Original(after.Span(b)), before.Span(a)
	if scalar := a.Kind == yaml.ScalarNode; scalar && got != want || got.Start != want.Start {
		t.Errorf("%s is placed at %v, want %v", after.Span(b), got, want)
	}
	if !withinLines(got, string(before.Data)) {
		t.Errorf("%v is outside the lines of the file", got)
	}
	if same && s.Original(got) != got {
		t.Errorf("%v of a file that is not edited becomes %v", got, s.Original(got))
	}
	if a.Kind == yaml.AliasNode {
		return
	}
	rest := a.Content
	if a.Kind == yaml.MappingNode { // the sops block is not in the sealed text
		rest = nil
		for i := 0; i+1 < len(a.Content); i += 2 {
			if a.Content[i].Value != "sops" {
				rest = append(rest, a.Content[i], a.Content[i+1])
			}
		}
	}
	for i, n := range b.Content {
		compareSpans(t, s, before, after, rest[i], n, same)
	}
}

func withinLines(span finding.Span, text string) bool {
	all := lines(text)
	in := func(p finding.Position) bool {
		return p.Line >= 1 && p.Line <= len(all)+1 && p.Column >= 1 && (p.Line > len(all) || p.Column <= len([]rune(all[p.Line-1]))+1)
	}
	return in(span.Start) && in(span.End)
}

// Any span of the sealed text, whatever it covers, stays within the lines of the
// file, and does not end before it starts.
func TestOriginalStaysInTheFile(t *testing.T) {
	s := seal(t, columnFiles)
	for path, text := range columnFiles {
		sealed := newText(path, []byte(read(t, s, path)))
		for from := 0; from <= len(sealed.data); from += 3 {
			for _, to := range []int{from, from + 1, from + 40, sealed.lineEnd(from)} {
				to = min(to, len(sealed.data))
				if inBreak(sealed.data, from) || inBreak(sealed.data, to) {
					continue
				}
				span := sealed.span(from, to)
				got := s.Original(span)
				if !withinLines(got, text) || got.End.Line < got.Start.Line || got.End.Line == got.Start.Line && got.End.Column < got.Start.Column {
					t.Fatalf("%v becomes %v", span, got)
				}
				if got.Start.Line != span.Start.Line && !strings.Contains(text, "\r\n    folded") {
					t.Fatalf("%v becomes %v: another line", span, got)
				}
			}
		}
	}
}

// inBreak reports whether a byte is the second one of CR LF, which has no column.
func inBreak(data []byte, at int) bool {
	return at > 0 && at < len(data) && data[at-1] == '\r' && data[at] == '\n'
}

func TestOriginalOfNothing(t *testing.T) {
	s := seal(t, columnFiles)
	for _, span := range []finding.Span{{}, {File: "flow.json"}, {File: "absent", Start: finding.Position{Line: 3, Column: 4}}} {
		if got := s.Original(span); got != span {
			t.Errorf("%v becomes %v", span, got)
		}
	}
}
