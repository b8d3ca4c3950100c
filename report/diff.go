package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/sallyport/sallyport/diff"
)

// DiffOptions of a written diff.
type DiffOptions struct {
	Color bool // ANSI colours in text and unified
	// LinkBase is the web address under which the new snapshot's files can be
	// read; empty leaves places unlinked.
	LinkBase string
}

type diffFormat struct {
	name  string
	write func(w *bufio.Writer, r *diff.Result, opts DiffOptions) error
}

func diffFormats() []diffFormat {
	return []diffFormat{
		{"text", writeDiffText},
		{"unified", writeDiffUnified},
		{"markdown", writeDiffMarkdown},
		{"html", writeDiffHTML},
		{"json", func(w *bufio.Writer, r *diff.Result, _ DiffOptions) error { return encodeJSON(w, r) }},
	}
}

// DiffFormats returns the names that [WriteDiff] knows. All but text and json
// print what diff.Options.Unified asks for.
func DiffFormats() []string {
	var names []string
	for _, f := range diffFormats() {
		names = append(names, f.name)
	}
	return names
}

// WriteDiff writes a diff in the named format. The error is w's, or says that
// the format is unknown.
func WriteDiff(w io.Writer, name string, r *diff.Result, opts DiffOptions) error {
	for _, f := range diffFormats() {
		if f.name != name {
			continue
		}
		out := bufio.NewWriter(w)
		if err := f.write(out, r, opts); err != nil {
			return fmt.Errorf("%s diff: %w", name, err)
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("%s diff: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("unknown diff format %q (known: %s)", name, strings.Join(DiffFormats(), ", "))
}
