package controlplane_test

import (
	"fmt"
	"slices"
	"strings"
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
