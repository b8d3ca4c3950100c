package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
)

// maxLocate is the largest file in which the line of a syntax error is searched
// for by parsing parts of the file; beyond it the parser's own line must do.
const maxLocate = 1 << 20

var errorLine = regexp.MustCompile(`^line (\d+): `)

// syntaxProblem turns the parser's error into a problem with a place. The
// texts of these errors are fixed, except where they name an anchor.
func (f *File) syntaxProblem(err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := errorLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
	}
	if line == 0 || isGrammar(text) {
		line = f.errorLine(err, line)
	}
	span := finding.Span{File: f.Path}
	if line > 0 {
		span = f.lines.wholeLine(f.Path, line)
	}
	switch {
	case strings.HasPrefix(text, "exceeded max depth"):
		return Problem{Span: span, Fatal: true, Message: fmt.Sprintf("nested deeper than %d levels", MaxDepth)}
	case strings.HasPrefix(text, "unknown anchor"):
		text = "an alias names an anchor that is not defined before it"
	case strings.ContainsAny(text, "`\"\n"):
		text = "malformed"
	}
	return Problem{Span: span, Message: "not valid YAML: " + text, syntax: true}
}

// isGrammar tells the errors of the parser's grammar from those of its scanner.
// With the former it names the line before the collection begins that it was
// in, which is of no help.
func isGrammar(text string) bool {
	for _, expected := range []string{"<", "node content", "'-' indicator", "key", "',' or"} {
		if strings.HasPrefix(text, "did not find expected "+expected) {
			return true
		}
	}
	return strings.HasPrefix(text, "found ") && strings.Contains(text, "directive")
}

// errorLine finds the line at which the parser gives up: the last line of the
// shortest beginning of the file that fails in the same way.
func (f *File) errorLine(err error, fallback int) int {
	starts := f.lines.parsed
	if len(f.Data) > maxLocate {
		return fallback
	}
	return 1 + sort.Search(len(starts)-1, func(i int) bool {
		prefix := syntaxError(f.Data[:starts[i+1]])
		return prefix != nil && prefix.Error() == err.Error()
	})
}

// syntaxError parses a text to its end or its first error.
func syntaxError(data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := decodeNode(dec); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

var separatorLine = regexp.MustCompile(`\n---.*\n`)

// readParts reads a file that is not valid as a whole in the way in which
// kustomize and kubectl do: split at lines of three dashes, one document from
// each part. What a part holds beyond that is dropped by them without a word,
// so it is a problem here. It fails where one of the parts is malformed and none
// is dangerous.
func readParts(path string, data []byte) (*File, []Problem, bool) {
	f := &File{Path: path, Data: data, lines: newLines(data)}
	w := newWalk(f)
	malformed := false
	for _, part := range splitParts(data) {
		dec := yaml.NewDecoder(bytes.NewReader(data[part[0]:part[1]]))
		doc, err := decodeNode(dec)
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			malformed = true // parsers may read on, so the rest is judged too
			continue
		}
		before := f.lines.line(part[0]+bomWidth(data[part[0]:])) - 1
		shift(doc, before)
		if w.document(doc); w.fatal {
			break
		}
		f.keep(doc)
		if rest, err := decodeNode(dec); err == nil {
			w.dropped(f.lines.offset(before+rest.Line, rest.Column))
		} else if !errors.Is(err, io.EOF) {
			w.dropped(f.restOfPart(part, before, err))
		}
	}
	return f, w.sorted(), w.fatal || !malformed
}

// splitParts cuts a text as kyaml's ByteReader does.
func splitParts(data []byte) (parts [][2]int) {
	start := 0
	for _, at := range separatorLine.FindAllIndex(data, -1) {
		parts = append(parts, [2]int{start, at[0] + 1})
		start = at[1]
	}
	return append(parts, [2]int{start, len(data)})
}

// restOfPart is the place where the parser stumbles over what follows the first
// document of a part. before counts the lines above the part.
func (f *File) restOfPart(part [2]int, before int, err error) int {
	sub := &File{Data: f.Data[part[0]:part[1]]}
	sub.lines = newLines(sub.Data)
	return f.lines.offset(before+sub.errorLine(err, 1), 1)
}

// shift moves the nodes of a part to their lines in the whole file.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, child := range n.Content {
		shift(child, lines)
	}
}
