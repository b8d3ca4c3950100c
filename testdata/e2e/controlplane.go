package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// controlPlane is etcd, the API server and what works for them.
type controlPlane struct {
	opts   options
	ports  ports
	ca     *authority
	proxy  *proxy        // what kubeconfigs point to
	admin  *admin        // speaks to the API server directly
	procs  []*process    // in the order in which they were started
	failed chan *process // ended by themselves
}

type ports struct{ etcd, peer, apiserver, kwok int }

// start starts everything and returns when it can be used: the API server is
// ready, the nodes are, and pods may be created in the default namespace.
func start(ctx context.Context, opts options) (*controlPlane, error) {
	// Ports are chosen before the components take them; another process may be
	// quicker, but hardly three times.
	const attempts = 3
	for n := 1; ; n++ {
		c, err := startOnce(ctx, opts)
		if err == nil || n == attempts || !errors.Is(err, errPortTaken) {
			return c, err
		}
	}
}

var errPortTaken = errors.New("a port was taken by another process meanwhile")

func startOnce(ctx context.Context, opts options) (_ *controlPlane, err error) {
	c := &controlPlane{opts: opts, failed: make(chan *process)}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if c.ports, err = freePorts(); err != nil {
		return nil, err
	}
	if c.ca, err = newAuthority(); err != nil {
		return nil, err
	}
	if c.proxy, err = newProxy(fmt.Sprintf("127.0.0.1:%d", c.ports.apiserver)); err != nil {
		return nil, err
	}
	if err := c.writeFiles(); err != nil {
		return nil, err
	}
	if err := c.launch("etcd", c.etcdFlags()...); err != nil {
		return nil, err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return nil, err
	}
	return c, c.startWorkers(ctx)
}

// writeFiles writes keys, certificates and configuration.
func (c *controlPlane) writeFiles() error {
	if err := writePKI(c.opts.dir, c.ca); err != nil {
		return err
	}
	direct := fmt.Sprintf("https://127.0.0.1:%d", c.ports.apiserver)
	for file, u := range map[string]struct{ server, name, group string }{
		"admin.kubeconfig":     {c.proxy.url(), "admin", "system:masters"},
		"kwok.kubeconfig":      {direct, "kwok", "system:masters"},
		"kcm.kubeconfig":       {direct, "system:kube-controller-manager", ""},
		"scheduler.kubeconfig": {direct, "system:kube-scheduler", ""},
	} {
		p, err := c.ca.client(u.name, strings.Fields(u.group))
		if err != nil {
			return err
		}
		if err := writeKubeconfig(c.file(file), u.server, u.name, c.ca.pem, p); err != nil {
			return err
		}
		if u.name == "admin" {
			if c.admin, err = newAdmin(direct, c.ca, p); err != nil {
				return err
			}
		}
	}
	return errors.Join(
		os.WriteFile(c.file("audit-policy.json"), []byte(auditPolicy), 0o600),
		os.WriteFile(c.file("stages.yaml"), []byte(stages()), 0o600))
}

// startWorkers starts what works for the API server, and waits for its results.
func (c *controlPlane) startWorkers(ctx context.Context) error {
	if c.opts.kcm {
		if err := c.launch("kube-controller-manager", c.kcmFlags()...); err != nil {
			return err
		}
	}
	if c.opts.scheduler {
		if err := c.launch("kube-scheduler", c.schedulerFlags()...); err != nil {
			return err
		}
	}
	if c.opts.kwok {
		if err := c.launch("kwok", c.kwokFlags()...); err != nil {
			return err
		}
		if err := errors.Join(c.admin.createNodes(ctx, c.opts.nodes), c.admin.createStorageClass(ctx)); err != nil {
			return err
		}
	}
	return c.wait(ctx, "the controllers", func() error {
		if c.opts.kcm {
			if err := c.admin.hasDefaultServiceAccount(ctx); err != nil {
				return err
			}
		}
		if c.opts.kwok {
			return c.admin.nodesReady(ctx, c.opts.nodes)
		}
		return nil
	})
}

// startAPIServer also starts it again, on the same port and the same data.
func (c *controlPlane) startAPIServer(ctx context.Context) error {
	if c.process("kube-apiserver") != nil {
		return errors.New("the API server is running")
	}
	if err := c.launch("kube-apiserver", c.apiserverFlags()...); err != nil {
		return err
	}
	return c.wait(ctx, "the API server", func() error { return c.admin.ready(ctx) })
}

// stopAPIServer kills the API server as a crash would.
func (c *controlPlane) stopAPIServer() error {
	p := c.process("kube-apiserver")
	if p == nil {
		return errors.New("the API server is not running")
	}
	p.kill()
	c.procs = without(c.procs, p)
	return nil
}

// launch starts a component and says so on c.failed if it ends by itself.
func (c *controlPlane) launch(name string, args ...string) error {
	p, err := startProcess(c.opts.dir, name, args...)
	if err != nil {
		return err
	}
	c.procs = append(c.procs, p)
	go func() {
		<-p.done
		if !p.told.Load() {
			c.failed <- p
		}
	}()
	return nil
}

// wait polls until what is asked for is there, a component fails, or it takes
// too long.
func (c *controlPlane) wait(ctx context.Context, what string, check func() error) error {
	const (
		patience = 2 * time.Minute // twenty times what it takes on two busy cores
		interval = 50 * time.Millisecond
	)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case p := <-c.failed:
			return ended(p)
		case <-ctx.Done():
			return fmt.Errorf("%s: not ready: %w", what, err)
		case <-time.After(interval):
		}
	}
}

// ended is the error of a component that ended by itself.
func ended(p *process) error {
	words := p.lastWords()
	if strings.Contains(words, "address already in use") {
		return fmt.Errorf("%s: %w", p.name, errPortTaken)
	}
	return fmt.Errorf("%s ended by itself:\n%s", p.name, words)
}

func (c *controlPlane) stop() {
	if c.proxy != nil {
		c.proxy.close()
	}
	// The last first: so none has time to complain about one that is missing.
	for i := len(c.procs) - 1; i >= 0; i-- {
		c.procs[i].kill()
	}
}

func (c *controlPlane) process(name string) *process {
	for _, p := range c.procs {
		if p.name == name {
			return p
		}
	}
	return nil
}

func (c *controlPlane) file(name string) string { return filepath.Join(c.opts.dir, name) }

func without(all []*process, gone *process) []*process {
	var rest []*process
	for _, p := range all {
		if p != gone {
			rest = append(rest, p)
		}
	}
	return rest
}

// freePorts returns ports that nobody listens on, all different since each is
// held until all are found.
func freePorts() (ports, error) {
	var found [4]int
	for i := range found {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return ports{}, err
		}
		defer l.Close()
		found[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports{etcd: found[0], peer: found[1], apiserver: found[2], kwok: found[3]}, nil
}
