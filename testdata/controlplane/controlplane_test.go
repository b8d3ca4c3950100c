package controlplane_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestBuild does nothing but build, so that make can do it before anything that
// has a time limit.
func TestBuild(t *testing.T) { controlplane.Binary(t) }

func TestVersion(t *testing.T) {
	c := controlplane.Shared(t)
	if out := c.Kubectl(t, "version"); !strings.Contains(out, "Server Version: "+controlplane.Version+"\n") {
		t.Errorf("it is not %s:\n%s", controlplane.Version, out)
	}
}

func TestRBAC(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	c.Kubectl(t, "-n", ns, "create", "rolebinding", "devs", "--clusterrole=view", "--group=devs")
	alice := c.Kubeconfig(t, "alice", "devs")

	eventually(t, "the role is in force", func() error {
		_, err := c.KubectlAs(t, alice, "", "-n", ns, "get", "configmaps")
		return err
	})
	forbids(t, c, alice, "-n", ns, "get", "secrets")
	forbids(t, c, alice, "-n", ns, "create", "configmap", "a", "--dry-run=server")
	forbids(t, c, c.Admin, "--as=mallory", "-n", ns, "get", "configmaps")
	forbids(t, c, alice, "--as=mallory", "-n", ns, "get", "configmaps")
}

func forbids(t *testing.T, c *controlplane.Cluster, kubeconfig string, args ...string) {
	t.Helper()
	if out, err := c.KubectlAs(t, kubeconfig, "", args...); err == nil || !strings.Contains(err.Error(), "Forbidden") && !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("kubectl %v is not forbidden: %v %s", args, err, out)
	}
}

func TestServiceAccountToken(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	kubeconfig := c.TokenKubeconfig(t, ns, "default")
	out, err := c.KubectlAs(t, kubeconfig, "", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	if want := "system:serviceaccount:" + ns + ":default"; err != nil || out != want {
		t.Errorf("whoami: %q, %v; want %q", out, err, want)
	}
	forbids(t, c, kubeconfig, "get", "configmaps")
}

func TestAudit(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	c.Kubectl(t, "-n", ns, "create", "configmap", "real", "--as=auditee", "--as-group=system:masters")
	c.Kubectl(t, "-n", ns, "create", "configmap", "dry", "--as=auditee", "--as-group=system:masters", "--dry-run=server")
	c.Kubectl(t, "-n", ns, "delete", "configmap", "real", "--as=auditee", "--as-group=system:masters")
	var got []string
	for _, e := range c.Audit(t) {
		if e.ImpersonatedUser != nil && e.ImpersonatedUser.Username == "auditee" && e.ObjectRef.Namespace == ns {
			got = append(got, fmt.Sprintf("%s %s/%s %d dry-run=%v by %s", e.Verb, e.ObjectRef.Resource, e.ObjectRef.Name, e.ResponseStatus.Code, e.DryRun(), e.User.Username))
		}
	}
	want := []string{
		"create configmaps/real 201 dry-run=false by admin",
		"create configmaps/dry 201 dry-run=true by admin",
		"delete configmaps/real 200 dry-run=false by admin",
	}
	// kubectl waits for what it deletes with list and watch.
	got = slices.DeleteFunc(got, func(s string) bool { return !strings.HasPrefix(s, "create") && !strings.HasPrefix(s, "delete") })
	if !slices.Equal(got, want) {
		t.Errorf("the audit log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestKilled kills "up", which then can end nothing itself.
func TestKilled(t *testing.T) {
	c := controlplane.Start(t, controlplane.Options{})
	t.Cleanup(func() { os.RemoveAll(c.Dir) })
	if len(c.PIDs) != 6 {
		t.Errorf("want 6 processes: %v", c.PIDs)
	}
	if err := syscall.Kill(c.PIDs["up"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for name, pid := range c.PIDs {
		eventually(t, name+" ends", func() error {
			if state := state(pid); state != "" && state != "Z" && state != "X" {
				return fmt.Errorf("process %d is in state %s", pid, state)
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

// eventually waits for what a controller does.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	const (
		patience = 90 * time.Second // it takes seconds on a free machine
		interval = 100 * time.Millisecond
	)
	for deadline := time.Now().Add(patience); ; time.Sleep(interval) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
