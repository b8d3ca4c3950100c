//go:build linux

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSecondDoor takes what is shipped through its life in a cluster: recovery
// from nothing, everyday runs, drift, going back, tenants, and metrics. Every run
// is the container of a pod that the cluster made, in the image's root filesystem
// under chroot, as uid 65532, with the token of its ServiceAccount.
func TestSecondDoor(t *testing.T) {
	d := newDoor(t)
	d.fleet.addDemo(t)
	d.fleet.addHome(t)
	d.fleet.addKinds(t)
	d.first = d.fleet.commit(t, "begin")
	for _, step := range []struct {
		name string
		test func(*testing.T)
	}{
		{"recover", d.testRecover},
		{"everyday", d.testEveryday},
		{"ssh", d.testSSH},
		{"go back", d.testGoBack},
		{"drift", d.testDrift},
		{"loop", d.testLoop},
		{"tenant", d.testTenant},
		{"status", d.testStatus},
		{"audit", d.testAudit},
		{"tenant's limits", d.testTenantLimits},
		{"silence", d.testSilence},
	} {
		if !t.Run(step.name, step.test) {
			return // each step stands on those before
		}
	}
}

// testRecover holds that from an empty cluster, one command and the key bring
// back every object of every target, CRDs first, with the Secrets decrypted.
func (d *door) testRecover(t *testing.T) {
	d.overlay(t, "recover", map[string]string{
		"kustomization.yaml": "resources: [../deploy/recover]\n" + configMap + "patches:\n" + d.customRules() + lasting("Job", "sallyport", "/spec/template"),
		"config.yaml":        d.config(d.fleet.targets, d.overHTTPS()),
		".sops.yaml":         d.fleet.sopsRules(),
	})
	d.recover(t, "recover")
	d.wantAll(t)
	d.wantDecrypted(t)
	if left := d.Kubectl(t, "get", "clusterrolebindings", "-l", "app.kubernetes.io/part-of=sallyport", "-o", "name"); left != "" {
		t.Errorf("rights are left behind: %s", left)
	}
}

// wantAll holds that every object of every target is in the cluster.
func (d *door) wantAll(t *testing.T) {
	t.Helper()
	for _, target := range d.fleet.targets {
		byNamespace := map[string][]string{}
		for _, u := range renderedAt(t, filepath.Join(d.fleet.dir, target)) {
			gvk := u.GroupVersionKind()
			byNamespace[u.GetNamespace()] = append(byNamespace[u.GetNamespace()], gvk.Kind+"."+gvk.Version+"."+gvk.Group+"/"+u.GetName())
		}
		if len(byNamespace) == 0 {
			t.Errorf("%s has no objects", target)
		}
		for namespace, names := range byNamespace {
			args := []string{"get", "-o", "name"}
			if namespace != "" {
				args = append(args, "-n", namespace)
			}
			if got := strings.Fields(d.Kubectl(t, append(args, names...)...)); len(got) != len(names) {
				t.Errorf("%s: %d objects in %q, want %d", target, len(got), namespace, len(names))
			}
		}
	}
}

// wantDecrypted holds that each Secret of the targets holds values that were
// encrypted, and nothing else.
func (d *door) wantDecrypted(t *testing.T) {
	t.Helper()
	encrypted := map[string]bool{}
	for _, value := range d.fleet.secrets {
		encrypted[value] = true
	}
	live, checked := d.liveSecrets(t), 0
	for _, target := range d.fleet.targets {
		for _, u := range renderedAt(t, filepath.Join(d.fleet.dir, target)) {
			if u.GetKind() != "Secret" {
				continue
			}
			data := live[u.GetNamespace()+"/"+u.GetName()]
			if len(data) == 0 {
				t.Errorf("Secret %s/%s has no data", u.GetNamespace(), u.GetName())
			}
			for key, value := range data {
				checked++
				if !encrypted[string(value)] {
					t.Errorf("Secret %s/%s: %s is not what was encrypted", u.GetNamespace(), u.GetName(), key)
				}
			}
		}
	}
	t.Logf("%d values of Secrets", checked)
}

// liveSecrets are the data of all Secrets, by namespace/name.
func (d *door) liveSecrets(t *testing.T) map[string]map[string][]byte {
	t.Helper()
	var list struct {
		Items []struct {
			Metadata struct{ Namespace, Name string }
			Data     map[string][]byte
		}
	}
	d.read(t, d.Cluster, &list, "get", "secrets", "-A")
	all := map[string]map[string][]byte{}
	for _, s := range list.Items {
		all[s.Metadata.Namespace+"/"+s.Metadata.Name] = s.Data
	}
	return all
}

// testEveryday holds that the account of everyday runs, which has less than that
// of recovery, applies a change and prunes what is gone, and nothing else.
func (d *door) testEveryday(t *testing.T) {
	d.everyday(t, d.overHTTPS())
	if got := done(d.once(t, "sallyport", "sallyport", "-o", "json").must(t).outcome(t)); len(got) > 0 {
		t.Errorf("without news: %v", got)
	}
	d.fleet.edit(t, "demo/overlays/dev/kustomization.yaml", "newTag: latest", "newTag: 1.4.0")
	d.fleet.edit(t, "demo/base/api/kustomization.yaml", "  - disruption-budget.yaml\n", "")
	second := d.fleet.commit(t, "a version, and a budget less")
	out := d.once(t, "sallyport", "sallyport", "-o", "json").must(t).outcome(t)
	want := []string{"configured Deployment.apps/shop-dev/web"}
	for _, namespace := range []string{"dev", "prod", "staging"} {
		want = append(want, "pruned PodDisruptionBudget.policy/shop-"+namespace+"/api")
	}
	if got := done(out); !slices.Equal(got, want) || out.Revision != second {
		t.Errorf("got %v at %s, want %v at %s", got, out.Revision, want, second)
	}
}

