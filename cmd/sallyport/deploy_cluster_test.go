package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestDeployInCluster applies what is shipped to a real API server, and tries
// what each account may do there. The control plane is its own, since the
// objects belong to the whole cluster.
func TestDeployInCluster(t *testing.T) {
	c := &deployed{controlplane.Start(t, controlplane.Options{})}
	c.Apply(t, operatorCRDs)
	t.Run("recover", c.testRecover) // first: the cluster is empty
	t.Run("run", c.testRun)
	t.Run("pod security", c.testPodSecurity)
	t.Run("rights", c.testRights)
	t.Run("homes", c.testHomes)
	t.Run("drift", c.testDrift)
	t.Run("impersonation", c.testImpersonation)
}

type deployed struct{ *controlplane.Cluster }

// longest is how long something may take that takes seconds, on a machine that
// does much else; patience says so to kubectl.
const (
	longest  = 10 * time.Minute
	patience = "--timeout=10m"
)

// settled waits for what the controller manager puts into a new namespace: no pod
// is admitted before.
func (c *deployed) settled(t *testing.T, namespaces ...string) {
	t.Helper()
	for _, namespace := range namespaces {
		c.Kubectl(t, "-n", namespace, "wait", "--for=create", patience, "serviceaccount/default", "configmap/kube-root-ca.crt")
	}
}

// overlay applies an overlay as the README says.
func (c *deployed) overlay(t *testing.T, name string) {
	t.Helper()
	c.Kubectl(t, "apply", "--server-side", "-k", filepath.Join(deployDir, name))
}

// operatorCRDs are the kinds of the Prometheus operator, without their schemas:
// the gate has judged the objects by the real ones.
const operatorCRDs = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ServiceMonitor, plural: servicemonitors}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: prometheusrules.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: PrometheusRule, plural: prometheusrules}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// recover runs the one command of disaster recovery, with the key on standard
// input.
func (c *deployed) recover(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest) // it waits as long as the Job may take
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", filepath.Join(deployDir, "recover", "recover.sh"), "-k", "-")
	cmd.Env = []string{"KUBECTL=" + controlplane.Binary(t) + " kubectl", "KUBECONFIG=" + c.Admin, "HOME=" + c.Dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(recoveryKey)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), recoveryKey) {
		t.Error("the key is in the output")
	}
}

// recoveryKey stands for one: no container runs here that would read it.
const recoveryKey = "an age identity, as it were"

// testRecover holds that one command and the key are enough where nothing is,
// that it may be repeated, and that no right is left behind.
func (c *deployed) testRecover(t *testing.T) {
	for range 2 {
		c.recover(t)
		key := c.Kubectl(t, "-n", "sallyport", "get", "secret", "sallyport-age", "-o", `go-template={{index .data "identity.agekey" | base64decode}}`)
		if key != recoveryKey {
			t.Error("the Secret does not hold the key")
		}
		if annotations := c.Kubectl(t, "-n", "sallyport", "get", "secret", "sallyport-age", "-o", "jsonpath={.metadata.annotations}"); annotations != "" {
			t.Error("the Secret has annotations, as kubectl apply makes them of its content")
		}
		if left := c.Kubectl(t, "get", "clusterrolebindings", "-l", "app.kubernetes.io/part-of=sallyport", "-o", "name"); left != "" {
			t.Errorf("left behind: %s", left)
		}
	}
	if succeeded := c.Kubectl(t, "-n", "sallyport", "get", "job", "sallyport", "-o", "jsonpath={.status.succeeded}"); succeeded != "1" {
		t.Errorf("%q pods of the job succeeded", succeeded)
	}
}

