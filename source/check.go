package source

import (
	"slices"

	"github.com/sallyport/sallyport/finding"
)

// The limits of the safety check, set by trying what hurts kustomize 5.8.2. The
// most that 7,700 files of real repositories hold is far below: 0.8 MB, 23,000
// tokens, 37 levels, 8 aliases, 53 keys in one mapping.
const (
	// MaxSize is the largest file, in bytes. Kubernetes refuses objects over
	// 1.5 MiB (etcd's request limit), which leaves room for bundles.
	MaxSize = 16 << 20
	// MaxTokens bounds the bytes that can begin a node (brackets, commas,
	// colons, dashes, line breaks), because a parser needs some 200 bytes of
	// memory for each node, and kustomize 10 µs. It is counted without parsing.
	MaxTokens = 1 << 20
	// MaxDepth is the deepest nesting, aliases followed. kustomize's time grows
	// with the square of the depth: 4,000 levels in 16 KB take 3 seconds.
	MaxDepth = 256
	// MaxAliasNodes is how many nodes the aliases of a file may add to it.
	// kustomize replaces every alias by a copy: a million nodes take 7 seconds,
	// ten million more than 9 GB.
	MaxAliasNodes = 100_000
	// MaxAliasBytes is how many bytes of scalars the aliases of a file may add:
	// a long string under many aliases is a bomb with few nodes.
	MaxAliasBytes = 4 << 20
	// MaxKeyPairs bounds the pairs of keys that are compared to find
	// duplicates, n*n/2 for a mapping of n keys, summed over a file: parsers
	// compare each key with each other. 50,000 keys in one mapping take
	// kustomize 9 seconds; the limit allows one of 10,000.
	MaxKeyPairs = 50_000_000
	// MaxDirectives bounds %YAML and %TAG lines, which parsers compare with each
	// other. No honest file has more than two.
	MaxDirectives = 64
	// maxProblems bounds the problems of one file that are reported: a
	// thousand duplicate keys are one mistake.
	maxProblems = 100
)

// Problem is one thing that makes a file unsafe or ambiguous. Fatal means that
// no parser may see the file. The rest is read differently by different
// parsers, or refused by some: duplicate keys, unknown tags, dropped documents.
type Problem struct {
	Span    finding.Span
	Message string
	Fatal   bool
	Dropped bool // from here on the text is a document that only some parsers see

	syntax bool // the file is not YAML; Check leaves that to Parse
}

// Check judges whether a file may be shown to a YAML parser. It takes time and
// memory linear in the size of the file, whatever the file holds. Problems are
// sorted by place; a file that is merely malformed has none, Parse says so.
func Check(path string, data []byte) []Problem {
	_, problems := read(path, data)
	return slices.DeleteFunc(problems, func(p Problem) bool { return p.syntax })
}

// textProblem turns a problem of the raw text into one with a span.
func (f *File) textProblem(p textProblem) Problem {
	span := finding.Span{File: f.Path}
	if p.end > p.start {
		span = f.lines.span(f.Path, p.start, p.end)
	}
	return Problem{Span: span, Message: p.message, Fatal: true}
}
