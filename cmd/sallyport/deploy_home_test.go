package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// homes are the namespaces that are meant: two runners', and one with keys only.
var homes = []string{"sallyport", "sallyport-tenant-a", "keys"}

// aHome is what the policy sallyport-home says of a namespace, and isHome what it
// says of the Namespace itself.
const (
	aHome  = "is a home of sallyport, with keys, books or configuration: its accounts"
	isHome = "a namespace that is a home of sallyport"
)

// testHomes holds that no account of sallyport writes into a namespace with keys,
// books or configuration anything but its own books, even where RBAC lets it do
// everything: the policy, not the roles, is what is tried here.
func (c *deployed) testHomes(t *testing.T) {
	c.Apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: keys, labels: {sallyport.dev/home: 'true'}}}")
	for _, namespace := range []string{"keys", "sallyport-tenant-a"} {
		c.Kubectl(t, "-n", namespace, "create", "secret", "generic", "sallyport-age", "--from-literal=identity.agekey=x")
	}
	for _, namespace := range []string{"sallyport", "sallyport-tenant-a"} {
		c.Kubectl(t, "-n", namespace, "create", "configmap", "sallyport-operators")
	}
	c.settled(t, "keys")
	end := c.administer(t, account("sallyport", "sallyport"), account("sallyport-tenant-a", "sallyport-deployer"))
	runner := c.TokenKubeconfig(t, "sallyport", "sallyport")
	c.untilDenied(t, aHome, func() error {
		_, err := c.KubectlAs(t, runner, "", "-n", "sallyport", "create", "configmap", "awaited")
		return err
	})
	for _, a := range []struct{ home, account string }{{"sallyport", "sallyport"}, {"sallyport-tenant-a", "sallyport-deployer"}} {
		t.Run(a.home+"/"+a.account, func(t *testing.T) {
			as := &acting{c, c.TokenKubeconfig(t, a.home, a.account)}
			as.keepsBooks(t, a.home)
			as.writesNothingElse(t, a.home)
			for _, other := range homes {
				if other != a.home {
					as.refused(t, other, append(books(other), strangers(other)[:2]...))
				}
			}
			if _, err := as.apply(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: sallyport-config, namespace: shop}, data: {a: b}}"); err != nil {
				t.Errorf("elsewhere: %v", err)
			}
		})
	}
	end()
	// Those who look after it are not meant, nor accounts with similar names.
	c.Kubectl(t, "-n", "sallyport", "patch", "configmap", "sallyport-config", "-p", `{"data":{"more":"x"}}`)
	c.Kubectl(t, "-n", "keys", "delete", "secret", "sallyport-age", "--as", account("keys", "sallyport-deployers"), "--as-group", "system:masters")
}

// acting is an account of sallyport with its token.
type acting struct {
	*deployed
	kubeconfig string
}

// apply applies manifests as the program does, and returns which objects were.
func (a *acting) apply(t *testing.T, manifests ...string) (string, error) {
	t.Helper()
	return a.KubectlAs(t, a.kubeconfig, strings.Join(manifests, "\n---\n"), "apply", "--server-side", "--field-manager=sallyport", "--force-conflicts", "-f", "-")
}

// books are an inventory, two statuses, and the Lease.
func books(namespace string) []string {
	inventory := `{apiVersion: v1, kind: ConfigMap, metadata: {name: sallyport-shop, namespace: %[1]s, labels: {applyset.kubernetes.io/id: applyset-x-v1}}, data: {inventory: "{}", revision: a, applying: b}}`
	status := `{apiVersion: v1, kind: ConfigMap, metadata: {name: %[2]s, namespace: %[1]s, labels: {sallyport.dev/status: "true"}}, data: {status: "{}", state: a, revision: b}}`
	lease := `{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: sallyport, namespace: %[1]s}}`
	return []string{
		fmt.Sprintf(inventory, namespace), fmt.Sprintf(status, namespace, "sallyport-status"),
		fmt.Sprintf(status, namespace, "sallyport-status.shop"), fmt.Sprintf(lease, namespace),
	}
}

// keepsBooks holds that an account makes, changes and tells what it has to.
func (a *acting) keepsBooks(t *testing.T, home string) {
	t.Helper()
	for range 2 { // they are made, or are there
		if _, err := a.apply(t, books(home)...); err != nil {
			t.Error(err)
		}
	}
	event := `{apiVersion: v1, kind: Event, metadata: {generateName: sallyport-shop., namespace: %[1]s}, involvedObject: {apiVersion: v1, kind: ConfigMap, name: sallyport-shop, namespace: %[1]s}}`
	if _, err := a.KubectlAs(t, a.kubeconfig, fmt.Sprintf(event, home), "create", "-f", "-"); err != nil {
		t.Error(err)
	}
	lease := fmt.Sprintf("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: sallyport, namespace: %s}, spec: {holderIdentity: a}}", home)
	if _, err := a.KubectlAs(t, a.kubeconfig, lease, "replace", "-f", "-"); err != nil {
		t.Error(err)
	}
}

