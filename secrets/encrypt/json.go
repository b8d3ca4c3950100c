package encrypt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	sopsjson "github.com/getsops/sops/v3/stores/json"
	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// jsonLayout seals JSON: an object, whatever its layout.
type jsonLayout struct {
	path   string
	indent int
}

// newJSON takes sops' way of indenting: 0 and below is a tab.
func newJSON(path string, data []byte, indent int) jsonLayout {
	if indent == 0 {
		indent = jsonIndentOf(data)
	}
	return jsonLayout{path, indent}
}

// jsonIndentOf is how deep the first indented line is, -1 for a tab.
func jsonIndentOf(data []byte) int {
	for line := range bytes.Lines(data) {
		text := bytes.TrimLeft(line, " ")
		if n := len(line) - len(text); n > 0 && len(bytes.TrimSpace(text)) > 0 {
			return n
		}
	}
	return -1
}

func (j jsonLayout) store() sops.Store {
	return sopsjson.NewStore(&config.JSONStoreConfig{Indent: j.indent})
}

// insert puts the block in front of the brace that closes the file: on lines of
// its own where the brace has one.
func (j jsonLayout) insert(data []byte) ([]insertion, error) {
	for _, p := range source.Check(j.path, data) {
		return nil, &Error{Span: p.Span, Message: p.Message}
	}
	if !json.Valid(data) || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return nil, refusal("is not a JSON object")
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil || top["sops"] != nil {
		return nil, refusal("has a key sops, which sops keeps for itself")
	}
	brace := bytes.LastIndexByte(data, '}')
	end := len(bytes.TrimRight(data[:brace], " \t\r\n"))
	if !bytes.Contains(data[end:brace], []byte("\n")) {
		return []insertion{{at: end, render: func(block []byte) string { return ", " + oneLine(block) }}}, nil
	}
	br := newline(data)
	return []insertion{{at: end, render: func(block []byte) string {
		inner := lines(block)
		return "," + br + strings.Join(inner[1:len(inner)-1], br)
	}}}, nil
}

// oneLine turns the block, which a JSON or YAML store wrote, into a member of a
// flow mapping: JSON without its outer braces.
func oneLine(block []byte) string {
	var members map[string]any
	if yaml.Unmarshal(block, &members) != nil { // JSON is YAML
		return ""
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(members) != nil {
		return ""
	}
	text := strings.TrimSpace(out.String())
	return text[1 : len(text)-1]
}

// slots lists the places of all values but those of the sops block.
func (j jsonLayout) slots(data []byte) (values, comments []slot, err error) {
	w := &jsonWalk{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	w.dec.UseNumber()
	if err := w.value(0); err != nil {
		return nil, nil, errTree
	}
	return w.out, nil, nil
}

type jsonWalk struct {
	data []byte
	dec  *json.Decoder
	out  []slot
	skip int // depth of the sops block that is passed over, 0 for none
}

// value reads a value. depth counts the collections around it.
func (w *jsonWalk) value(depth int) error {
	from := w.dec.InputOffset()
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return w.object(depth + 1)
	case json.Delim('['):
		for w.dec.More() {
			if err := w.value(depth + 1); err != nil {
				return err
			}
		}
		_, err := w.dec.Token()
		return err
	}
	if w.skip == 0 {
		start := int(from)
		for isBlank(w.data[start]) || w.data[start] == ':' || w.data[start] == ',' {
			start++
		}
		w.out = append(w.out, slot{stretch: stretch{start, int(w.dec.InputOffset())}, quote: `"`})
	}
	return nil
}

func (w *jsonWalk) object(depth int) error {
	for w.dec.More() {
		key, err := w.dec.Token()
		if err != nil {
			return err
		}
		if depth == 1 && key == "sops" {
			w.skip = depth
		}
		if err := w.value(depth); err != nil {
			return err
		}
		if depth == w.skip {
			w.skip = 0
		}
	}
	_, err := w.dec.Token()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// binaryStore seals a file as a whole: sops wraps it into JSON.
func binaryStore(indent int) sops.Store {
	if indent == 0 {
		indent = -1
	}
	return sopsjson.NewBinaryStore(&config.JSONBinaryStoreConfig{Indent: indent})
}
