package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// process is a component that runs as a child.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string        // path of what it printed
	done chan struct{} // closed when it has ended
	told atomic.Bool   // it was us who ended it
}

// startProcess runs an applet of this program with dir as its home. It must be
// called on the thread of main: Linux kills the child when that thread ends, so
// that nothing survives a SIGKILL of "up".
func startProcess(dir, name string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command(self, append([]string{name}, args...)...)
	p.cmd.Dir = dir
	p.cmd.Env = []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = attributes()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// kill ends the process as a power cut would, and waits until it is gone.
// Nothing that a component writes when it is asked politely is worth waiting for.
func (p *process) kill() {
	p.told.Store(true)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// lastWords returns the end of what the process printed.
func (p *process) lastWords() string {
	const enough = 4 << 10 // some ten lines of klog
	content, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	return string(content[max(0, len(content)-enough):])
}