// testRun holds that each way of running gets a pod into the restricted
// namespace, and that all overlays live side by side.
func (c *deployed) testRun(t *testing.T) {
	for _, name := range []string{"job", "cronjob", "monitoring", "example"} {
		c.overlay(t, name)
	}
	c.Kubectl(t, "-n", "sallyport", "wait", "--for=condition=Complete", patience, "job/sallyport")
	c.Kubectl(t, "-n", "sallyport", "wait", "--for=condition=Available", patience, "deployment/sallyport")
	if phase := c.Kubectl(t, "-n", "sallyport", "get", "pods", "-l", "pod-template-hash", "-o", "jsonpath={.items[*].status.phase}"); phase != "Running" {
		t.Errorf("the pod of the Deployment is %s", phase)
	}
	for _, name := range []string{"sallyport", "sallyport-drift"} {
		c.Kubectl(t, "-n", "sallyport", "create", "job", "now-"+name, "--from=cronjob/"+name)
		c.Kubectl(t, "-n", "sallyport", "wait", "--for=condition=Complete", patience, "job/now-"+name)
	}
	for _, name := range []string{"tenant/dedicated", "tenant/impersonated"} {
		c.overlay(t, name)
	}
	for namespace, cronjob := range map[string]string{"sallyport-tenant-a": "sallyport", "sallyport": "sallyport-tenant-a"} {
		c.Kubectl(t, "-n", namespace, "create", "job", "now-tenant", "--from=cronjob/"+cronjob)
		c.Kubectl(t, "-n", namespace, "wait", "--for=condition=Complete", patience, "job/now-tenant")
	}
	c.settled(t, "sallyport", "sallyport-tenant-a", "shop")
}

// testPodSecurity holds that the namespace refuses pods that are less than
// restricted, and says so.
func (c *deployed) testPodSecurity(t *testing.T) {
	for _, namespace := range []string{"sallyport", "sallyport-tenant-a"} {
		_, err := c.KubectlAs(t, c.Admin, "", "-n", namespace, "run", "loose", "--image=registry.example.com/loose:1", "--dry-run=server")
		if err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
			t.Errorf("%s: a loose pod gives %v", namespace, err)
		}
	}
}

// right is a question to the API server's authorizer.
type right struct {
	verb, resource, namespace, name string // resource as resource.group/subresource
	want                            bool
}

func account(namespace, name string) string { return "system:serviceaccount:" + namespace + ":" + name }

