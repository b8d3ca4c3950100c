//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// testLoop holds that the Deployment's container takes up a commit, serves its
// metrics, and ends well when it is asked to.
func (d *door) testLoop(t *testing.T) {
	d.overlay(t, "loop", map[string]string{
		"kustomization.yaml": "resources: [../deploy/deployment]\ncomponents: [../deploy/components/cluster]\n" + configMap + "patches:\n" + d.customRules(),
		"config.yaml":        d.config(d.fleet.targets, d.overHTTPS()), ".sops.yaml": d.fleet.sopsRules(),
	})
	d.install(t, "loop")
	d.may(t, account("sallyport", "sallyport"), right{"patch", "deployments.apps", "", "", true})
	d.Kubectl(t, "-n", "sallyport", "rollout", "status", patience, "deployment/sallyport")
	var pods struct{ Items []*pod }
	d.read(t, d.Cluster, &pods, "-n", "sallyport", "get", "pods", "-l", "pod-template-hash")
	p := pods.Items[0]
	// Many tests may run on one machine: of the loopback addresses one that nobody else
	// takes, and a port that the kernel gives to nobody by itself.
	address := fmt.Sprintf("127.%d.%d.%d:8080", 1+os.Getpid()>>14&0x3f, os.Getpid()>>7&0x7f, 1+os.Getpid()&0x7f)
	args := p.Spec.Containers[0].Args
	args[slices.Index(args, ":8080")] = address

	d.fleet.edit(t, "demo/overlays/dev/kustomization.yaml", "newTag: 1.4.0", "newTag: 1.5.0")
	sha := d.fleet.commit(t, "another version")
	cmd := d.command(t, d.Cluster, p)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr.Pdeathsig = 0 // it outlives the thread that starts it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	want := `sallyport_applied_revision_info{revision="` + sha + `",target="demo/overlays/dev"} 1`
	metrics := ""
	for deadline := time.Now().Add(longest); !strings.Contains(metrics, want); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("the commit is not in the metrics:\n%s\n%s%s", metrics, stdout.String(), stderr.String())
		}
		metrics = get("http://" + address + "/metrics")
	}
	if health := get("http://" + address + "/healthz"); health != "ok\n" {
		t.Errorf("healthz: %q", health)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("asked to end: %v\n%s", err, stderr.String())
	}
	d.outputs["metrics"], d.outputs["loop stdout"], d.outputs["loop stderr"] = metrics, stdout.String(), stderr.String()
	d.collect(t, "loop")
}

