package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/repo"
)

// world is a streams of buffers, with the environment env.
func world(env map[string]string) (s *streams, out, err *bytes.Buffer) {
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	return &streams{out: out, err: err, env: func(name string) string { return env[name] }}, out, err
}

func TestExitCode(t *testing.T) {
	usage := &usageError{err: errors.New("flag")}
	config := fmt.Errorf("check: %w", &gate.UsageError{Err: errors.New("key")})
	io := errors.New("disk")
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errFindings, 1},
		{usage, 2},
		{config, 2},
		{io, 3},
		{fmt.Errorf("open: %w", repo.ErrRevision), 3},
		{errors.Join(io, errFindings), 3},
		{errors.Join(errFindings, io, usage), 2},
		{fmt.Errorf("render: %w", context.Canceled), 130},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestPrintError(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errFindings, ""},
		{&usageError{err: errors.New("no"), hint: "yes"}, "error: no\nhint: yes\n"},
		{errors.New("one\ntwo\n"), "error: one\n       two\n"},
		{errors.New("a \x1b[31mred\u202e name"), "error: a <U+001B>[31mred<U+202E> name\n"},
		{fmt.Errorf("render: %w", context.Canceled), "error: interrupted\n"},
		{fmt.Errorf("rev: %w", repo.ErrRevision), "error: rev: unknown revision\nhint: git fetch brings a missing commit\n"},
		{fmt.Errorf("rev: %w: %w", repo.ErrRevision, repo.ErrShallow), "error: rev: unknown revision: this clone is shallow\n"},
		{fmt.Errorf("rev: %w: %w", repo.ErrRevision, repo.ErrUnborn), "error: rev: unknown revision: HEAD has no commit yet\n"},
	} {
		var b bytes.Buffer
		if printError(&b, c.err, hintFor(&cobra.Command{}, c.err)); b.String() != c.want {
			t.Errorf("%v: got %q, want %q", c.err, b.String(), c.want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, out, stderr := world(nil)
	if code := run(ctx, s, []string{"check", t.TempDir()}); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if out.String() != "" || stderr.String() != "error: interrupted\n" {
		t.Errorf("stdout %q, stderr %q", out, stderr)
	}
}

func TestParseOutputs(t *testing.T) {
	for _, c := range []struct {
		values   []string
		terminal bool
		want     []output
		err      string
	}{
		{nil, true, []output{{"text", ""}}, ""},
		{nil, false, []output{{"line", ""}}, ""},
		{[]string{"json"}, true, []output{{"json", ""}}, ""},
		{[]string{"json=-"}, true, []output{{"json", ""}}, ""},
		{[]string{"json=a=b.json"}, true, []output{{"json", "a=b.json"}, {"text", ""}}, ""},
		{[]string{"json=r.json", "text", "line=l"}, false, []output{{"json", "r.json"}, {"text", ""}, {"line", "l"}}, ""},
		{[]string{"xml"}, false, nil, `-o "xml": unknown format`},
		{[]string{"=x"}, false, nil, `-o "=x": unknown format`},
		{[]string{"json="}, false, nil, "names no file"},
		{[]string{"json", "line"}, false, nil, "only one -o"},
	} {
		got, err := parseOutputs(c.values, c.terminal)
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: got %v, %v; want %v, %q", c.values, got, err, c.want, c.err)
		}
	}
}

func TestWriteFileIsAtomic(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "report.json")
	if err := os.WriteFile(name, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := writeFile(name, func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	})
	if got, _ := os.ReadFile(name); !errors.Is(err, broken) || string(got) != "before" {
		t.Errorf("a failed write gives %v and leaves %q", err, got)
	}
	if err := writeFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "after"); return err }); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(name); string(got) != "after" {
		t.Errorf("got %q", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// A link such as /dev/stdout is written through, never replaced.
func TestWriteFileKeepsLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	if err := writeFile(link, func(w io.Writer) error { _, err := io.WriteString(w, "report"); return err }); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	if got, _ := os.ReadFile(target); string(got) != "report" {
		t.Errorf("got %q", got)
	}
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		mode     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"auto", true, nil, true},
		{"auto", false, nil, false},
		{"auto", true, map[string]string{"NO_COLOR": "1"}, false},
		{"auto", true, map[string]string{"TERM": "dumb"}, false},
		{"always", false, map[string]string{"NO_COLOR": "1"}, true},
		{"never", true, nil, false},
	} {
		s, _, _ := world(c.env)
		s.outTTY = c.terminal
		if got := s.color(c.mode); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestProgressOnlyWhereItRedraws(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		env      map[string]string
		want     bool
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[string]string{"CI": "true"}, false},
		{true, map[string]string{"TERM": "dumb"}, false},
	} {
		s, _, _ := world(c.env)
		s.errTTY = c.terminal
		if got := s.redraws(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A short run shows no progress; a long one shows a line and takes it away.
func TestProgress(t *testing.T) {
	var quick bytes.Buffer
	startProgress(&quick).stop()
	if quick.Len() > 0 {
		t.Errorf("a short run prints %q", quick.String())
	}
	slow := &drawn{first: make(chan struct{})}
	p := startProgress(slow)
	p.finished("policies", 0)
	<-slow.first
	p.stop()
	line := regexp.MustCompile(`rendering and checking targets… \d+\.\ds`)
	if got := slow.String(); !line.MatchString(got) || !strings.HasSuffix(got, eraseLine) {
		t.Errorf("a long run prints %q", got)
	}
}

// drawn is a terminal that says when something is written for the first time.
type drawn struct {
	bytes.Buffer
	once  sync.Once
	first chan struct{}
}

func (d *drawn) Write(b []byte) (int, error) {
	defer d.once.Do(func() { close(d.first) })
	return d.Buffer.Write(b)
}

func TestNearest(t *testing.T) {
	names := []string{"image-latest", "secret-leak", "secret-plaintext", "config"}
	for word, want := range map[string]string{
		"secret-plain": "secret-plaintext", "latest": "image-latest", "plaintext": "secret-plaintext",
		"zzz": "", "": "", "conf": "config",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("word ", 40)
	got := wrap(long + "\nsame paragraph\n\n- a list mark\n- another\n\n    code   stays\n")
	for line := range strings.Lines(got) {
		if n := len(strings.TrimRight(line, "\n")); n > wrapColumns {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if !strings.HasSuffix(got, "word word same paragraph\n\n- a list mark\n- another\n\n    code   stays") {
		t.Errorf("got %q", got)
	}
}

func TestExplainPrintsExamplesSorted(t *testing.T) {
	var b bytes.Buffer
	explainRule(&b, finding.Rule{
		Name: "r", Severity: finding.Warning, Title: "Title", Doc: "Doc.", Fix: "do it\n",
		Bad:  finding.Example{"b.yaml": "b: 1\n", "a.yaml": "a:\n  - 1\n"},
		Good: finding.Example{"a.yaml": "a: 2"},
	})
	want := "r (warning)\nTitle\n\nDoc.\n\nWrong:\n\n    # a.yaml\n    a:\n      - 1\n\n    # b.yaml\n    b: 1\n\nRight:\n\n    # a.yaml\n    a: 2\n\nFix: do it\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
