package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/testdata/attacks"
)

// repository is a fixture's repository, as check is played with it.
type repository struct{ *attacks.Repository }

// wanted is a finding as a fixture names it.
type wanted struct {
	rule     string
	severity finding.Severity
	file     string
	line     int // 0 for the whole file
}

func (w wanted) String() string {
	return fmt.Sprintf("%s %s %s:%d", w.severity, w.rule, cmp.Or(w.file, "(no file)"), w.line)
}

func wantOf(f finding.Finding) wanted {
	return wanted{f.Rule, f.Severity, f.Location.File, f.Location.Start.Line}
}

// newWanted reads RULE or warning:RULE.
func newWanted(rule, file string, line int) wanted {
	w := wanted{rule, finding.Error, file, line}
	if after, ok := strings.CutPrefix(rule, "warning:"); ok {
		w.rule, w.severity = after, finding.Warning
	}
	return w
}

// wants gathers what the fixture wants of the branch that is checked out: from
// the marks in its files, and from the section want.
func (r repository) wants(t *testing.T) []wanted {
	t.Helper()
	var out []wanted
	for _, name := range strings.Split(strings.TrimSuffix(r.Git("ls-files", "-z"), "\x00"), "\x00") {
		data, err := os.ReadFile(r.Path(name))
		if err != nil {
			continue // a link or a submodule
		}
		for i, line := range strings.Split(string(data), "\n") {
			if mark := attacks.WantMark.FindStringSubmatch(line); mark != nil {
				for _, rule := range strings.Fields(mark[1]) {
					out = append(out, newWanted(rule, name, i+1))
				}
			}
		}
	}
	for _, line := range r.Attack.Want {
		rule, place, _ := strings.Cut(line, " ")
		file, text, _ := strings.Cut(r.Expand(place), " ")
		out = append(out, newWanted(rule, file, 0))
		last := &out[len(out)-1]
		if name, number, ok := strings.Cut(file, ":"); ok {
			last.file = name
			last.line, _ = strconv.Atoi(number)
		} else if text != "" {
			last.line = r.lineOf(t, file, text)
		}
	}
	return out
}

// lineOf returns the one line of a file that holds a text: of the branch, or of
// the last commit that had the file.
func (r repository) lineOf(t *testing.T, file, text string) int {
	t.Helper()
	for _, commit := range strings.Fields(r.Git("log", "--all", "--full-history", "--format=%H")) {
		at := 0
		content, err := r.TryGit("show", commit+":"+path.Clean(file))
		if err != nil {
			continue
		}
		for i, line := range strings.Split(content, "\n") {
			if strings.Contains(line, text) {
				if at > 0 {
					t.Fatalf("want: %s has %q in lines %d and %d", file, text, at, i+1)
				}
				at = i + 1
			}
		}
		if at > 0 {
			return at
		}
	}
	t.Fatalf("want: no commit has %q in %s", text, file)
	return 0
}