// get returns a body; "" where there is none.
func get(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

// testTenant holds that a runner which impersonates an account applies the
// tenant's target as that account, whose own namespace has key and books.
func (d *door) testTenant(t *testing.T) {
	d.fleet.write(t, map[string]string{
		"tenants/tenant-a/kustomization.yaml": "namespace: tenant-a\nresources: [secret.yaml]\nconfigMapGenerator: [{name: settings, literals: [colour=green]}]\n",
		"tenants/tenant-a/secret.yaml":        "apiVersion: v1\nkind: Secret\nmetadata: {name: tenant}\nstringData: {password: x}\n",
	})
	d.fleet.seal(t, "tenants/tenant-a/secret.yaml")
	d.fleet.commit(t, "a tenant")
	d.tenant(t, "sallyport-tenant-a/sallyport-deployer")
	identity, err := os.ReadFile(d.fleet.identity)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.KubectlAs(t, d.Admin, string(identity), "-n", "sallyport-tenant-a", "create", "secret", "generic", "sallyport-age", "--from-file=identity.agekey=/dev/stdin"); err != nil {
		t.Fatal(err)
	}
	d.once(t, "sallyport", "sallyport-tenant-a").must(t)
	if string(d.liveSecrets(t)["tenant-a/tenant"]["password"]) != d.fleet.secrets["tenants/tenant-a/secret.yaml password"] {
		t.Error("the tenant's Secret is not there")
	}
	if books := d.Kubectl(t, "-n", "sallyport-tenant-a", "get", "configmaps,leases", "-o", "name"); !strings.Contains(books, "configmap/sallyport-tenants-tenant-a") || !strings.Contains(books, "lease.coordination.k8s.io/sallyport") {
		t.Errorf("the books are not the tenant's: %s", books)
	}
}

// tenant installs the runner of tenants; the shipped configuration, but for where
// the commits come from and whom it acts as.
func (d *door) tenant(t *testing.T, as string) {
	t.Helper()
	d.overlay(t, "deploy/tenant/impersonated/runner/config", map[string]string{
		"config.yaml": "apiVersion: sallyport.dev/v1\nkind: Config\ntargets:\n  include: [\"tenants/tenant-a/**\"]\napply:\n  " + d.overHTTPS() +
			"\n  impersonate: " + as + "\n  identities: {secret: sallyport-tenant-a/sallyport-age}\n  namespace: tenant-a\n  health: {timeout: 10m, stable: 1s}\n",
	})
	d.overlay(t, "tenants", map[string]string{
		"kustomization.yaml": "resources: [../deploy/tenant/impersonated]\npatches:\n" +
			lasting("CronJob", "sallyport-tenant-a", "/spec/jobTemplate/spec/template") + suspended,
	})
	d.install(t, "tenants")
	d.may(t, account("sallyport", "sallyport"), right{"impersonate", "serviceaccounts", "sallyport-tenant-a", "sallyport-deployer", true})
	d.may(t, account("sallyport-tenant-a", "sallyport-deployer"), right{"patch", "configmaps", "tenant-a", "", true})
}

// testTenantLimits holds that the tenant's account gets nowhere else, and the
// runner to no other account.
func (d *door) testTenantLimits(t *testing.T) {
	d.fleet.write(t, map[string]string{
		"tenants/tenant-a/kustomization.yaml": "resources: [secret.yaml, away.yaml]\n",
		"tenants/tenant-a/away.yaml":          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: away, namespace: shop-dev}\ndata: {a: b}\n",
	})
	d.fleet.commit(t, "a tenant that reaches out")
	out := d.once(t, "sallyport", "sallyport-tenant-a")
	if out.code != exitFindings || !strings.Contains(out.stderr, "forbidden") || !strings.Contains(out.stderr, "ConfigMap/shop-dev/away") {
		t.Errorf("another's namespace: exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if got := d.Kubectl(t, "get", "configmaps", "-A", "--field-selector=metadata.name=away", "-o", "name"); got != "" {
		t.Errorf("it is there: %s", got)
	}
	d.tenant(t, "shop-dev/sallyport-deployer")
	if out := d.once(t, "sallyport", "sallyport-tenant-a"); out.code == 0 || !strings.Contains(out.stderr, "403 Forbidden") {
		t.Errorf("another account: exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
}

// testStatus holds that the runner's account may ask for the status.
func (d *door) testStatus(t *testing.T) {
	d.everyday(t, d.overHTTPS())
	var pods struct{ Items []*pod }
	d.read(t, d.Cluster, &pods, "-n", "sallyport", "get", "pods", "-l", "app.kubernetes.io/component=apply")
	p := pods.Items[0]
	p.Spec.Containers[0].Args = []string{"status", "--namespace", "sallyport"}
	out := d.run(t, d.Cluster, p).must(t)
	d.outputs["status"] = out.stdout + out.stderr
	for _, target := range d.fleet.targets {
		if !regexp.MustCompile(regexp.QuoteMeta(target) + ` +applied`).MatchString(out.stdout) {
			t.Errorf("%s is not applied:\n%s", target, out.stdout)
		}
	}
}

// testAudit holds that no request was refused, that each was allowed by a
// binding that is shipped, that drift wrote nothing, and that the Roles of books
// and keys hold no rule that nobody used.
func (d *door) testAudit(t *testing.T) {
	shipped := regexp.MustCompile(`^RBAC: allowed by (Cluster)?RoleBinding "(sallyport-[a-z-]+(/[a-z-]+)?|system:(discovery|public-info-viewer|basic-user))" `)
	used := map[string]int{}
	for _, e := range d.Audit(t) {
		if !strings.HasPrefix(e.User.Username, "system:serviceaccount:sallyport:") {
			continue
		}
		what := fmt.Sprintf("%s: %s %s", e.User.Username, e.Verb, e.RequestURI)
		if e.ResponseStatus.Code == http.StatusForbidden {
			t.Errorf("%s was refused: %s", what, e.ResponseStatus.Message)
		}
		if reason := e.Annotations["authorization.k8s.io/reason"]; !shipped.MatchString(reason) {
			t.Errorf("%s: %s", what, reason)
		}
		if strings.HasSuffix(e.User.Username, ":sallyport-drift") && !slices.Contains([]string{"get", "list"}, e.Verb) && !e.DryRun() {
			t.Errorf("%s writes", what)
		}
		for _, key := range rightsOf(e) {
			used[key]++
		}
	}
	for _, namespace := range []string{"sallyport", "sallyport-tenant-a"} {
		d.wantUsed(t, namespace, used)
	}
}

// rightsOf are the rights that a request took, as "user verb group/resource
// namespace".
func rightsOf(e controlplane.Event) []string {
	key := func(user, verb, what, namespace string) string {
		return strings.Join([]string{user, verb, what, namespace}, " ")
	}
	var keys []string
	user, at := e.User.Username, e.ObjectRef
	if e.ImpersonatedUser != nil {
		namespace := strings.Split(e.ImpersonatedUser.Username, ":")[2]
		keys = append(keys, key(user, "impersonate", "/serviceaccounts", namespace))
		user = e.ImpersonatedUser.Username
	}
	keys = append(keys, key(user, e.Verb, at.APIGroup+"/"+at.Resource, at.Namespace))
	if e.Verb == "patch" && e.ResponseStatus.Code == http.StatusCreated { // KEP-555
		keys = append(keys, key(user, "create", at.APIGroup+"/"+at.Resource, at.Namespace))
	}
	return keys
}

// wantUsed holds that each verb of each rule of the Roles in a namespace was used
// there by somebody whom it is given to.
func (d *door) wantUsed(t *testing.T, namespace string, used map[string]int) {
	t.Helper()
	var roles struct {
		Items []struct {
			Metadata struct{ Name string }
			Rules    []struct{ APIGroups, Resources, Verbs []string }
		}
	}
	var bindings struct {
		Items []struct {
			RoleRef  struct{ Kind, Name string }
			Subjects []struct{ Namespace, Name string }
		}
	}
	d.read(t, d.Cluster, &roles, "-n", namespace, "get", "roles")
	d.read(t, d.Cluster, &bindings, "-n", namespace, "get", "rolebindings")
	checked := 0
	for _, b := range bindings.Items {
		for _, role := range roles.Items {
			if b.RoleRef.Kind != "Role" || b.RoleRef.Name != role.Metadata.Name {
				continue
			}
			for _, rule := range role.Rules {
				for _, verb := range rule.Verbs {
					checked++
					user := "system:serviceaccount:" + b.Subjects[0].Namespace + ":" + b.Subjects[0].Name
					if key := fmt.Sprintf("%s %s %s/%s %s", user, verb, rule.APIGroups[0], rule.Resources[0], namespace); used[key] == 0 {
						t.Errorf("Role %s/%s: nobody used %s", namespace, role.Metadata.Name, key)
					}
				}
			}
		}
	}
	if checked == 0 {
		t.Errorf("no Roles in %s", namespace)
	}
}

// testSilence holds that no secret value, no key and no credential is anywhere
// but in Secrets: not in what was printed, in what pods left behind, in the audit
// log, in logs of the control plane, or in any other object.
func (d *door) testSilence(t *testing.T) {
	identity, err := os.ReadFile(d.fleet.identity)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"age identity": strings.TrimSpace(string(identity[bytes.Index(identity, []byte("AGE-SECRET-KEY-")):])), "token of Git": gitToken, "ssh key": strings.Split(d.fleet.credentials["ssh-key"], "\n")[1]}
	for what, value := range d.fleet.secrets {
		secrets[what] = value
	}
	texts := map[string]string{}
	for name, text := range d.outputs {
		texts[name] = text
	}
	for name, text := range d.leftover {
		texts[name] = text
	}
	logs, err := filepath.Glob(filepath.Join(d.Dir, "*.log"))
	if err != nil || len(logs) < 5 {
		t.Fatalf("%v: logs %v", err, logs)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	for _, resource := range strings.Fields(d.Kubectl(t, "api-resources", "--verbs=list", "-o", "name")) {
		format := "json"
		if resource == "secrets" {
			format = "jsonpath={.items[*].metadata}"
		}
		texts["objects: "+resource] = d.Kubectl(t, "get", resource, "-A", "--show-managed-fields", "-o", format)
	}
	size := 0
	for name, text := range texts {
		size += len(text)
		for what, value := range secrets {
			all := forms(value)
			all["in part"] = value[len(value)-12:] // fewer may be in some hash
			for form, needle := range all {
				if strings.Contains(text, needle) {
					t.Errorf("%s holds the value of %s, %s", name, what, form)
				}
			}
		}
	}
	t.Logf("%d values in %d texts of %d kB", len(secrets), len(texts), size>>10)
}