// everyday installs a CronJob for the whole cluster, and drift beside it. The
// CronJobs wait until they are asked for.
func (d *door) everyday(t *testing.T, more ...string) {
	t.Helper()
	const template = "/spec/jobTemplate/spec/template"
	d.overlay(t, "everyday", map[string]string{
		"kustomization.yaml": "resources: [../deploy/cronjob]\ncomponents: [../deploy/components/cluster, ../deploy/components/drift]\n" + configMap +
			"patches:\n" + d.customRules() + lasting("CronJob", "sallyport", template) + lasting("CronJob", "sallyport-drift", template) + suspended +
			"  - target: {kind: ClusterRoleBinding}\n    patch: |-\n      - {op: add, path: /subjects/-, value: {kind: ServiceAccount, name: sallyport-drift, namespace: sallyport}}\n",
		"config.yaml": d.config(d.fleet.targets, more...),
		".sops.yaml":  d.fleet.sopsRules(),
	})
	d.install(t, "everyday")
	d.may(t, account("sallyport", "sallyport"), right{"patch", "deployments.apps", "", "", true})
	d.may(t, account("sallyport", "sallyport-drift"), right{"patch", "deployments.apps", "", "", true})
}

const suspended = "  - target: {kind: CronJob}\n    patch: |-\n      - {op: add, path: /spec/suspend, value: true}\n"

func (d *door) testSSH(t *testing.T) {
	d.everyday(t, d.overSSH())
	out := d.once(t, "sallyport", "sallyport", "-o", "json").must(t).outcome(t)
	if got := done(out); len(got) > 0 || len(out.Targets) != len(d.fleet.targets) {
		t.Errorf("%d targets, %v", len(out.Targets), got)
	}
}

// testGoBack holds that --revision applies an older commit with all that this
// takes, and that the next run goes forward again.
func (d *door) testGoBack(t *testing.T) {
	back := d.once(t, "sallyport", "sallyport", "-o", "json", "--revision", d.first).must(t).outcome(t)
	want := []string{"configured Deployment.apps/shop-dev/web"}
	for _, namespace := range []string{"dev", "prod", "staging"} {
		want = append(want, "created PodDisruptionBudget.policy/shop-"+namespace+"/api")
	}
	if got := done(back); !slices.Equal(got, want) || back.Revision != d.first {
		t.Errorf("got %v at %s, want %v at %s", got, back.Revision, want, d.first)
	}
	if got := done(d.once(t, "sallyport", "sallyport", "-o", "json").must(t).outcome(t)); len(got) != len(want) {
		t.Errorf("forward again: %v", got)
	}
}

// testDrift holds that the account of drift sees what was changed, names who did
// it, shows no value, and writes nothing.
func (d *door) testDrift(t *testing.T) {
	before := d.versions(t)
	d.once(t, "sallyport", "sallyport-drift").must(t)
	if after := d.versions(t); after != before {
		t.Errorf("something was written:\n%s\nwas\n%s", after, before)
	}
	d.Kubectl(t, "-n", "shop-dev", "scale", "deployment", "api", "--replicas=2")
	tampered := d.fleet.value("put in by hand")
	d.Kubectl(t, "-n", "shop-dev", "patch", "secret", "payment", "-p", `{"stringData": {"token": "`+tampered+`"}}`)
	before = d.versions(t)
	out := d.once(t, "sallyport", "sallyport-drift")
	if out.code != exitFindings || !strings.Contains(out.stdout, "\n  Deployment.apps/shop-dev/api is changed\n    .spec.replicas changed by kubectl (Update)\n") ||
		!strings.Contains(out.stdout, "\n  Secret/shop-dev/payment is changed\n    .data.token changed by kubectl-patch (Update, 20") {
		t.Errorf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if after := d.versions(t); after != before {
		t.Errorf("something was written:\n%s\nwas\n%s", after, before)
	}
	// The next steps begin with what Git says.
	d.everyday(t, d.overHTTPS(), "drift: {heal: always}")
	want := []string{"configured Deployment.apps/shop-dev/api", "configured Secret/shop-dev/payment"}
	if got := done(d.once(t, "sallyport", "sallyport", "-o", "json").must(t).outcome(t)); !slices.Equal(got, want) {
		t.Errorf("healed %v, want %v", got, want)
	}
}

// versions are those of all objects that no controller writes to by itself, and
// the generations of the others.
func (d *door) versions(t *testing.T) string {
	t.Helper()
	var names []string
	for name := range d.fleet.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	quiet := strings.Join(append(names, "configmaps", "secrets", "serviceaccounts", "networkpolicies", "leases", "namespaces", "customresourcedefinitions"), ",")
	line := func(field string) string {
		return `-o=jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name} {.metadata.` + field + `}{"\n"}{end}`
	}
	all := d.Kubectl(t, "get", quiet, "-A", line("resourceVersion")) + d.Kubectl(t, "get", "deployments,statefulsets,cronjobs,services,horizontalpodautoscalers,poddisruptionbudgets", "-A", line("generation"))
	return strings.Join(slices.DeleteFunc(strings.Split(all, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "Lease/kube-") // heartbeats
	}), "\n")
}
