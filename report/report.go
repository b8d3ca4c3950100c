// Package report writes a [finding.Report], for people and for machines.
//
// Every format is one file with one function, listed in [formats]. All of them
// print the findings in the report's order, so equal reports give equal bytes.
//
// Repository text is untrusted: whatever the format, no control character, no
// escape sequence and no invisible or direction-changing character reaches the
// output as itself.
package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
)

// Options of a report. The zero value prints no colour, no source lines and no
// time, and treats errors as failures.
type Options struct {
	// Color turns on ANSI colours in the formats made for terminals. A word or
	// a mark always says the same.
	Color bool
	// Source returns the lines of a file as they may be shown, every secret
	// value masked; nil where the file cannot be shown.
	Source func(file string) []string
	// Elapsed is how long the run took; zero leaves it out, which makes the
	// output of equal runs equal.
	Elapsed time.Duration
	// FailOn is the lowest severity that fails the run; the zero value is
	// [finding.Error].
	FailOn finding.Severity
	// Rules documents the rules of the findings, in any order; a rule that is
	// missing here is reported by its name alone.
	Rules []finding.Rule
	// LinkBase is the web address under which the snapshot's files can be read,
	// such as https://github.com/o/r/blob/SHA; empty leaves places unlinked.
	LinkBase string
	// Diff is what the change under review does to the targets, for formats
	// that show it; DiffWhyNot says why there is none although it was asked for.
	Diff       *diff.Result
	DiffWhyNot string
	// Reach says what each target is made of, for formats that show it.
	Reach []Reach
}

// format is one way of writing a report.
type format struct {
	name  string
	write func(w *bufio.Writer, r *finding.Report, opts Options) error
}

func formats() []format {
	return []format{
		{"text", writeText},
		{"line", writeLine},
		{"json", writeJSON},
		{"sarif", writeSARIF},
		{"junit", writeJUnit},
		{"gitlab", writeGitLab},
		{"github", writeGitHub},
		{"markdown", writeMarkdown},
		{"html", writeHTML},
	}
}

// Formats returns the names that [Write] knows.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// Write writes r to w in the named format. The error is w's, or says that the
// format is unknown and which ones there are.
func Write(w io.Writer, name string, r *finding.Report, opts Options) error {
	for _, f := range formats() {
		if f.name != name {
			continue
		}
		out := bufio.NewWriter(w)
		if err := f.write(out, r, opts); err != nil {
			return fmt.Errorf("%s report: %w", name, err)
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("%s report: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("unknown report format %q (known: %s)", name, strings.Join(Formats(), ", "))
}

// open returns the findings that are not waived.
func open(r *finding.Report) []finding.Finding {
	var out []finding.Finding
	for _, f := range r.Findings {
		if f.Waiver == nil {
			out = append(out, f)
		}
	}
	return out
}
