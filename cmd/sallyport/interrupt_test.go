package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLeavesWorkBehind holds that work which does not heed an interrupt is not
// waited for, and that what it says in time is what counts.
func TestLeavesWorkBehind(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	ctx, interrupt := context.WithCancel(context.Background())
	err := promptly(ctx, func() error {
		interrupt()
		<-stuck // as a build in kustomize
		return nil
	})
	if !errors.Is(err, context.Canceled) || exitCode(err) != exitInterrupted {
		t.Errorf("got %v, want that it was interrupted", err)
	}
	if err := promptly(context.Background(), func() error { return errFindings }); err != errFindings {
		t.Errorf("got %v, want what the work said", err)
	}
}

// TestInterruptedProcess sends signals to real processes that have minutes of kustomize
// before them, unless the signal ends them.
func TestInterruptedProcess(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var objects strings.Builder
	for i := range 4900 {
		fmt.Fprintf(&objects, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n", i)
	}
	write("base/many.yaml", objects.String())
	write("base/kustomization.yaml", "resources: [many.yaml]\n")
	for i := range 20 {
		write(fmt.Sprintf("overlays/%d/kustomization.yaml", i), "resources: [../../base]\n")
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		cmd := exec.Command("sallyport", "check", dir, "--no-cache", "--only", "secrets,render", "-v") // see TestMain
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stderr)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "discover") {
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		var last string
		for lines.Scan() {
			last = lines.Text()
		}
		err = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || last != "error: interrupted" {
			t.Errorf("%v: exit code %d (%v), last line %q; want %d", signal, code, err, last, exitInterrupted)
		}
	}
}
