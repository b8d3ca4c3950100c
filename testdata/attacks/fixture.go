// Package attacks builds the Git repositories of the attacks that this directory
// describes, with the real sops and fresh age keys: for the tests of the gate and
// of the apply job, which have to refuse the same things. README.md tells the
// format of a fixture.
package attacks

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Attack is one fixture.
type Attack struct {
	Name       string   // NN-row/variant
	Args       []string // further arguments of check
	Tolerate   []string // rules of warnings that have nothing to do with the attack
	Documented string
	Exit       string
	Pending    string
	Want       []string // lines of the section want
	Marked     bool     // a file says what is wanted

	phases map[string][][]string // commands of before, change and twin
	files  []txtar.File          // before/…, change/…, twin/… and what commands name
}

// WantMark matches what a line of a fixture's file says of the findings that it
// must give.
var WantMark = regexp.MustCompile(`(?m)# want ([a-z: -]+)$`)

// Read reads all fixtures; dir is this directory, from the package under test.
// All begin with shop.txtar, and those of a row with its before.txtar.
func Read(t *testing.T, dir string) []*Attack {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixture: %v", err)
	}
	var out []*Attack
	for _, name := range names {
		if filepath.Base(name) == "before.txtar" {
			continue
		}
		a := &Attack{phases: map[string][][]string{}}
		a.Name = filepath.Base(filepath.Dir(name)) + "/" + strings.TrimSuffix(filepath.Base(name), ".txtar")
		a.read(t, filepath.Join(dir, "shop.txtar"))
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
func (a *Attack) read(t *testing.T, name string) {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == "want" {
			a.Want = append(a.Want, lines(string(f.Data))...)
			continue
		}
		a.files = slices.DeleteFunc(a.files, func(old txtar.File) bool { return old.Name == f.Name })
		a.files = append(a.files, f)
		a.Marked = a.Marked || len(WantMark.FindAll(f.Data, 1)) > 0
	}
	if err := a.head(string(archive.Comment)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// head reads what stands above the files: prose, settings and commands.
func (a *Attack) head(comment string) error {
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

func (a *Attack) set(key, value string) error {
	switch key {
	case "check":
		a.Args = strings.Fields(value)
	case "tolerate":
		a.Tolerate = strings.Fields(value)
	case "documented":
		a.Documented = value
	case "exit 2":
		a.Exit = value
	case "pending":
		a.Pending = value
	default:
		return fmt.Errorf("unknown setting %q", key)
	}
	return nil
}

// before names what the base branch is made from.
func (a *Attack) before() string { return a.recipe("before") }

// Twin is equal where fixtures have the same twin.
func (a *Attack) Twin() string { return a.recipe("before") + a.recipe("twin") + fmt.Sprint(a.Args) }

func (a *Attack) recipe(phase string) string {
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
