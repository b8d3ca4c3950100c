package controlplane_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestKilled kills "up", which then can end nothing itself.
func TestKilled(t *testing.T) {
	c := controlplane.Start(t, controlplane.Options{})
	t.Cleanup(func() { os.RemoveAll(c.Dir) })
	if err := syscall.Kill(c.PIDs["up"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	end(t, c.PIDs)
}

// TestKilledTestBinary kills a test binary that shares a control plane among its
// tests: this one, which it runs as a child.
func TestKilledTestBinary(t *testing.T) {
	controlplane.Binary(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestShares$")
	cmd.Env = append(os.Environ(), shares+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	var pids map[string]int
	if err != nil || json.Unmarshal(line, &pids) != nil {
		t.Fatalf("the child says %q: %v", line, err)
	}
	end(t, pids)
}

const shares = "SALLYPORT_TEST_SHARES"

// TestShares is the child of TestKilledTestBinary: it says what it has started
// and waits to be killed.
func TestShares(t *testing.T) {
	if os.Getenv(shares) == "" {
		t.Skip("only as a child of TestKilledTestBinary")
	}
	if err := json.NewEncoder(os.Stdout).Encode(controlplane.Shared(t).PIDs); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// end holds that all of a control plane's processes end.
func end(t *testing.T, pids map[string]int) {
	t.Helper()
	if len(pids) != 6 {
		t.Errorf("want 6 processes: %v", pids)
	}
	for name, pid := range pids {
		eventually(t, name+" ends", func() error {
			if s := state(pid); s != "" && s != "Z" && s != "X" {
				return fmt.Errorf("process %d is in state %s", pid, s)
			}
			return nil
		})
	}
}

// state returns the letter for the state of a process, see proc(5), or nothing
// where there is none.
func state(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}