// testRights asks what the accounts may do. The bindings are those of example
// and of both tenants.
func (c *deployed) testRights(t *testing.T) {
	c.Apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: other}}")
	never := []right{
		{"get", "secrets", "other", "", false}, {"list", "secrets", "", "", false}, {"list", "secrets", "kube-system", "", false},
		{"get", "configmaps", "other", "", false}, {"patch", "deployments.apps", "other", "", false},
		{"create", "namespaces", "", "", false}, {"delete", "namespaces", "", "shop", false}, {"patch", "namespaces", "", "sallyport", false},
		{"create", "customresourcedefinitions.apiextensions.k8s.io", "", "", false},
		{"create", "rolebindings.rbac.authorization.k8s.io", "shop", "", false}, {"create", "roles.rbac.authorization.k8s.io", "sallyport", "", false},
		{"create", "clusterrolebindings.rbac.authorization.k8s.io", "", "", false},
		{"escalate", "clusterroles.rbac.authorization.k8s.io", "", "", false}, {"bind", "clusterroles.rbac.authorization.k8s.io", "", "cluster-admin", false},
		{"impersonate", "users", "", "", false}, {"impersonate", "groups", "", "system:masters", false},
		{"impersonate", "serviceaccounts", "kube-system", "default", false}, {"impersonate", "serviceaccounts", "tenant-a", "default", false},
		{"create", "serviceaccounts/token", "sallyport", "sallyport", false}, {"create", "pods/exec", "shop", "", false}, {"create", "pods", "shop", "", false},
		{"update", "deployments.apps", "shop", "", false}, {"deletecollection", "deployments.apps", "shop", "", false}, {"watch", "secrets", "shop", "", false},
		{"patch", "validatingadmissionpolicies.admissionregistration.k8s.io", "", "sallyport-drift-dry-run", false},
		{"delete", "validatingadmissionpolicybindings.admissionregistration.k8s.io", "", "sallyport-drift-dry-run", false},
		{"list", "secrets", "sallyport", "", false}, {"patch", "secrets", "sallyport", "sallyport-age", false}, {"get", "secrets", "sallyport", "sallyport-credentials", false},
		{"delete", "configmaps", "sallyport", "", false}, {"delete", "leases.coordination.k8s.io", "sallyport", "sallyport", false},
		{"list", "secrets", "sallyport-tenant-a", "", false}, {"create", "pods", "sallyport-tenant-a", "", false}, {"create", "jobs.batch", "sallyport-tenant-a", "", false},
		{"patch", "secrets", "sallyport-tenant-a", "sallyport-age", false}, {"create", "serviceaccounts/token", "sallyport-tenant-a", "sallyport-deployer", false},
		{"patch", "validatingadmissionpolicies.admissionregistration.k8s.io", "", "sallyport-home", false},
	}
	workloads := func(namespace string) (all []right) {
		for _, verb := range []string{"get", "list", "create", "patch", "delete"} {
			for _, resource := range []string{"configmaps", "secrets", "services", "deployments.apps", "jobs.batch", "ingresses.networking.k8s.io"} {
				all = append(all, right{verb, resource, namespace, "", true})
			}
		}
		return append(all, right{"list", "pods", namespace, "", true})
	}
	books := func(namespace string, write bool) []right {
		return []right{
			{"get", "secrets", namespace, "sallyport-age", true}, {"get", "configmaps", namespace, "sallyport-set", true},
			{"create", "configmaps", namespace, "", write}, {"patch", "configmaps", namespace, "", write},
			{"create", "leases.coordination.k8s.io", namespace, "", write}, {"update", "leases.coordination.k8s.io", namespace, "sallyport", write},
			{"get", "leases.coordination.k8s.io", namespace, "sallyport", write}, {"update", "leases.coordination.k8s.io", namespace, "another", false},
			{"create", "events", namespace, "", write},
		}
	}
	var questions []question
	for _, a := range []struct {
		user   string
		rights [][]right
	}{
		{account("sallyport", "sallyport"), [][]right{never, workloads("shop"), books("sallyport", true), {
			{"impersonate", "serviceaccounts", "sallyport-tenant-a", "sallyport-deployer", true}, {"impersonate", "serviceaccounts", "shop", "sallyport-deployer", false},
			{"list", "configmaps", "sallyport", "", true}, // for sallyport status
			{"get", "deployments.apps", "tenant-a", "", false}, {"get", "secrets", "sallyport-tenant-a", "sallyport-age", false},
			{"patch", "configmaps", "sallyport-tenant-a", "", false},
		}}},
		{account("sallyport", "sallyport-drift"), [][]right{never, workloads("shop"), books("sallyport", false)}},
		{account("sallyport-tenant-a", "sallyport"), [][]right{never, workloads("tenant-a"), books("sallyport-tenant-a", true), {
			{"get", "deployments.apps", "shop", "", false}, {"get", "secrets", "sallyport", "sallyport-age", false}, {"patch", "configmaps", "sallyport", "", false},
			{"impersonate", "serviceaccounts", "sallyport-tenant-a", "sallyport-deployer", false},
		}}},
		{account("sallyport-tenant-a", "sallyport-deployer"), [][]right{never, workloads("tenant-a"), books("sallyport-tenant-a", true), {
			{"get", "deployments.apps", "shop", "", false}, {"get", "secrets", "sallyport", "sallyport-age", false},
			{"impersonate", "serviceaccounts", "sallyport-tenant-a", "sallyport-deployer", false},
		}}},
		{account("shop", "default"), [][]right{never, {{"get", "secrets", "shop", "", false}, {"get", "configmaps", "sallyport", "", false}}}},
	} {
		for _, rights := range a.rights {
			for _, r := range rights {
				questions = append(questions, question{a.user, r})
			}
		}
	}
	c.ask(t, questions...)
}

// question is whether an account has a right.
type question struct {
	user string
	right
}

// ask is kubectl auth can-i for many questions at once. The authorizer follows
// what is bound in its own time, so it is asked until it does.
func (c *deployed) ask(t testing.TB, questions ...question) {
	t.Helper()
	for deadline := time.Now().Add(longest); ; time.Sleep(100 * time.Millisecond) {
		wrong := c.answers(t, questions)
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(strings.Join(wrong, "\n"))
		}
	}
}

// answers are the answers that are not as they should be.
func (c *deployed) answers(t testing.TB, questions []question) (wrong []string) {
	t.Helper()
	var reviews strings.Builder
	for _, q := range questions {
		resource, subresource, _ := strings.Cut(q.resource, "/")
		resource, group, _ := strings.Cut(resource, ".")
		fmt.Fprintf(&reviews, "---\n{apiVersion: authorization.k8s.io/v1, kind: SubjectAccessReview, spec: {user: %q, groups: [system:authenticated, system:serviceaccounts], "+
			"resourceAttributes: {verb: %q, group: %q, resource: %q, subresource: %q, namespace: %q, name: %q}}}\n",
			q.user, q.verb, group, resource, subresource, q.namespace, q.name)
	}
	out, err := c.KubectlAs(t, c.Admin, reviews.String(), "create", "--validate=false", "-f", "-", "-o", `jsonpath={.status.allowed}{"\n"}`)
	if err != nil {
		t.Fatal(err)
	}
	given := strings.Fields(out)
	if len(given) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(given), len(questions))
	}
	for i, q := range questions {
		if got := given[i] == "true"; got != q.want {
			wrong = append(wrong, fmt.Sprintf("%s: %s %s %s/%s: %v, want %v", q.user, q.verb, q.resource, q.namespace, q.name, got, q.want))
		}
	}
	return wrong
}

