package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

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

// TestRefusedImpersonation: whoever may not act as another account is told so,
// whatever he asked for, with what he needs; and with that he may.
func TestRefusedImpersonation(t *testing.T) {
	plane := controlplane.Shared(t)
	ns := plane.Namespace(t)
	plane.Kubectl(t, "-n", ns, "create", "serviceaccount", "runner")
	plane.Kubectl(t, "-n", ns, "create", "serviceaccount", "deployer")
	runner := plane.TokenKubeconfig(t, ns, "runner")
	account := "system:serviceaccount:" + ns + ":deployer"
	want := "403 Forbidden: system:serviceaccount:" + ns + ":runner may not act as " + account +
		", which apply.impersonate asks for: grant it the verb impersonate on serviceaccounts, resourceNames [deployer], by a Role in namespace " + ns
	secret := configMap(ns, "a")
	secret.SetKind("Secret")
	fails := func(c *cluster.Cluster, want string) {
		t.Helper()
		_, got := c.Get(t.Context(), cluster.IDOf(configMap(ns, "a")))
		_, applied := c.Apply(t.Context(), secret, cluster.ApplyOptions{})
		led := c.Lead(t.Context(), cluster.Lease{Namespace: ns, Name: "x", Identity: "y"}, func(context.Context) error {
			t.Error("it leads")
			return nil
		})
		for _, err := range []error{got, applied, led} {
			if !cluster.IsForbidden(err) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
	c := connect(t, cluster.Options{Kubeconfig: runner, Impersonate: account})
	fails(c, want)
	fails(connect(t, cluster.Options{Kubeconfig: runner, Impersonate: "alice"}), "act as alice, which apply.impersonate asks for: grant it the verb impersonate on users, resourceNames [alice], by a ClusterRole")
	plane.Kubectl(t, "-n", ns, "create", "role", "acts", "--verb=impersonate", "--resource=serviceaccounts", "--resource-name=deployer")
	plane.Kubectl(t, "-n", ns, "create", "rolebinding", "acts", "--role=acts", "--serviceaccount="+ns+":runner")
	var err error
	eventually(t, "the role counts", func() bool {
		_, err = c.Get(t.Context(), cluster.IDOf(configMap(ns, "a")))
		return !strings.Contains(err.Error(), "apply.impersonate")
	})
	if !cluster.IsForbidden(err) || !strings.Contains(err.Error(), account) {
		t.Errorf("an account without rights: %v", err)
	}
}

// eventually polls a control plane that needs time to follow.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after two minutes", what)
		}
	}
}

