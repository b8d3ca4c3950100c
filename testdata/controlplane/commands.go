package controlplane

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// StopAPIServer kills the API server, as a crash would; the data stays. Clients
// see their connections closed.
func (c *Cluster) StopAPIServer(t testing.TB) { t.Helper(); c.must(t, "stop-apiserver") }

// StartAPIServer starts the API server again, where it was, and returns when it
// is ready.
func (c *Cluster) StartAPIServer(t testing.TB) { t.Helper(); c.must(t, "start-apiserver") }

// RestartAPIServer kills the API server, starts it again and returns when it is
// ready.
func (c *Cluster) RestartAPIServer(t testing.TB) { t.Helper(); c.must(t, "restart-apiserver") }

// Delay makes every request take d longer, and its answer too, until the test
// ends or Delay is called with 0. Controllers are not slowed.
func (c *Cluster) Delay(t testing.TB, d time.Duration) {
	t.Helper()
	c.must(t, fmt.Sprintf("delay %s", d))
	t.Cleanup(func() { _, _ = c.command("delay 0s") })
}

// DropConnections cuts all connections of clients; new ones are accepted.
func (c *Cluster) DropConnections(t testing.TB) { t.Helper(); c.must(t, "drop") }

// LoseAnswer cuts each connection that is open now when the API server next
// sends something on it: what was asked for may have been done, and the client
// cannot know.
func (c *Cluster) LoseAnswer(t testing.TB) { t.Helper(); c.must(t, "lose-answer") }

// Refuse cuts all connections and every new one, until the test ends or it is
// called with false.
func (c *Cluster) Refuse(t testing.TB, on bool) {
	t.Helper()
	if !on {
		c.must(t, "refuse off")
		return
	}
	c.must(t, "refuse on")
	c.must(t, "drop")
	t.Cleanup(func() { _, _ = c.command("refuse off") })
}

// Kubeconfig returns a kubeconfig with a client certificate of a user and its
// groups, who may do what RBAC says.
func (c *Cluster) Kubeconfig(t testing.TB, user string, groups ...string) string {
	t.Helper()
	return c.must(t, strings.Join(append([]string{"user", user}, groups...), " "))
}

func (c *Cluster) must(t testing.TB, line string) string {
	t.Helper()
	kubeconfig, err := c.command(line)
	if err != nil {
		t.Fatalf("control plane: %s: %v", line, err)
	}
	return kubeconfig
}

// command sends a line to "up" and returns what it answers.
func (c *Cluster) command(line string) (kubeconfig string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = fmt.Fprintln(c.stdin, line) // if nobody hears it, nobody answers
	var answer struct{ Kubeconfig, Error string }
	if err := c.read(&answer); err != nil {
		return "", err
	}
	if answer.Error != "" {
		return "", errors.New(answer.Error)
	}
	return answer.Kubeconfig, nil
}