// administer makes accounts administrators of the cluster, and returns what takes
// that from them. Both wait until the API server knows it.
func (c *deployed) administer(t *testing.T, users ...string) (end func()) {
	t.Helper()
	args := []string{"create", "clusterrolebinding", "for-a-while", "--clusterrole=cluster-admin"}
	var are, were []question
	for _, user := range users {
		args = append(args, "--user="+user)
		right := right{"delete", "nodes", "", "", true}
		are = append(are, question{user, right})
		right.want = false
		were = append(were, question{user, right})
	}
	c.Kubectl(t, args...)
	c.ask(t, are...)
	return func() {
		c.Kubectl(t, "delete", "clusterrolebinding", "for-a-while")
		c.ask(t, were...)
	}
}

// testDrift holds that the account of drift can store nothing, even where RBAC
// lets it do everything: the policy, not the roles, is what is tried here.
func (c *deployed) testDrift(t *testing.T) {
	defer c.administer(t, account("sallyport", "sallyport-drift"), account("shop", "sallyport-drifter"))()
	c.Kubectl(t, "-n", "shop", "create", "serviceaccount", "sallyport-drifter")
	c.Kubectl(t, "-n", "shop", "create", "configmap", "settings", "--from-literal=a=b")
	c.Kubectl(t, "-n", "shop", "create", "deployment", "web", "--image=registry.example.com/web:1")
	c.Kubectl(t, "-n", "shop", "run", "pod", "--image=registry.example.com/web:1")
	c.Kubectl(t, "-n", "shop", "wait", "--for=condition=Available", patience, "deployment/web")
	before := c.state(t)

	kubeconfig := c.TokenKubeconfig(t, "sallyport", "sallyport-drift")
	write := func(stdin string, args ...string) error {
		_, err := c.KubectlAs(t, kubeconfig, stdin, append([]string{"-n", "shop"}, args...)...)
		return err
	}
	c.untilDenied(t, onlyDryRuns, func() error {
		return write("", "patch", "configmap", "settings", "-p", `{"metadata":{"labels":{"policy":"awaited"}}}`)
	})
	settings := "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: c}}"
	fresh := "{apiVersion: v1, kind: ConfigMap, metadata: {name: fresh}, data: {a: c}}"
	apply := []string{"apply", "--server-side", "--field-manager=sallyport", "--force-conflicts", "-f", "-"}
	for _, w := range []struct {
		name, stdin string
		args        []string
		dryRun      bool // kubectl can ask for one
	}{
		{"apply of what exists", settings, apply, true},
		{"apply of what does not", fresh, apply, true},
		{"create", fresh, []string{"create", "-f", "-"}, true},
		{"replace", settings, []string{"replace", "-f", "-"}, true},
		{"patch", "", []string{"patch", "configmap", "settings", "-p", `{"data":{"a":"c"}}`}, true},
		{"delete", "", []string{"delete", "configmap", "settings", "--wait=false"}, true},
		{"delete of all", "", []string{"delete", "--raw", "/api/v1/namespaces/shop/configmaps"}, false},
		{"scale", "", []string{"scale", "deployment/web", "--replicas=3"}, true},
		{"status", "", []string{"patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", `{"status":{"replicas":7}}`}, true},
		{"exec", "", []string{"exec", "pod", "--", "true"}, false},
		{"token", "", []string{"create", "token", "default"}, false},
		{"eviction", `{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "pod", "namespace": "shop"}}`,
			[]string{"create", "--raw", "/api/v1/namespaces/shop/pods/pod/eviction", "-f", "-"}, false},
		{"lease", "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: sallyport}}", []string{"create", "-f", "-"}, true},
		{"secret", "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: YQ==}}", apply, true},
		{"custom resource", "{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: s}, spec: {}}", apply, true},
		{"namespace", "", []string{"create", "namespace", "made-by-drift"}, true},
		{"role", "", []string{"create", "clusterrole", "made-by-drift", "--verb=get", "--resource=pods"}, true},
		{"definition", "", []string{"delete", "crd", "servicemonitors.monitoring.coreos.com"}, true},
	} {
		if err := write(w.stdin, w.args...); err == nil || !strings.Contains(err.Error(), onlyDryRuns) {
			t.Errorf("%s: %v", w.name, err)
		}
		if w.dryRun {
			if err := write(w.stdin, append([]string{w.args[0], "--dry-run=server"}, w.args[1:]...)...); err != nil {
				t.Errorf("dry-run of %s: %v", w.name, err)
			}
		}
	}
	after := c.state(t)
	for _, line := range slices.Concat(added(before, after), added(after, before)) {
		t.Errorf("the cluster has changed: %s", line)
	}
	// Others are left alone, also those with a similar name.
	for namespace, name := range map[string]string{"sallyport": "sallyport", "shop": "sallyport-drifter"} {
		if _, err := c.KubectlAs(t, c.TokenKubeconfig(t, namespace, name), fresh, append(apply, "-n", "shop")...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// state is what a write could change: objects and their versions.
func (c *deployed) state(t *testing.T) string {
	t.Helper()
	line := `{range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.spec.replicas} {.data}{"\n"}{end}`
	return c.Kubectl(t, "-n", "shop", "get", "configmaps,deployments,leases,servicemonitors", "-o", "jsonpath="+line) +
		c.Kubectl(t, "-n", "shop", "get", "secrets,pods", "-o", "name") +
		c.Kubectl(t, "get", "namespaces,clusterroles,crds", "-o", "name")
}

// added returns the lines of after that before lacks.
func added(before, after string) []string {
	known := strings.Split(before, "\n")
	return slices.DeleteFunc(strings.Split(after, "\n"), func(line string) bool { return slices.Contains(known, line) })
}

// onlyDryRuns is what the policy about drift says.
const onlyDryRuns = "only dry-runs are admitted"

// untilDenied waits until an admission policy is in force, as its message shows:
// the API server takes a moment to compile it.
func (c *deployed) untilDenied(t *testing.T, message string, write func() error) {
	t.Helper()
	for deadline := time.Now().Add(longest); ; time.Sleep(100 * time.Millisecond) {
		err := write()
		if err != nil && strings.Contains(err.Error(), message) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the policy is not in force: %v", err)
		}
	}
}

// testImpersonation holds that the runner of several tenants gets at a tenant
// only as the account that is named, and as nobody else anywhere.
func (c *deployed) testImpersonation(t *testing.T) {
	kubeconfig := c.TokenKubeconfig(t, "sallyport", "sallyport")
	object := "{apiVersion: v1, kind: ConfigMap, metadata: {name: made-by-runner}, data: {a: b}}"
	for _, w := range []struct {
		name string
		args []string
		want string // part of the error; "" where it is allowed
	}{
		{"the listed account", []string{"-n", "tenant-a", "--as", account("sallyport-tenant-a", "sallyport-deployer")}, ""},
		{"itself", []string{"-n", "tenant-a"}, "forbidden"},
		{"the listed account, in another's namespace", []string{"-n", "shop", "--as", account("sallyport-tenant-a", "sallyport-deployer")}, "forbidden"},
		{"another account of the tenant", []string{"-n", "tenant-a", "--as", account("tenant-a", "default")}, "cannot impersonate"},
		{"another account beside the listed one", []string{"-n", "tenant-a", "--as", account("sallyport-tenant-a", "default")}, "cannot impersonate"},
		{"the account of another tenant", []string{"-n", "other", "--as", account("other", "sallyport-deployer")}, "cannot impersonate"},
		{"a person", []string{"-n", "tenant-a", "--as", "admin"}, "cannot impersonate"},
		{"an administrator", []string{"-n", "tenant-a", "--as", account("sallyport-tenant-a", "sallyport-deployer"), "--as-group", "system:masters"}, "cannot impersonate"},
	} {
		// kubectl validates by itself first and would hide why it cannot.
		_, err := c.KubectlAs(t, kubeconfig, object, append([]string{"apply", "--server-side", "--validate=false", "-f", "-"}, w.args...)...)
		switch {
		case w.want == "" && err != nil:
			t.Errorf("%s: %v", w.name, err)
		case w.want != "" && (err == nil || !strings.Contains(err.Error(), w.want)):
			t.Errorf("%s: got %v, want %q", w.name, err, w.want)
		}
	}
}
