package health_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/health"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestClaim: a claim that nobody uses yet is what it should be if its class waits
// for that, and not otherwise. Nobody provides volumes for these classes, and one
// look decides, as the deadline is over.
func TestClaim(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	ns := plane.Namespace(t)
	for _, class := range [][2]string{{"waits", "WaitForFirstConsumer"}, {"binds", "Immediate"}} {
		plane.Apply(t, fmt.Sprintf("{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: %s-%s}, provisioner: sallyport.test/nobody, volumeBindingMode: %s}", ns, class[0], class[1]))
		t.Cleanup(func() { plane.Kubectl(t, "delete", "storageclass", ns+"-"+class[0]) })
	}
	claim := func(name, class string) string {
		return fmt.Sprintf(`
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: %s, namespace: %s}, spec: {storageClassName: %s, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`, name, ns, class)
	}
	pod := func(name, claim string) string {
		return fmt.Sprintf(`
---
{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %s}, spec: {nodeSelector: {no: where}, containers: [{name: a, image: a}], volumes: [{name: a, persistentVolumeClaim: {claimName: %s}}]}}`, name, ns, claim)
	}
	plane.Apply(t, claim("unused", ns+"-waits")+claim("used", ns+"-waits")+claim("immediate", ns+"-binds")+claim("typo", ns+"-none")+claim("static", `""`)+pod("user", "used"))
	for _, name := range []string{"unused", "used", "immediate", "typo", "static"} {
		plane.Kubectl(t, "-n", ns, "wait", "--for=jsonpath={.status.phase}=Pending", "--timeout=2m", "pvc/"+name)
	}
	plane.Kubectl(t, "-n", ns, "create", "serviceaccount", "runner")
	plane.Kubectl(t, "-n", ns, "create", "role", "runner", "--verb=get,list", "--resource=persistentvolumeclaims")
	plane.Kubectl(t, "-n", ns, "create", "rolebinding", "runner", "--role=runner", "--serviceaccount="+ns+":runner")
	plane.Kubectl(t, "-n", ns, "create", "serviceaccount", "reader")
	plane.Kubectl(t, "-n", ns, "create", "rolebinding", "reader", "--role=runner", "--serviceaccount="+ns+":reader")
	plane.Kubectl(t, "create", "clusterrole", ns, "--verb=get", "--resource=storageclasses.storage.k8s.io")
	plane.Kubectl(t, "create", "clusterrolebinding", ns, "--clusterrole="+ns, "--serviceaccount="+ns+":reader")
	t.Cleanup(func() { plane.Kubectl(t, "delete", "clusterrole,clusterrolebinding", ns) })

	admin := connect(t, plane)
	runner, reader := as(t, plane.TokenKubeconfig(t, ns, "runner")), as(t, plane.TokenKubeconfig(t, ns, "reader"))
	for _, c := range []*cluster.Cluster{runner, reader} {
		allowed(t, c, cluster.ID{Kind: "PersistentVolumeClaim", Namespace: ns, Name: "unused"})
	}
	allowed(t, reader, cluster.ID{Group: "storage.k8s.io", Kind: "StorageClass", Name: ns + "-waits"})
	anyway, err := health.NewJudge([]health.Rule{{Kind: "PersistentVolumeClaim", Healthy: "status.phase == 'Pending'"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		c     *cluster.Cluster
		judge *health.Judge
		claim string
		want  string // in the error; "" is healthy
	}{
		{"nobody uses it", admin, nil, "unused", ""},
		{"a pod uses it", admin, nil, "used", "is progressing: is not bound by its storage class " + ns + "-waits, although pod user uses it"},
		{"its class does not wait", admin, nil, "immediate", "is progressing: is not bound by its storage class " + ns + "-binds"},
		{"no such class", admin, nil, "typo", "is progressing: is not bound: there is no storage class " + ns + "-none"},
		{"no class", admin, nil, "static", "is progressing: is not bound: it names no storage class"},
		{"without the right to read classes", runner, nil, "unused", "the verb get on storageclasses would tell"},
		{"without the right to read pods", reader, nil, "unused", ""},
		{"with a rule", runner, anyway, "immediate", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := cluster.ID{Kind: "PersistentVolumeClaim", Namespace: ns, Name: tt.claim}
			err := health.Wait(t.Context(), tt.c, []cluster.ID{id}, health.Options{Judge: tt.judge, Timeout: time.Nanosecond, Stable: -1})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestUnservedKind: an object whose kind the server does not serve, or does not
// serve any more, ends the wait long before its deadline.
func TestUnservedKind(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	ns, c := plane.Namespace(t), connect(t, plane)
	kind := kindOf("Screw", ns)
	defined(t, plane, kind, "")
	id := cluster.ID{Group: "sallyport.example", Kind: kind, Namespace: ns, Name: "a"}
	if _, err := c.Namespaced(t.Context(), id.GroupKind()); err != nil {
		t.Fatal(err)
	}
	plane.Kubectl(t, "delete", "crd", strings.ToLower(kind)+"s.sallyport.example")
	for _, id := range []cluster.ID{id, {Group: "x.example", Kind: "Unheard", Namespace: ns, Name: "a"}} {
		err := health.Wait(t.Context(), c, []cluster.ID{id, {Kind: "Service", Namespace: ns, Name: "missing"}}, health.Options{Timeout: time.Hour})
		if err == nil || !strings.Contains(err.Error(), "waiting longer does not help:\n  "+id.String()+" is failed: the server does not serve "+id.GroupKind().String()) ||
			!strings.Contains(err.Error(), "apply the definition, or remove the object") {
			t.Errorf("%v", err)
		}
	}
}

// TestKindToCome: an object whose kind the set itself defines waits for that.
func TestKindToCome(t *testing.T) {
	t.Parallel()
	plane := controlplane.Shared(t)
	ns, c := plane.Namespace(t), connect(t, plane)
	kind := kindOf("Rivet", ns)
	id := cluster.ID{Group: "sallyport.example", Kind: kind, Namespace: ns, Name: "a"}
	if _, err := c.Namespaced(t.Context(), id.GroupKind()); !cluster.IsNoMatch(err) {
		t.Fatal(err) // and the connection remembers that there is no such kind
	}
	defined(t, plane, kind, "labels: {set: "+ns+"}, ")
	t.Cleanup(func() { plane.Kubectl(t, "delete", "crd", strings.ToLower(kind)+"s.sallyport.example", "--wait=false") })
	plane.Apply(t, fmt.Sprintf("{apiVersion: sallyport.example/v1, kind: %s, metadata: {name: a, namespace: %s, labels: {set: %[2]s}}}", kind, ns))
	var reasons []string
	err := health.Wait(t.Context(), c, []cluster.ID{id}, health.Options{Selector: "set=" + ns, Timeout: 5 * time.Minute, Stable: -1, Progress: func(bad []health.State) {
		for _, s := range bad {
			reasons = append(reasons, s.String())
		}
	}})
	if err != nil || len(reasons) == 0 || !strings.Contains(reasons[0], " is progressing: its kind is defined and not served yet") {
		t.Errorf("%v; %q", err, reasons)
	}
}

// kindOf is the name of a kind that no other run of a test has.
func kindOf(name, ns string) string { return name + strings.ReplaceAll(ns, "-", "") }

// defined applies a CustomResourceDefinition and waits until its kind is served.
func defined(t *testing.T, plane *controlplane.Cluster, kind, metadata string) {
	t.Helper()
	name := strings.ToLower(kind) + "s.sallyport.example"
	plane.Apply(t, fmt.Sprintf(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {%s name: %s}, spec: {
		group: sallyport.example, scope: Namespaced, names: {kind: %s, plural: %ss}, versions: [{name: v1, served: true, storage: true,
		schema: {openAPIV3Schema: {type: object}}}]}}`, metadata, name, kind, strings.ToLower(kind)))
	plane.Kubectl(t, "wait", "--for=condition=Established", "--timeout=2m", "crd/"+name)
	c := connect(t, plane)
	eventually(t, kind+" is served", func() bool {
		c.Reset()
		_, err := c.Namespaced(t.Context(), cluster.ID{Group: "sallyport.example", Kind: kind}.GroupKind())
		return err == nil
	})
}

func as(t *testing.T, kubeconfig string) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// allowed waits until a role counts.
func allowed(t *testing.T, c *cluster.Cluster, id cluster.ID) {
	t.Helper()
	eventually(t, "the role counts", func() bool {
		_, err := c.Get(t.Context(), id)
		return err == nil
	})
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
