package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// short is how long the leases of these tests last: long enough to be renewed in
// the meantime, had their holder lived.
const short = 3 * time.Second

// leaseOf reads a Lease.
func leaseOf(t *testing.T, c *cluster.Cluster, lease cluster.Lease) *unstructured.Unstructured {
	t.Helper()
	live, err := c.Get(t.Context(), cluster.ID{Group: "coordination.k8s.io", Kind: "Lease", Namespace: lease.Namespace, Name: lease.Name})
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// at reads a time of a Lease.
func at(t *testing.T, live *unstructured.Unstructured, field string) time.Time {
	t.Helper()
	text, _, _ := unstructured.NestedString(live.Object, "spec", field)
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	return when
}

// TestDeadHolder: whoever is killed while he holds the lease is replaced, and not
// before it has run out.
func TestDeadHolder(t *testing.T) {
	plane := controlplane.Shared(t)
	c := connect(t, cluster.Options{Kubeconfig: plane.Admin})
	lease := cluster.Lease{Namespace: plane.Namespace(t), Name: "shop", Identity: "second", Duration: short}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeadHolderHelper$")
	cmd.Env = append(os.Environ(), "SALLYPORT_LEASE_CONFIG="+plane.Admin, "SALLYPORT_LEASE_NS="+lease.Namespace)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil || line != "held\n" {
		t.Fatalf("the holder says %q: %v", line, err)
	}
	dead := leaseOf(t, c, lease)
	worked := false
	if err := c.Lead(t.Context(), lease, func(context.Context) error {
		worked = true
		next := leaseOf(t, c, lease)
		if took := at(t, next, "acquireTime").Sub(at(t, dead, "renewTime")); took < short {
			t.Errorf("taken over %s after the last renewal, of %s", took, short)
		}
		return nil
	}); err != nil || !worked {
		t.Errorf("%v, worked: %t", err, worked)
	}
}

// TestDeadHolderHelper is the process that is killed.
func TestDeadHolderHelper(t *testing.T) {
	kubeconfig := os.Getenv("SALLYPORT_LEASE_CONFIG")
	if kubeconfig == "" {
		t.Skip("run by TestDeadHolder")
	}
	c := connect(t, cluster.Options{Kubeconfig: kubeconfig})
	lease := cluster.Lease{Namespace: os.Getenv("SALLYPORT_LEASE_NS"), Name: "shop", Identity: "first", Duration: short}
	_ = c.Lead(t.Context(), lease, func(ctx context.Context) error {
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin)
		<-ctx.Done()
		return nil
	})
}

// TestLostLease: whose lease another has taken stops, sends nothing more, and
// says that he lost it.
func TestLostLease(t *testing.T) {
	plane := controlplane.Shared(t)
	c := connect(t, cluster.Options{Kubeconfig: plane.Admin})
	lease := cluster.Lease{Namespace: plane.Namespace(t), Name: "shop", Identity: "first", Duration: short}
	stopped := errors.New("stopped in the middle")
	err := c.Lead(t.Context(), lease, func(ctx context.Context) error {
		plane.Kubectl(t, "-n", lease.Namespace, "patch", "lease", "shop", "--type=merge", "-p",
			fmt.Sprintf(`{"spec":{"holderIdentity":"thief","leaseDurationSeconds":3600,"renewTime":%q}}`, time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")))
		<-ctx.Done()
		sent := c.Requests()
		if _, err := c.Apply(ctx, configMap(lease.Namespace, "late"), cluster.ApplyOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("a write after the lease was lost: %v", err)
		}
		if n := c.Requests() - sent; n != 0 {
			t.Errorf("%d requests", n)
		}
		return stopped
	})
	if !errors.Is(err, cluster.ErrLost) || !errors.Is(err, stopped) {
		t.Errorf("%v", err)
	}
	if got, _, _ := unstructured.NestedString(leaseOf(t, c, lease).Object, "spec", "holderIdentity"); got != "thief" {
		t.Errorf("the lease is %q's", got)
	}
}

// TestUnreachableLease: who cannot renew stops as well.
func TestUnreachableLease(t *testing.T) {
	plane := controlplane.Shared(t)
	cut := make(chan struct{})
	c := connect(t, cluster.Options{Kubeconfig: plane.Intercept(t, func(r *http.Request) int {
		select {
		case <-cut:
			if strings.Contains(r.URL.Path, "/leases/") {
				return http.StatusInternalServerError
			}
		default:
		}
		return 0
	})})
	lease := cluster.Lease{Namespace: plane.Namespace(t), Name: "shop", Identity: "first", Duration: short}
	err := c.Lead(t.Context(), lease, func(ctx context.Context) error {
		close(cut)
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, cluster.ErrLost) {
		t.Errorf("%v", err)
	}
}
