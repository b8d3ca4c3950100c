package encrypt

import (
	"bytes"
	"errors"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	sopsyaml "github.com/getsops/sops/v3/stores/yaml"
	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// yamlLayout seals YAML. Every document that holds anything gets the sops block,
// as sops writes it; sops reads only that of the first one.
type yamlLayout struct {
	path   string
	indent int
}

// defaultIndent is that of nearly all manifests. sops' own is 4.
const defaultIndent = 2

func newYAML(path string, data []byte, indent int) yamlLayout {
	if indent <= 0 {
		indent = indentOf(data)
	}
	return yamlLayout{path, indent}
}

// indentOf is how deep the first indented line is that holds a key.
func indentOf(data []byte) int {
	for line := range bytes.Lines(data) {
		text := bytes.TrimLeft(line, " ")
		if n := len(line) - len(text); n > 1 && n <= 8 && text[0] != '#' && text[0] != '-' && bytes.Contains(text, []byte(":")) {
			return n
		}
	}
	return defaultIndent
}

func (y yamlLayout) store() sops.Store {
	return sopsyaml.NewStore(&config.YAMLStoreConfig{Indent: y.indent})
}

// insert puts the block at the end of every document.
func (y yamlLayout) insert(data []byte) ([]insertion, error) {
	f, err := y.parse(data)
	if err != nil {
		return nil, err
	}
	if err := y.judge(f, data); err != nil {
		return nil, err
	}
	p := newPage(data)
	out := make([]insertion, len(f.Docs))
	for i, doc := range f.Docs {
		start := p.offset(f.Span(doc.Root).Start)
		end := documentEnd(p, start)
		if doc.Root.Style&yaml.FlowStyle != 0 {
			out[i], err = y.inFlow(f, doc.Root, start, end)
			if err != nil {
				return nil, err
			}
			continue
		}
		out[i] = y.inBlock(data, doc.Root, end)
	}
	return out, nil
}

func (y yamlLayout) parse(data []byte) (*source.File, error) {
	f, err := source.Parse(y.path, data)
	var broken *source.Error
	if errors.As(err, &broken) {
		return nil, &Error{Span: broken.Span, Message: broken.Message}
	}
	return f, err
}

// judge refuses what sops cannot encrypt, or reads differently.
func (y yamlLayout) judge(f *source.File, data []byte) error {
	for _, p := range source.Check(y.path, data) {
		return &Error{Span: p.Span, Message: p.Message}
	}
	if bytes.Contains(data, []byte("\n"+bom)) {
		return refusal("has a byte order mark inside, which parsers read differently; take it out")
	}
	if len(f.Docs) == 0 {
		return refusal("holds nothing")
	}
	for _, doc := range f.Docs {
		if doc.Root.Kind != yaml.MappingNode {
			return &Error{Span: f.Span(doc.Root), Message: "holds a document that is not a mapping; sops encrypts the values of keys"}
		}
		for i := 0; i+1 < len(doc.Root.Content); i += 2 {
			if key := doc.Root.Content[i]; key.Value == "sops" {
				return &Error{Span: f.Span(key), Message: "has a key sops, which sops keeps for itself"}
			}
		}
	}
	return nil
}

// documentEnd is where the document that holds at ends: in front of the next
// marker, or at the end of the text.
func documentEnd(p page, at int) int {
	for at = p.nextLine(p.lineEnd(at)); at < len(p.data); at = p.nextLine(p.lineEnd(at)) {
		if isMarker(p.data[at:p.lineEnd(at)]) {
			return at
		}
	}
	return len(p.data)
}

func isMarker(line []byte) bool {
	for _, marker := range []string{"---", "..."} {
		if rest, ok := bytes.CutPrefix(line, []byte(marker)); ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t') {
			return true
		}
	}
	return false
}

// inBlock puts the block behind the last line of a document, as deep as its
// keys.
func (y yamlLayout) inBlock(data []byte, root *yaml.Node, end int) insertion {
	br, first := newline(data), ""
	if end == len(data) && !bytes.HasSuffix(data, []byte("\n")) {
		first = br
	}
	margin := strings.Repeat(" ", root.Column-1)
	return insertion{at: end, render: func(block []byte) string {
		var out strings.Builder
		out.WriteString(first)
		for _, line := range lines(block) {
			out.WriteString(margin + line + br)
		}
		return out.String()
	}}
}

// inFlow puts the block, as JSON on one line, in front of the brace that closes
// a document.
func (y yamlLayout) inFlow(f *source.File, root *yaml.Node, start, end int) (insertion, error) {
	w := &slotWalk{file: f, page: newPage(f.Data)}
	w.node(root, false, nil)
	gaps := w.gaps(start, end)
	for i := len(gaps) - 1; i >= 0; i-- {
		at := bytes.LastIndexByte(f.Data[gaps[i].from:gaps[i].to], '}')
		if at < 0 {
			continue
		}
		at += gaps[i].from
		comma := ", "
		if before := bytes.TrimRight(f.Data[:at], " \t\r\n"); before[len(before)-1] == ',' {
			comma = " "
		}
		return insertion{at: at, render: func(block []byte) string { return comma + oneLine(block) }}, nil
	}
	return insertion{}, &Error{Span: f.Span(root), Message: "is laid out so that its end is not clear"}
}

// slots lists the places of all leaves but those of the sops blocks.
func (y yamlLayout) slots(data []byte) (values, comments []slot, err error) {
	f, err := y.parse(data)
	if err != nil {
		return nil, nil, err
	}
	p := newPage(data)
	for _, doc := range f.Docs {
		w := &slotWalk{file: f, page: p}
		w.node(doc.Root, true, nil)
		start := p.offset(f.Span(doc.Root).Start)
		comments = append(comments, w.comments(w.gaps(documentStart(p, start), documentEnd(p, start)))...)
		values = append(values, w.values...)
	}
	return values, comments, nil
}

// documentStart is the start of the first line behind the marker in front of
// at, comments of the document included.
func documentStart(p page, at int) int {
	start := p.starts[0]
	for _, line := range p.starts {
		if line > at {
			break
		}
		if isMarker(p.data[line:p.lineEnd(line)]) {
			start = line
		}
	}
	return start
}
