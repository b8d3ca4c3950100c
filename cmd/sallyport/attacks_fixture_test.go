package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sallyport/sallyport/finding"
)

// attack is one fixture of testdata/attacks, whose README tells the format.
type attack struct {
	name       string // NN-row/variant
	args       []string
	tolerate   []string
	documented string
	exit       string
	pending    string
	phases     map[string][][]string // commands of before, change and twin
	files      []txtar.File          // before/…, change/…, twin/… and what commands name
	want       []string              // lines of the section want
	marked     bool                  // a file says what is wanted
}

// readAttacks reads all fixtures. All begin with shop.txtar, and those of a row
// with its before.txtar.
func readAttacks(t *testing.T) []*attack {
	t.Helper()
	names, err := filepath.Glob("../../testdata/attacks/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixture: %v", err)
	}
	var out []*attack
	for _, name := range names {
		if filepath.Base(name) == "before.txtar" {
			continue
		}
		a := &attack{phases: map[string][][]string{}}
		a.name = filepath.Base(filepath.Dir(name)) + "/" + strings.TrimSuffix(filepath.Base(name), ".txtar")
		a.read(t, "../../testdata/attacks/shop.txtar")
		shared := filepath.Join(filepath.Dir(name), "before.txtar")
		if _, err := os.Stat(shared); err == nil {
			a.read(t, shared)
		}
		a.read(t, name)
		out = append(out, a)
	}
	return out
}

// read adds one file to the fixture: what it says replaces what the shared file
// said.
func (a *attack) read(t *testing.T, name string) {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == "want" {
			a.want = append(a.want, lines(string(f.Data))...)
			continue
		}
		a.files = slices.DeleteFunc(a.files, func(old txtar.File) bool { return old.Name == f.Name })
		a.files = append(a.files, f)
		a.marked = a.marked || len(wantMark.FindAll(f.Data, 1)) > 0
	}
	if err := a.head(string(archive.Comment)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// head reads what stands above the files: prose, settings and commands.
func (a *attack) head(comment string) error {
	phase := ""
	for _, line := range lines(comment) {
		key, value, isKey := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "  "):
			command, err := words(line)
			if err != nil || phase == "" {
				return fmt.Errorf("%q is no command of a phase: %w", line, err)
			}
			a.phases[phase] = append(a.phases[phase], command)
		case !isKey:
			return fmt.Errorf("%q is neither prose, a setting nor a command", line)
		case slices.Contains([]string{"before", "change", "twin"}, key):
			phase = key
		default:
			if err := a.set(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *attack) set(key, value string) error {
	switch key {
	case "check":
		a.args = strings.Fields(value)
	case "tolerate":
		a.tolerate = strings.Fields(value)
	case "documented":
		a.documented = value
	case "exit 2":
		a.exit = value
	case "pending":
		a.pending = value
	default:
		return fmt.Errorf("unknown setting %q", key)
	}
	return nil
}

// before names what the base branch is made from, twin what the twin is.
func (a *attack) before() string { return a.recipe("before") }
func (a *attack) twin() string   { return a.recipe("before") + a.recipe("twin") + fmt.Sprint(a.args) }

func (a *attack) recipe(phase string) string {
	var b strings.Builder
	for _, f := range a.files {
		if strings.HasPrefix(f.Name, phase+"/") {
			fmt.Fprintf(&b, "%s\n%s\n", f.Name, f.Data)
		}
	}
	fmt.Fprint(&b, a.phases[phase])
	return b.String()
}

func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

// words splits a command at blanks; single quotes keep a word together.
func words(line string) ([]string, error) {
	var out []string
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
		word, after, _ := strings.Cut(rest, " ")
		if rest[0] == '\'' {
			var closed bool
			if word, after, closed = strings.Cut(rest[1:], "'"); !closed {
				return nil, fmt.Errorf("a quote is not closed")
			}
		}
		out, rest = append(out, word), after
	}
	return out, nil
}

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

var wantMark = regexp.MustCompile(`(?m)# want ([a-z: -]+)$`)

// wants gathers what the fixture wants of the branch that is checked out: from
// the marks in its files, and from the section want.
func (r *repository) wants(t *testing.T) []wanted {
	t.Helper()
	var out []wanted
	for _, name := range strings.Split(strings.TrimSuffix(r.git("ls-files", "-z"), "\x00"), "\x00") {
		data, err := os.ReadFile(r.path(name))
		if err != nil {
			continue // a link or a submodule
		}
		for i, line := range strings.Split(string(data), "\n") {
			if mark := wantMark.FindStringSubmatch(line); mark != nil {
				for _, rule := range strings.Fields(mark[1]) {
					out = append(out, newWanted(rule, name, i+1))
				}
			}
		}
	}
	for _, line := range r.attack.want {
		rule, place, _ := strings.Cut(line, " ")
		file, text, _ := strings.Cut(r.expand(place), " ")
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
func (r *repository) lineOf(t *testing.T, file, text string) int {
	t.Helper()
	for _, commit := range strings.Fields(r.git("log", "--all", "--full-history", "--format=%H")) {
		at := 0
		content, err := r.tryGit("show", commit+":"+path.Clean(file))
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
