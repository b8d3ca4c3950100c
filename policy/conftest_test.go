package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/testdata/peer"
)

// conftestCase is a policy directory as a user of conftest has it, in
// testdata/conftest/<name>/policy, with data beside it where flags say so.
// want.txt holds conftest's verdicts on testdata/conftest/input.yaml.
type conftestCase struct {
	name       string
	namespaces []string
	flags      []string // conftest's, for the same
}

func conftestCases() []conftestCase {
	return []conftestCase{
		{name: "basic"},
		{name: "violation"},
		{name: "exception"},
		{name: "complete"},
		{name: "builtins"},
		{name: "data", flags: []string{"-d", "testdata/conftest/data/data"}},
		{name: "v0", flags: []string{"--rego-version", "v0"}},
		{name: "namespaces", namespaces: []string{"team.*"}, flags: []string{"-n", "team.*"}},
	}
}

func TestConftestVerdicts(t *testing.T) {
	for _, c := range conftestCases() {
		t.Run(c.name, func(t *testing.T) {
			set, err := Load(t.Context(), c.options(t))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, object := range inputs(t) {
				hits, err := set.evaluate(t.Context(), object)
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range hits {
					word := "failure: "
					if strings.HasPrefix(h.verdict.name, "warn") {
						word = "warning: "
					}
					got = append(got, word+h.message)
				}
			}
			slices.Sort(got)
			if want := c.want(t); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// The expected verdicts are what the real program says.
func TestConftestItself(t *testing.T) {
	program := peer.Binary(t, "conftest")
	for _, c := range conftestCases() {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"test", "-o", "json", "-p", path.Join(c.dir(), "policy")}, c.flags...)
			cmd := exec.Command(program, append(args, "-")...)
			cmd.Stdin = bytes.NewReader(read(t, "testdata/conftest/input.yaml"))
			out, err := cmd.Output()
			if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if got, want := conftestOutput(t, out), c.want(t); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func conftestOutput(t *testing.T, out []byte) []string {
	t.Helper()
	type message struct {
		Msg string `json:"msg"`
	}
	var results []struct{ Failures, Warnings []message }
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var lines []string
	for _, r := range results {
		for _, m := range r.Failures {
			lines = append(lines, "failure: "+m.Msg)
		}
		for _, m := range r.Warnings {
			lines = append(lines, "warning: "+m.Msg)
		}
	}
	slices.Sort(lines)
	return lines
}

func (c conftestCase) dir() string { return "testdata/conftest/" + c.name }

func (c conftestCase) options(t *testing.T) Options {
	return Options{
		Sources:    tree(t, path.Join(c.dir(), "policy")),
		Data:       tree(t, path.Join(c.dir(), "data")),
		Namespaces: c.namespaces,
	}
}

func (c conftestCase) want(t *testing.T) []string {
	text := strings.TrimSpace(string(read(t, path.Join(c.dir(), "want.txt"))))
	return strings.Split(text, "\n")
}

// tree reads the files of a directory, none if there is no such directory.
func tree(t *testing.T, root string) []Source {
	t.Helper()
	var out []Source
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		out = append(out, Source{Path: file, Data: read(t, file), Mount: filepath.ToSlash(dir)})
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

func inputs(t *testing.T) []map[string]any {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "testdata/conftest/input.yaml")))
	var out []map[string]any
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, object)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
