// Package source reads one YAML or JSON file: the safety check that runs before
// any other parser sees it, its documents, and the way between a JSON pointer
// and a line and column.
//
// A file in a repository is written by somebody else. A few hundred bytes of
// YAML can make kustomize or sops allocate gigabytes or overflow their stack,
// and a file can be laid out so that two parsers read two different things from
// it. [Check] finds both, with a place. [Parse] runs Check first and then gives
// the documents as nodes, as kustomize would read them. Nothing here quotes a
// scalar of the file in a message.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
)

// File is one parsed file. Path is relative to the repository root. Data is
// what was parsed; it must not change.
type File struct {
	Path string
	Data []byte
	Docs []*Document

	lines *lines

	// Of a text that is embedded in a scalar of another file.
	outer   *File
	scalar  *yaml.Node
	written []written // of each byte of Data, in outer; nil where unknown
}

// Document is one document of a file. Root is its content, never a document
// node and never empty; Index counts the documents that have content, from 0.
type Document struct {
	Index int
	Root  *yaml.Node
}

// Error says why a file could not be parsed, and where. Unsafe is set when the
// safety check refused the file, so that no other parser may see it either.
type Error struct {
	Span    finding.Span
	Message string
	Unsafe  bool
}

func (e *Error) Error() string { return e.Span.String() + ": " + e.Message }

// Parse reads the documents of a file. The error is always an *Error.
//
// Problems that are not fatal, such as duplicate keys, are no error here; call
// [Check] for them.
func Parse(path string, data []byte) (*File, error) {
	f, _, err := Read(path, data)
	return f, err
}

// Read is Parse and Check in one, for the price of one.
func Read(path string, data []byte) (*File, []Problem, error) {
	f, problems := read(path, data)
	for i, p := range problems {
		if p.Fatal || p.syntax {
			problems = slices.Delete(problems, i, i+1)
			return nil, problems, &Error{Span: p.Span, Message: p.Message, Unsafe: p.Fatal}
		}
	}
	return f, problems, nil
}

// read parses a file as far as it is safe, and judges it on the way. The
// problems are in the order of the file; after a fatal one nothing is read.
func read(path string, data []byte) (*File, []Problem) {
	f := &File{Path: path, Data: data, lines: newLines(data)}
	if p, bad := checkText(data); bad {
		return f, []Problem{f.textProblem(p)}
	}
	if bytes.Contains(data, []byte("\n"+bom)) {
		// The parser takes a mark in a later document for a part of its first
		// key. kustomize parses each document alone and never sees the mark.
		if parts, problems, ok := readParts(path, data); ok {
			return parts, problems
		}
	}
	w := newWalk(f)
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for n := 0; ; n++ {
		doc, err := decodeNode(dec)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if parts, problems, ok := readParts(path, data); ok {
				return parts, problems
			}
			w.problems = append(w.problems, f.syntaxProblem(err))
			break
		}
		if n > 0 && !isEmpty(doc) {
			w.separator(doc)
		}
		if w.document(doc); w.fatal {
			break
		}
		f.keep(doc)
	}
	return f, w.sorted()
}

// keep adds a document that has content.
func (f *File) keep(doc *yaml.Node) {
	if !isEmpty(doc) {
		f.Docs = append(f.Docs, &Document{Index: len(f.Docs), Root: doc.Content[0]})
	}
}

// decodeNode reads the next document. The parser reports some malformed input
// by panicking with an internal error; that is an error like any other.
func decodeNode(dec *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: malformed document")
		}
	}()
	doc = new(yaml.Node)
	return doc, dec.Decode(doc)
}

// isEmpty reports whether a document holds nothing but comments, or null, which
// kustomize drops in the same way.
func isEmpty(doc *yaml.Node) bool {
	if len(doc.Content) == 0 {
		return true
	}
	root := doc.Content[0]
	return root.Kind == yaml.ScalarNode && root.Tag == nullTag
}

// IsYAML reports whether a file's name says that it holds YAML or JSON: by its
// extension, or because it is a kustomization file.
func IsYAML(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return path.Base(name) == "Kustomization"
}
