package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCacheOfProcesses holds that processes which use one cache directory at the
// same time say what one without a cache says, and leave entries that the next
// believes: each of them writes what the others read.
func TestCacheOfProcesses(t *testing.T) {
	dir, cache := copyOf(t, "../../testdata/demo"), filepath.Join(t.TempDir(), "cache")
	check := func(args ...string) *exec.Cmd {
		return exec.Command("sallyport", append([]string{"check", dir, "-o", "json"}, args...)...) // see TestMain
	}
	for round := range 3 {
		note := filepath.Join(dir, "note.yaml") // so that no round is the one before
		if err := os.WriteFile(note, fmt.Appendf(nil, "round: %d\n", round), 0o644); err != nil {
			t.Fatal(err)
		}
		want := outputOf(t, check("--no-cache"))
		const processes = 3
		outputs, cmds := make([]bytes.Buffer, processes), make([]*exec.Cmd, processes)
		for i := range processes {
			cmds[i] = check("--cache-dir", cache)
			cmds[i].Stdout = &outputs[i]
			if err := cmds[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		for i, cmd := range cmds {
			if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != exitFindings {
				t.Fatal(err)
			}
			if outputs[i].String() != want {
				t.Errorf("round %d: process %d says\n%s\nwant\n%s", round, i, outputs[i].String(), want)
			}
		}
		if got := outputOf(t, check("--cache-dir", cache)); got != want {
			t.Errorf("round %d: what they left says\n%s\nwant\n%s", round, got, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(cache, ".new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	entriesOf(t, cache, "run")
	entriesOf(t, cache, "parts")
}

// outputOf runs a check, which may find something.
func outputOf(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != exitFindings {
		t.Fatal(err)
	}
	return string(out)
}
