// Package controlplane gives tests a real Kubernetes: etcd, the API server with
// RBAC and all admission plugins, the controller manager, the scheduler, and
// nodes that kwok plays. No container ever runs; pods say that theirs do, and
// testdata/e2e/stages/pods.yaml has the labels that make them fail.
//
// A test that changes nothing outside its own namespaces uses Shared, any other
// Start. Both take some 3 s and 0.95 GB of memory.
package controlplane

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options change the control plane from what is usual.
type Options struct {
	// APIServerOnly leaves out everything but etcd and the API server: half the
	// memory, but namespaces are never deleted and no pod ever runs.
	APIServerOnly bool
	// Nodes is how many nodes there are, each in a zone of its own; 0 means 3.
	Nodes int
	// APIServerFlags are further flags of the API server, without blanks.
	APIServerFlags []string
}

// Cluster is a running control plane. Its methods may be called by tests in
// parallel.
type Cluster struct {
	URL       string         // of the API server, https://127.0.0.1:port
	CA        string         // file with the certificate of the authority that it uses
	Admin     string         // kubeconfig of a member of system:masters
	AuditPath string         // file with the audit log, one event in each line; see Audit
	Dir       string         // where each component's log is, as name.log
	PIDs      map[string]int // of the components, as they were started, and of "up", which started them

	bin    string
	admin  *client
	mu     sync.Mutex // one command at a time
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *strings.Builder // complete when done is closed
	cmd    *exec.Cmd
	done   chan struct{} // closed when "up" has ended
}

// Start starts a control plane that ends with the test.
func Start(t testing.TB, opts Options) *Cluster {
	t.Helper()
	c, err := start(Binary(t), opts)
	if err != nil {
		t.Fatalf("control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("control plane: %v", err)
		}
	})
	return c
}

// Shared returns the control plane that the tests of one package share, with
// the usual options. It ends with the test binary, however that ends. Tests
// that stop, slow or fill it, or that change objects which belong to all, start
// their own.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	c, err := shared(Binary(t))
	if err != nil {
		t.Fatalf("shared control plane: %v", err)
	}
	return c
}

// shared starts the one control plane of the process. Nothing stops it: it sees
// the end of its standard input when the process is gone.
var shared = func() func(bin string) (*Cluster, error) {
	var (
		once sync.Once
		c    *Cluster
		err  error
	)
	return func(bin string) (*Cluster, error) {
		once.Do(func() { c, err = start(bin, Options{}) })
		return c, err
	}
}()

// start runs "up", which makes a directory for itself and removes it at the end.
func start(bin string, opts Options) (*Cluster, error) {
	args := []string{"up", "-apiserver-flags=" + strings.Join(opts.APIServerFlags, " ")}
	if opts.APIServerOnly {
		args = append(args, "-kcm=false", "-scheduler=false", "-kwok=false")
	}
	if opts.Nodes > 0 {
		args = append(args, fmt.Sprintf("-nodes=%d", opts.Nodes))
	}
	c := &Cluster{bin: bin, cmd: exec.Command(bin, args...), stderr: new(strings.Builder), done: make(chan struct{})}
	if err := c.launch(); err != nil {
		return nil, err
	}
	if err := c.describe(); err != nil {
		_ = c.stop() // would say the same
		return nil, err
	}
	return c, nil
}

// launch starts "up" and has it waited for.
func (c *Cluster) launch() error {
	r, w, err := os.Pipe() // not StdoutPipe, which must not be read after Wait
	if err != nil {
		return err
	}
	defer w.Close()
	c.stdout = bufio.NewReader(r)
	c.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	c.cmd.Stdout, c.cmd.Stderr = w, c.stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = c.cmd.Wait() // what went wrong is on standard error
		close(c.done)
	}()
	return nil
}

// describe reads the first line, which comes when everything is ready.
func (c *Cluster) describe() error {
	var d struct {
		URL, Dir, Kubeconfig, CA, AuditLog string
		PIDs                               map[string]int
	}
	if err := c.read(&d); err != nil {
		return err
	}
	c.URL, c.Dir, c.Admin, c.CA, c.AuditPath, c.PIDs = d.URL, d.Dir, d.Kubeconfig, d.CA, d.AuditLog, d.PIDs
	c.PIDs["up"] = c.cmd.Process.Pid
	var err error
	c.admin, err = newClient(c.Admin)
	return err
}

// read decodes a line; where there is none "up" has ended, and says why.
func (c *Cluster) read(into any) error {
	line, err := c.stdout.ReadBytes('\n')
	if err != nil {
		<-c.done
		return fmt.Errorf("it has ended: %s", strings.TrimSpace(c.stderr.String()))
	}
	return json.Unmarshal(line, into)
}

// stop ends the control plane. It is an error if it had ended before because one
// of its components did.
func (c *Cluster) stop() error {
	_ = c.stdin.Close()
	const patience = 30 * time.Second // it takes less than one
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		return errors.New("it did not end")
	}
	if c.stderr.Len() > 0 {
		return errors.New(strings.TrimSpace(c.stderr.String()))
	}
	return nil
}
