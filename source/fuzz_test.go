package source

import (
	"bytes"
	"runtime"
	"strconv"
	"testing"

	yaml "go.yaml.in/yaml/v3"
)

// maxMultiple bounds the memory that judging, parsing and decoding a file may
// allocate for each byte of it, and minMemory what a tiny one may.
const (
	maxMultiple = 4096
	minMemory   = 64 << 20
)

// FuzzCheck: no input panics or takes more than linear memory; what Check
// passes can be parsed and decoded; Find returns each node under its pointer,
// and every span lies within the file.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(bomb(3)))
	f.Add([]byte(aliasChain(20)))
	for _, seed := range []string{
		"a: &a {<<: [*a, {b: c}]}\n", "a: 1\n...\nb: 2\n---\nc: 3\n", "{\"a\": 1}\n{\"b\": 2}\n",
		"\ufeffa: 'x'\n---\n\ufeffb: \"y\\u2028\u2028\"\u0085c: |\n z\n", "? [a, b]\n: {c: !t d}\n1: 2\n",
		"x: &x {a: b}\ny: {<<: *x, a: c}\n'': ''\n", "a: b\n c\n---#: |\n  d: e\n", "%TAG ! x\n--- !y z\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		problems := Check("f.yaml", data)
		file, err := Parse("f.yaml", data)
		if err == nil {
			judge(t, file, problems)
		} else if e := err.(*Error); e.Unsafe != anyFatal(problems) {
			t.Errorf("Parse and Check disagree: %v, %v", e, problems)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > minMemory+maxMultiple*uint64(len(data)) {
			t.Errorf("%d bytes take %d bytes of memory", len(data), used)
		}
	})
}

func anyFatal(problems []Problem) bool {
	for _, p := range problems {
		if p.Fatal {
			return true
		}
	}
	return false
}

func judge(t *testing.T, file *File, problems []Problem) {
	if anyFatal(problems) {
		t.Error("Parse accepts what Check refuses")
	}
	ambiguous := len(problems) > 0
	for _, doc := range file.Docs {
		if _, err := Decode(doc.Root); err == nil && doc.Root.Kind == yaml.ScalarNode && doc.Root.Tag == nullTag {
			t.Error("an empty document was kept")
		}
		checkNode(t, file, doc.Root, doc.Root, "", ambiguous)
	}
}

// checkNode visits the nodes of a document. With duplicate keys or unusual keys
// a pointer does not name one node, so nothing is looked up there.
func checkNode(t *testing.T, file *File, root, n *yaml.Node, pointer string, ambiguous bool) {
	checkSpan(t, file, n)
	if !ambiguous {
		if _, found, ok := Find(root, pointer); !ok || found != n {
			t.Fatalf("%q is not found again", pointer)
		}
	}
	for i, child := range n.Content {
		token := strconv.Itoa(i)
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				checkSpan(t, file, child)
				continue
			}
			key := n.Content[i-1]
			if isMerge(key) || key.Kind == yaml.AliasNode {
				continue
			}
			token = key.Value
		}
		checkNode(t, file, root, child, pointer+Pointer(token), ambiguous)
	}
}

func checkSpan(t *testing.T, file *File, n *yaml.Node) {
	span := file.Span(n)
	lines := bytes.Count(file.Data, []byte("\n")) + bytes.Count(file.Data, []byte("\r")) + 1
	if span.Start.Line < 1 || span.End.Line > lines || span.Start.Column < 1 || span.End.Column < 1 ||
		span.End.Line < span.Start.Line || span.End.Line == span.Start.Line && span.End.Column < span.Start.Column {
		t.Fatalf("impossible span %v", span)
	}
}