// strangers are objects that would be dangerous in a home, and book-like ones that
// are no books.
//
// The first two are a Pod and a Role that read the key.
func strangers(namespace string) []string {
	pod := `{automountServiceAccountToken: true, serviceAccountName: default, restartPolicy: Never,
		securityContext: {runAsNonRoot: true, runAsUser: 1, seccompProfile: {type: RuntimeDefault}},
		containers: [{name: a, image: registry.example.com/a:1, envFrom: [{secretRef: {name: sallyport-age}}], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}],
		volumes: [{name: key, secret: {secretName: sallyport-age}}]}`
	set, status := "applyset.kubernetes.io/id: applyset-x-v1", `sallyport.dev/status: "true"`
	var all []string
	for _, o := range []struct{ apiVersion, kind, name, labels, more string }{
		{"v1", "Pod", "reader", "", "spec: " + pod},
		{"rbac.authorization.k8s.io/v1", "Role", "reader", "", "rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]"},
		{"v1", "ConfigMap", "sallyport-config", "", "data: {config.yaml: x}"},
		{"v1", "ConfigMap", "sallyport-config", set, `data: {inventory: "{}"}`},
		{"v1", "ConfigMap", "sallyport-operators", set, `data: {inventory: "{}"}`},
		{"v1", "ConfigMap", "kube-root-ca.crt", set, "data: {revision: x}"},
		{"v1", "ConfigMap", "sallyport-unlabelled", "", `data: {inventory: "{}"}`},
		{"v1", "ConfigMap", "sallyport-more", set, `data: {inventory: "{}", config.yaml: x}`},
		{"v1", "ConfigMap", "sallyport-binary", set, "binaryData: {config.yaml: eA==}"},
		{"v1", "ConfigMap", "sallyport-member", set + ", applyset.kubernetes.io/part-of: applyset-y-v1", `data: {inventory: "{}"}`},
		{"v1", "ConfigMap", "sallyport-status.member", status + ", applyset.kubernetes.io/part-of: applyset-y-v1", "data: {state: x}"},
		{"v1", "ConfigMap", "sallyport-no-status", status, "data: {state: x}"},
		{"v1", "ConfigMap", "unprefixed", set, `data: {inventory: "{}"}`},
		{"v1", "Secret", "sallyport-age", "", "stringData: {identity.agekey: mine}"},
		{"v1", "Secret", "token", "", "type: kubernetes.io/service-account-token"},
		{"v1", "ServiceAccount", "sallyport", "", "automountServiceAccountToken: true"},
		{"batch/v1", "Job", "reader", "", "spec: {template: {spec: " + pod + "}}"},
		{"coordination.k8s.io/v1", "Lease", "another", "", "spec: {}"},
		{"networking.k8s.io/v1", "NetworkPolicy", "default-deny", "", "spec: {podSelector: {}, egress: [{}], policyTypes: [Egress]}"},
		{"rbac.authorization.k8s.io/v1", "RoleBinding", "reader", "", "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}"},
	} {
		all = append(all, fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s, namespace: %s, labels: {%s}, annotations: {kubernetes.io/service-account.name: default}}, %s}", o.apiVersion, o.kind, o.name, namespace, o.labels, o.more))
	}
	return all
}

// writesNothingElse holds that an account changes nothing else in its home by any
// verb, nor the home itself.
func (a *acting) writesNothingElse(t *testing.T, home string) {
	t.Helper()
	before := a.contents(t)
	a.refused(t, home, strangers(home))
	for _, args := range [][]string{
		{"delete", "configmap", "sallyport-shop"}, {"delete", "secret", "sallyport-age"}, {"delete", "--raw", "/api/v1/namespaces/" + home + "/configmaps"},
		{"create", "token", "default"}, {"patch", "serviceaccount", "default", "-p", `{"imagePullSecrets":[{"name":"a"}]}`},
		{"patch", "namespace", home, "-p", `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`},
		{"patch", "namespace", "keys", "-p", `{"metadata":{"labels":{"sallyport.dev/home":null}}}`},
		{"delete", "namespace", "keys", "--wait=false"},
		{"label", "namespace", "shop", "sallyport.dev/home=true"},
	} {
		_, err := a.KubectlAs(t, a.kubeconfig, "", append([]string{"-n", home}, args...)...)
		if err == nil || !strings.Contains(err.Error(), aHome) && !strings.Contains(err.Error(), isHome) {
			t.Errorf("%v: %v", args, err)
		}
	}
	after := a.contents(t)
	for _, line := range slices.Concat(added(before, after), added(after, before)) {
		t.Errorf("the home has changed: %s", line)
	}
}

// refused holds that of all these objects the policy admits none.
func (a *acting) refused(t *testing.T, namespace string, objects []string) {
	t.Helper()
	applied, err := a.apply(t, objects...)
	lines := strings.Split(fmt.Sprint(err), "\n")
	others := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.Contains(line, aHome) })
	if applied != "" || len(others) > 0 || len(lines) != len(objects) {
		t.Errorf("%s: %d lines about %d objects; admitted: %s\n%s", namespace, len(lines), len(objects), applied, strings.Join(others, "\n"))
	}
}

// contents are the objects of all homes and their versions, but for what runs there
// in its own time.
func (a *acting) contents(t *testing.T) string {
	t.Helper()
	all := a.Kubectl(t, "get", "configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies,namespaces", "-A",
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}/ {.metadata.resourceVersion}{"\n"}{end}`)
	return strings.Join(slices.DeleteFunc(strings.Split(all, "\n"), func(line string) bool {
		return !slices.ContainsFunc(homes, func(home string) bool { return strings.Contains(line, "/"+home+"/") })
	}), "\n")
}
