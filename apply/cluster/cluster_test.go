package cluster_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

func connect(t *testing.T, opts cluster.Options) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func configMap(namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": namespace, "name": name},
	}}
}

// TestVerbs goes once through what can be asked of a server.
func TestVerbs(t *testing.T) {
	plane := controlplane.Shared(t)
	ns, c := plane.Namespace(t), connect(t, cluster.Options{Kubeconfig: plane.Admin})
	u := configMap(ns, "a")
	dry, err := c.Apply(t.Context(), u, cluster.ApplyOptions{DryRun: true})
	if err != nil || dry.GetResourceVersion() != "" {
		t.Fatalf("dry-run of a creation: %v, resourceVersion %q", err, dry.GetResourceVersion())
	}
	if _, err := c.Get(t.Context(), cluster.IDOf(u)); !cluster.IsNotFound(err) {
		t.Fatalf("a dry-run stored: %v", err)
	}
	stored, err := c.Apply(t.Context(), u, cluster.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if dry, err = c.Apply(t.Context(), u, cluster.ApplyOptions{DryRun: true}); err != nil || dry.GetResourceVersion() != stored.GetResourceVersion() {
		t.Fatalf("dry-run without a change: %v, resourceVersion %q", err, dry.GetResourceVersion())
	}
	if all, err := c.List(t.Context(), cluster.IDOf(u).GroupKind(), ns, ""); err != nil || len(all) < 1 || all[0].GetKind() != "ConfigMap" {
		t.Fatalf("list: %v, %v", all, err)
	}
	if err := c.Delete(t.Context(), cluster.IDOf(u), cluster.DeleteOptions{UID: "another"}); !cluster.IsConflict(err) {
		t.Fatalf("delete of another uid: %v", err)
	}
	if err := c.Delete(t.Context(), cluster.IDOf(u), cluster.DeleteOptions{UID: stored.GetUID(), ResourceVersion: stored.GetResourceVersion()}); err != nil {
		t.Fatal(err)
	}
	u.Object["dta"] = map[string]any{}
	if _, err := c.Apply(t.Context(), u, cluster.ApplyOptions{}); err == nil || !strings.Contains(err.Error(), "dta") {
		t.Errorf("an unknown field: %v", err)
	}
	u.SetAPIVersion("v9")
	if _, err := c.Apply(t.Context(), u, cluster.ApplyOptions{}); !cluster.IsNoMatch(err) || !strings.Contains(err.Error(), "version v9") {
		t.Errorf("an unknown version: %v", err)
	}
	if c.Requests() < 8 {
		t.Errorf("%d requests", c.Requests())
	}
}

// TestImpersonate: requests are those of the impersonated account.
func TestImpersonate(t *testing.T) {
	plane := controlplane.Shared(t)
	ns := plane.Namespace(t)
	account := "system:serviceaccount:" + ns + ":default"
	c := connect(t, cluster.Options{Kubeconfig: plane.Admin, Impersonate: account})
	_, err := c.Apply(t.Context(), configMap(ns, "a"), cluster.ApplyOptions{})
	if !cluster.IsForbidden(err) || !strings.Contains(err.Error(), account) {
		t.Errorf("%v", err)
	}
}

// TestRecord: kubectl describe shows the event.
func TestRecord(t *testing.T) {
	plane := controlplane.Shared(t)
	ns := plane.Namespace(t)
	c := connect(t, cluster.Options{Kubeconfig: plane.Admin}).Redacting(func(s string) string {
		return strings.ReplaceAll(s, "canary", "••••••••")
	})
	stored, err := c.Apply(t.Context(), configMap(ns, "a"), cluster.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := cluster.Event{Regarding: stored, Warning: true, Reason: "Refused", Message: "canary " + strings.Repeat("é", 1000), Time: time.Now()}
	for range 2 { // a second time is no error
		if err := c.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	got := plane.Kubectl(t, "-n", ns, "describe", "configmap", "a")
	if !strings.Contains(got, "Refused") || !strings.Contains(got, "•••••••• é") || strings.Contains(got, "canary") {
		t.Error(got)
	}
}

// TestLead: one at a time, the next one as soon as the first has ended, and
// nothing at all for whom it takes too long.
func TestLead(t *testing.T) {
	plane := controlplane.Shared(t)
	c := connect(t, cluster.Options{Kubeconfig: plane.Admin})
	lease := cluster.Lease{Namespace: plane.Namespace(t), Name: "shop", Identity: "first"}
	var mu sync.Mutex
	held := make(chan struct{})
	release := make(chan struct{})
	first := make(chan error)
	go func() {
		first <- c.Lead(t.Context(), lease, func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	late := lease
	late.Identity, late.Wait = "late", time.Second
	err := c.Lead(t.Context(), late, func(context.Context) error { t.Error("both work"); return nil })
	if !errors.Is(err, cluster.ErrHeld) || !strings.Contains(err.Error(), "first") {
		t.Errorf("while it is held: %v", err)
	}
	second := make(chan error)
	next := lease
	next.Identity = "second"
	failed := errors.New("work failed")
	go func() {
		second <- c.Lead(t.Context(), next, func(context.Context) error {
			if !mu.TryLock() {
				t.Error("both work")
			}
			return failed
		})
	}()
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := <-second; !errors.Is(err, failed) {
		t.Errorf("second: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	err = c.Lead(cancelled, next, func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || errors.Is(err, cluster.ErrLost) {
		t.Errorf("cancelled by the caller: %v", err)
	}
}

// TestNoServer: no answer is told as such, after the context's patience.
func TestNoServer(t *testing.T) {
	plane := controlplane.Start(t, controlplane.Options{APIServerOnly: true})
	c := connect(t, cluster.Options{Kubeconfig: plane.Admin})
	if _, err := c.Get(t.Context(), cluster.ID{Kind: "Namespace", Name: "default"}); err != nil {
		t.Fatal(err)
	}
	plane.Refuse(t, true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.Get(ctx, cluster.ID{Kind: "Secret", Namespace: "default", Name: "db"})
	if err == nil || err.Error() != "get Secret/default/db: no answer from the API server" {
		t.Errorf("%v", err)
	}
	_, err = cluster.Connect(t.Context(), cluster.Options{Kubeconfig: "does-not-exist"})
	if err == nil || !strings.HasPrefix(err.Error(), "cluster configuration: ") {
		t.Errorf("%v", err)
	}
}