// TestPreconditions: what an apply may be made to depend on, for built-in and
// custom kinds, and how the refusals are told apart.
func TestPreconditions(t *testing.T) {
	plane := controlplane.Shared(t)
	ns, c := plane.Namespace(t), connect(t, cluster.Options{Kubeconfig: plane.Admin})
	kind := "Bolt" + strings.ReplaceAll(ns, "-", "") // that no other run of this test has
	plural := strings.ToLower(kind) + "s"
	plane.Apply(t, fmt.Sprintf(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: %[2]s.sallyport.example}, spec: {
		group: sallyport.example, scope: Namespaced, names: {kind: %[1]s, plural: %[2]s}, versions: [{name: v1, served: true, storage: true,
		schema: {openAPIV3Schema: {type: object}}}]}}`, kind, plural))
	t.Cleanup(func() { plane.Kubectl(t, "delete", "crd", plural+".sallyport.example", "--wait=false") })
	plane.Kubectl(t, "wait", "--for=condition=Established", "--timeout=2m", "crd/"+plural+".sallyport.example")
	eventually(t, "the kind is served", func() bool {
		c.Reset()
		_, err := c.Namespaced(t.Context(), schema.GroupKind{Group: "sallyport.example", Kind: kind})
		return err == nil
	})
	for _, gvk := range [][2]string{{"v1", "ConfigMap"}, {"v1", "Secret"}, {"sallyport.example/v1", kind}} {
		object := func(label string) *unstructured.Unstructured {
			u := configMap(ns, "a")
			u.SetAPIVersion(gvk[0])
			u.SetKind(gvk[1])
			u.SetLabels(map[string]string{"v": label})
			return u
		}
		stored, err := c.Apply(t.Context(), object("1"), cluster.ApplyOptions{OnlyNew: true})
		if err != nil {
			t.Fatal(err)
		}
		if f := stored.GetManagedFields(); len(f) != 1 || f[0].Manager != cluster.Manager || f[0].Operation != "Apply" {
			t.Errorf("%s: %+v", gvk[1], f)
		}
		stale := func(what string, change func(u *unstructured.Unstructured), opts cluster.ApplyOptions) {
			t.Helper()
			u := object("2")
			change(u)
			_, err := c.Apply(t.Context(), u, opts)
			var e *cluster.Error
			if !errors.As(err, &e) || !e.Stale || !cluster.IsStale(err) || !cluster.IsConflict(err) || e.Immutable || e.Exists || len(e.Conflicts) > 0 {
				t.Errorf("%s: %s: %+v", gvk[1], what, err)
			}
		}
		stale("it exists", func(*unstructured.Unstructured) {}, cluster.ApplyOptions{OnlyNew: true})
		stale("it exists, with force", func(*unstructured.Unstructured) {}, cluster.ApplyOptions{OnlyNew: true, Force: true})
		stale("another version", func(u *unstructured.Unstructured) { u.SetResourceVersion("2") }, cluster.ApplyOptions{})
		stale("another version, dry-run with force", func(u *unstructured.Unstructured) { u.SetResourceVersion("2") }, cluster.ApplyOptions{DryRun: true, Force: true})
		stale("another uid", func(u *unstructured.Unstructured) { u.SetUID("0d9fb2a6-6f8e-4d0b-9b5e-0c5f0f6f3c4e") }, cluster.ApplyOptions{})
		stale("a uid of none", func(u *unstructured.Unstructured) { u.SetName("none"); u.SetUID(stored.GetUID()) }, cluster.ApplyOptions{})
		_, err = c.Apply(t.Context(), object("2"), cluster.ApplyOptions{OnlyNew: true, Manager: "another"})
		var e *cluster.Error
		if !errors.As(err, &e) || e.Stale || cluster.IsStale(err) || !cluster.IsConflict(err) || len(e.Conflicts) != 1 || e.Conflicts[0].Manager != cluster.Manager {
			t.Errorf("%s: a field of another: %+v", gvk[1], err)
		}
		same := object("3")
		same.SetUID(stored.GetUID())
		same.SetResourceVersion(stored.GetResourceVersion())
		if _, err := c.Apply(t.Context(), same, cluster.ApplyOptions{Force: true}); err != nil {
			t.Errorf("%s: as it was read: %v", gvk[1], err)
		}
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
	holder := lease
	holder.Duration = time.Minute // which it can renew on any machine
	go func() {
		first <- c.Lead(t.Context(), holder, func(context.Context) error {
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
	var away atomic.Bool
	c := connect(t, cluster.Options{Kubeconfig: controlplane.Shared(t).Intercept(t, func(*http.Request) int {
		if away.Load() {
			panic(http.ErrAbortHandler) // the connection is cut
		}
		return 0
	})})
	if _, err := c.Get(t.Context(), cluster.ID{Kind: "Namespace", Name: "default"}); err != nil {
		t.Fatal(err)
	}
	away.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.Get(ctx, cluster.ID{Kind: "Secret", Namespace: "default", Name: "db"})
	if err == nil || err.Error() != "get Secret/default/db: no answer from the API server" {
		t.Errorf("%v", err)
	}
}

// TestNoConfiguration: what is missing is told in words of this program.
func TestNoConfiguration(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "") // of a pod that runs the tests
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("{apiVersion: v1, kind: Config}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for kubeconfig, want := range map[string]string{
		"does-not-exist": "stat does-not-exist: no such file or directory",
		empty:            empty + " has no current context: give one by --context",
		"":               "this is no pod of a cluster: give --kubeconfig",
	} {
		_, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: kubeconfig})
		if err == nil || err.Error() != "cluster configuration: "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
