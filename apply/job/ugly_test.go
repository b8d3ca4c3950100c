package job_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// ugly makes a shop for a test that runs beside others.
func ugly(t *testing.T) *shop {
	t.Helper()
	plane := controlplane.Shared(t)
	t.Parallel()
	return newShop(t, plane)
}

const (
	// quick goes on as soon as all is healthy. Its deadline is for a failure only:
	// on a busy machine a rollout may take long.
	quick = "health: {timeout: 5m, stable: 1ms}\n"
	// short is for what is not going to be healthy.
	short = "health: {timeout: 2s, stable: 1ms}\n"
)

// failing is quick, and fails a Deployment with the pods of play(NeverReady) as
// soon as it is seen, without a deadline.
func failing() string {
	rule := fmt.Sprintf("spec.template.metadata.labels[%q] == %q", controlplane.PlayLabel, controlplane.NeverReady)
	const healthy = "status.observedGeneration == metadata.generation && status.updatedReplicas == spec.replicas && status.availableReplicas == spec.replicas"
	return "health: {timeout: 5m, stable: 1ms, rules: [{group: apps, kind: Deployment, healthy: '" + healthy + "', failed: '" + rule + "'}]}\n"
}

// refuses runs once, and holds the stage at which it ends and what it says. It
// returns what was said.
func (s *shop) refuses(stage job.Stage, want ...string) string {
	s.t.Helper()
	out, err := s.job().Run(s.t.Context())
	var e *job.Error
	if !errors.As(err, &e) || e.Stage != stage {
		s.t.Fatalf("ends in another stage than %q: %v", stage, err)
	}
	text := err.Error()
	if out.Admission != nil {
		for _, f := range out.Admission.Report.Findings {
			text += "\n" + f.Message + " [" + f.Rule + "] " + f.Help
		}
	}
	for _, w := range want {
		if w = strings.ReplaceAll(w, "$NS", s.namespace); !strings.Contains(text, w) {
			s.t.Errorf("does not say %q:\n%s", w, text)
		}
	}
	s.silent(text)
	return text
}

// overlay writes the kustomization of prod.
func (s *shop) overlay(namespace string, resources ...string) {
	s.t.Helper()
	s.write("overlays/prod/kustomization.yaml", "namespace: "+namespace+"\nresources: ["+strings.Join(resources, ", ")+"]\nconfigMapGenerator: [{name: settings, literals: [colour=green]}]\n")
}

// with commits one more file beside those that the shop begins with.
func (s *shop) with(text string) string {
	s.t.Helper()
	s.write("overlays/prod/more.yaml", text)
	s.overlay(s.namespace, "web.yaml", "secret.yaml", "more.yaml")
	return s.commit("more")
}

// names are the objects of the namespace that a set could have made.
func (s *shop) names(namespace string) []string {
	s.t.Helper()
	return strings.Fields(s.plane.Kubectl(s.t, "-n", namespace, "get", "deployment,service,secret,configmap,pod", "-o", "name", "-l", "applyset.kubernetes.io/part-of"))
}

// untouched says which of the set's objects there are, with the version of each.
func (s *shop) untouched() func() {
	s.t.Helper()
	look := func() string {
		return s.get("deployment,service,secret,configmap", "-o", "custom-columns=A:.kind,B:.metadata.name,C:.metadata.uid,D:.metadata.generation,E:.data")
	}
	before := look()
	return func() {
		s.t.Helper()
		if after := look(); after != before {
			s.t.Errorf("the cluster was changed:\n%s\nbefore:\n%s", after, before)
		}
	}
}

// TestSpoofedLabel: who labels a foreign object as a member does not get it
// deleted, or counted.
func TestSpoofedLabel(t *testing.T) {
	s := ugly(t)
	s.apply()
	set := s.get("deployment", "web", "-o", `jsonpath={.metadata.labels.applyset\.kubernetes\.io/part-of}`)
	s.plane.Kubectl(t, "-n", s.namespace, "create", "configmap", "victim")
	s.plane.Kubectl(t, "-n", s.namespace, "label", "configmap", "victim", "applyset.kubernetes.io/part-of="+set)
	s.write("overlays/prod/web.yaml", strings.SplitN(s.web("nginx"), "---\n", 2)[1])
	s.commit("no service")
	if got := actions(s.apply()); !slices.Equal(got, []string{"pruned Service web"}) {
		t.Errorf("got %v", got)
	}
	if s.get("configmap", "victim", "-o", "name") == "" {
		t.Error("a foreign object is gone")
	}
}

// TestNamespaceRenamed: all objects would move, which is as many deletions. That
// is refused before anything is created, until the operator says that it is meant.
func TestNamespaceRenamed(t *testing.T) {
	s := ugly(t)
	s.apply()
	other := s.plane.Namespace(t)
	s.overlay(other, "web.yaml", "secret.yaml")
	s.commit("moved")
	unchanged := s.untouched()
	s.refuses(job.StageApply, "4 of the 4 objects of set overlays-prod would be deleted", "raise the budget for this run if that is meant",
		"Deployment.apps/$NS/web", "Secret/$NS/db", "Service/$NS/web")
	unchanged()
	if got := s.names(other); len(got) != 0 {
		t.Errorf("created before the move was refused: %v", got)
	}
	s.configure("prune: {share: 100}\n" + quick)
	s.apply()
	if old, moved := s.names(s.namespace), s.names(other); len(moved) < 4 || slices.ContainsFunc(old, func(n string) bool { return !strings.HasPrefix(n, "pod/") }) {
		t.Errorf("left %v, moved %v", old, moved)
	}
}

// TestEmptied: a repository, or an overlay, that lost everything deletes nothing.
func TestEmptied(t *testing.T) {
	s := ugly(t)
	s.configure("prune: {share: 100, count: 1000}\n" + quick) // even then
	s.apply()
	unchanged := s.untouched()
	s.write("overlays/prod/kustomization.yaml", "namespace: "+s.namespace+"\nresources: []\n")
	s.commit("emptied overlay")
	s.refuses(job.StageApply, "an empty set is refused, since it would prune every object; delete the inventory to give the set up")
	unchanged()
	s.git("rm", "-rq", ".")
	s.write("README.md", "moved\n")
	emptied := s.commit("emptied")
	s.refuses(job.StageGate, "file://"+s.dir+" at "+emptied+": ", "has no kustomization and no Kubernetes manifest that the configuration includes")
	unchanged()
}

func findings(out *job.Outcome) (all []string) {
	if out.Admission != nil {
		for _, f := range out.Admission.Report.Findings {
			all = append(all, fmt.Sprintf("%s: %s [%s]", f.Location, f.Message, f.Rule))
		}
	}
	return all
}

// TestDeletedCRD: where somebody deleted the kind of a member, and so the member,
// the next run says so; and a commit without the member goes through.
func TestDeletedCRD(t *testing.T) {
	s := ugly(t)
	plural := strings.ReplaceAll(s.namespace, "-", "")
	s.plane.Apply(t, fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[1]s.ugly.example}
spec:
  group: ugly.example
  scope: Namespaced
  names: {kind: U%[1]s, plural: %[1]s}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`, plural))
	s.plane.Kubectl(t, "wait", "--for=condition=Established", "crd/"+plural+".ugly.example")
	s.with(fmt.Sprintf("apiVersion: ugly.example/v1\nkind: U%s\nmetadata: {name: one}\nspec: {}\n", plural))
	s.apply()
	s.plane.Kubectl(t, "delete", "crd", plural+".ugly.example")
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	s.commit("image")
	unchanged := s.untouched()
	s.refuses(job.StageApply, "the server does not serve U"+plural+".ugly.example", "no CustomResourceDefinition in this set defines it")
	unchanged()
	s.overlay(s.namespace, "web.yaml", "secret.yaml")
	s.commit("without it")
	out := s.apply()
	if got := actions(out); !slices.Contains(got, "skipped U"+plural+" one") || !slices.Contains(got, "configured Deployment web") {
		t.Errorf("got %v", got)
	}
	if got := actions(s.apply()); len(got) != 0 {
		t.Errorf("it is still remembered: %v", got)
	}
}

// TestConflictingManager: a field that somebody else set is named with its
// manager, and what can be done; nothing is applied meanwhile.
func TestConflictingManager(t *testing.T) {
	s := ugly(t)
	s.apply()
	s.plane.Kubectl(t, "-n", s.namespace, "patch", "deployment", "web", "--field-manager=friday-fix", "-p", `{"spec":{"replicas":3}}`)
	s.plane.Kubectl(t, "-n", s.namespace, "patch", "secret", "db", "--field-manager=friday-fix", "-p", `{"stringData":{"password":"c4n4ry-typed-by-hand"}}`)
	s.write("overlays/prod/web.yaml", s.web("nginx:2"))
	s.commit("image")
	unchanged := s.untouched()
	text := s.refuses(job.StageApply, "2 of 4 objects refused", `.spec.replicas`, `"friday-fix"`, ".data.password", "Secret/$NS/db",
		"remove the field from the manifest, stop the other manager, or allow taking over from it")
	if strings.Contains(text, "c4n4ry") {
		t.Error("it quotes the live Secret")
	}
	unchanged()
	s.configure("takeOver: [friday-fix]\n" + quick)
	s.apply()
	if got := s.get("deployment", "web", "-o", "jsonpath={.spec.replicas}"); got != "2" {
		t.Errorf("%s replicas", got)
	}
}

// TestInvalidAmongFifty: what only the server can find wrong is found before the
// first write, all of it.
func TestInvalidAmongFifty(t *testing.T) {
	s := ugly(t)
	var docs []string
	for i := range 48 {
		docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%02d}\ndata: {k: v}\n", i))
	}
	docs = append(docs, "apiVersion: v1\nkind: Pod\nmetadata: {name: rank}\nspec: {priorityClassName: no-such-class, containers: [{name: a, image: a}]}\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: taken}\nspec: {clusterIP: 203.0.113.7, selector: {app: web}, ports: [{port: 80}]}\n")
	s.with(strings.Join(docs, "---\n"))
	text := s.refuses(job.StageApply, "2 of 54 objects refused", "Pod/$NS/rank", "no-such-class", "Service/$NS/taken", "spec.clusterIPs")
	if got := s.names(s.namespace); len(got) != 0 {
		t.Errorf("%d objects were applied, first %s:\n%s", len(got), got[0], text)
	}
}

// play makes the pods of the shop misbehave.
func (s *shop) play(how string) string {
	s.t.Helper()
	s.write("overlays/prod/web.yaml", strings.Replace(s.web("nginx:"+how), "metadata: {labels: {app: web}}", "metadata: {labels: {app: web, "+controlplane.PlayLabel+": "+how+"}}", 1))
	return s.commit(how)
}

// TestStuckRollout: what is not healthy at the deadline is named, and nothing is
// pruned.
func TestStuckRollout(t *testing.T) {
	s := ugly(t)
	s.with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\n")
	s.apply()
	s.overlay(s.namespace, "web.yaml", "secret.yaml")
	s.play(controlplane.NeverReady)
	s.configure(short)
	s.refuses(job.StageHealth, "not healthy within 2s", "Deployment.apps/$NS/web is progressing")
	s.configure(quick)
	if s.get("configmap", "old", "-o", "name") == "" {
		t.Error("pruned although the rollout failed")
	}
	s.write("overlays/prod/web.yaml", s.web("nginx"))
	s.commit("revert")
	if got := actions(s.apply()); !slices.Contains(got, "pruned ConfigMap old") {
		t.Errorf("a revert in Git: %v", got)
	}
}

// TestCrashLoop ends long before the deadline.
func TestCrashLoop(t *testing.T) {
	s := ugly(t)
	s.apply()
	s.configure("health: {timeout: 10m, stable: 5s}\n")
	s.play(controlplane.CrashLoop)
	s.refuses(job.StageHealth, "waiting longer does not help", "Deployment.apps/$NS/web is failed: pod web-", "container web: CrashLoopBackOff after ")
}

// TestTwoTargets: an object belongs to one target.
func TestTwoTargets(t *testing.T) {
	s := ugly(t)
	s.apply()
	s.write("overlays/second/kustomization.yaml", "namespace: "+s.namespace+"\nresources: [more.yaml]\n")
	s.write("overlays/second/more.yaml", s.web("nginx:3"))
	s.commit("second")
	unchanged := s.untouched()
	s.refuses(job.StageApply, "overlays/second: apply: ", "Service/$NS/web", "Deployment.apps/$NS/web", "belongs to another set")
	unchanged()
}

// TestWrongSecrets: what is wrong with a Secret is a place and a code.
func TestWrongSecrets(t *testing.T) {
	s := ugly(t)
	for kind, key := range map[string]string{"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/basic-auth": "", "kubernetes.io/ssh-auth": "key"} {
		name := key
		if key == "" {
			name = "pass"
		}
		s.seal("overlays/prod/more.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: typed\ntype: "+kind+"\nstringData:\n  "+name+": \"{"+password+"\"\n")
		s.overlay(s.namespace, "web.yaml", "secret.yaml", "more.yaml")
		s.commit(kind)
		text := s.refuses(job.StageApply, "1 of 5 objects refused", "Secret/$NS/typed: 422", "at data[")
		if strings.Contains(text, "{") {
			t.Errorf("%s: it quotes: %s", kind, text)
		}
	}
	if got := s.names(s.namespace); len(got) != 0 {
		t.Errorf("applied: %v", got)
	}
}

// TestIdentities: a key that is missing, wrong or not a key is named, and is not
// quoted.
func TestIdentities(t *testing.T) {
	s := ugly(t)
	right, err := os.ReadFile(s.identity)
	if err != nil {
		t.Fatal(err)
	}
	mine := newShop(t, s.plane) // whose key is another
	other, err := os.ReadFile(mine.identity)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ content, want string }{
		"wrong":   {string(other), "overlays/prod/secret.yaml: no key that is given opens the file"},
		"no key":  {"AGE-SECRET-KEY-1C4N4RY\n", s.identity + ":1"},
		"empty":   {"", s.identity},
		"missing": {"", s.identity + ": no such file"},
	} {
		if err := os.WriteFile(s.identity, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "missing" {
			if err := os.Remove(s.identity); err != nil {
				t.Fatal(err)
			}
		}
		text := s.refuses(job.StageDecrypt, test.want)
		if strings.Contains(text, "C4N4RY") {
			t.Errorf("%s: the identity is quoted", name)
		}
	}
	if err := os.WriteFile(s.identity, right, 0o600); err != nil {
		t.Fatal(err)
	}
	s.apply()
}

// TestUnreachable: a host that is away is no finding, and says which it is.
func TestUnreachable(t *testing.T) {
	s := ugly(t)
	file := filepath.Join(s.own, "config.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(s.own, "token")
	if err := os.WriteFile(token, []byte("c4n4ry-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	away := strings.Replace(string(text), "\"file://"+s.dir+"\"", "https://127.0.0.1:9/fleet.git, tokenFile: token, mirror: "+t.TempDir(), 1)
	if err := os.WriteFile(file, []byte(away), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := s.job().Run(t.Context())
	var e *job.Error
	if !errors.As(err, &e) || e.Stage != job.StageFetch || job.IsFinding(err) || !strings.Contains(err.Error(), "127.0.0.1:9") || strings.Contains(err.Error(), "c4n4ry") {
		t.Errorf("got %v", err)
	}
	if all := s.statuses(); len(all) != 1 || all[0].Stage != job.StageFetch {
		t.Errorf("statuses %+v", all)
	}
	s.silent(out)
}

// tenant is a ServiceAccount that may do what it likes in the shop's namespace,
// may keep the runner's books, and nothing else: the shape of deploy/tenant.
func (s *shop) tenant(rules string) func(*job.Options) {
	s.t.Helper()
	s.plane.Apply(s.t, fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: %[2]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: books, namespace: %[2]s}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, create, update, patch, delete]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}
- {apiGroups: ["", events.k8s.io], resources: [events], verbs: [create, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: books, namespace: %[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: books}
subjects: [{kind: ServiceAccount, name: runner, namespace: %[2]s}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tenant, namespace: %[1]s}
rules:
%[3]s
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tenant}
subjects: [{kind: ServiceAccount, name: runner, namespace: %[2]s}]
`, s.namespace, s.runner, rules))
	kubeconfig := s.plane.TokenKubeconfig(s.t, s.runner, "runner")
	eventually(s.t, "the account has its rights", func() bool {
		out, _ := s.plane.KubectlAs(s.t, kubeconfig, "", "auth", "can-i", "get", "secrets", "-n", s.namespace)
		return strings.HasPrefix(out, "yes")
	})
	return func(o *job.Options) { o.Kubeconfig = kubeconfig }
}

// TestRights: what the account may not do is named by verb, resource and place,
// and nothing is applied. This is what keeps a pod of one tenant out of the
// namespace of another (row 3 of the threat table).
func TestRights(t *testing.T) {
	s := ugly(t)
	victim := s.plane.Namespace(t)
	s.plane.Kubectl(t, "-n", victim, "create", "secret", "generic", "ledger", "--from-literal=token=c4n4ry-ledger")
	as := s.tenant(`- {apiGroups: ["", apps], resources: [services, configmaps, secrets, pods, deployments], verbs: ["*"]}`)
	s.apply(as)
	// Without a namespace in the kustomization, each object says its own.
	spy := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: spy, namespace: %s}\nspec: {containers: [{name: a, image: a, envFrom: [{secretRef: {name: ledger}}]}]}\n", victim)
	account := "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: helper, namespace: " + s.namespace + "}\n"
	s.write("overlays/spy/kustomization.yaml", "resources: [spy.yaml]\n")
	s.write("overlays/spy/spy.yaml", spy+"---\n"+account)
	s.commit("spy")
	unchanged := s.untouched()
	out, err := s.job(as).Run(t.Context())
	if !job.IsFinding(err) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"2 of 2 objects refused", "Pod/" + victim + "/spy: 403", `cannot patch resource "pods" in API group "" in the namespace "` + victim + `"`,
		`cannot patch resource "serviceaccounts" in API group "" in the namespace "` + s.namespace + `"`, "system:serviceaccount:" + s.runner + ":runner"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q:\n%v", want, err)
		}
	}
	unchanged()
	if pods := s.plane.Kubectl(t, "-n", victim, "get", "pods", "-o", "name"); pods != "" {
		t.Errorf("applied: %s", pods)
	}
	s.silent(out)
}

// TestLease: who waits for another runner says for whom; and where the account may
// not lead, that is said at once instead of waited for.
func TestLease(t *testing.T) {
	s := ugly(t)
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	s.plane.Apply(t, fmt.Sprintf("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: sallyport, namespace: %s}\n"+
		"spec: {holderIdentity: runner-elsewhere, leaseDurationSeconds: 3600, acquireTime: %q, renewTime: %[2]q}\n", s.runner, now))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting := false
	_, err := s.job(func(o *job.Options) {
		o.Tell = func(line string) {
			if line == "waiting for runner-elsewhere, which holds the lease" {
				waiting = true
				cancel()
			}
		}
	}).Run(ctx)
	if !waiting || err == nil || !strings.Contains(err.Error(), "lease "+s.runner+"/sallyport is held by runner-elsewhere") {
		t.Errorf("waiting %v: %v", waiting, err)
	}
	as := s.tenant(`- {apiGroups: ["", apps], resources: ["*"], verbs: ["*"]}`)
	s.plane.Kubectl(t, "-n", s.runner, "patch", "role", "books", "--type=json", "-p", `[{"op": "replace", "path": "/rules/1/verbs", "value": ["get"]}]`)
	eventually(t, "the right is taken away", func() bool {
		_, err = s.job(as).Run(t.Context())
		return err != nil && strings.Contains(err.Error(), `cannot update resource "leases" in API group "coordination.k8s.io"`)
	})
	var e *job.Error
	if !errors.As(err, &e) || e.Stage != job.StageConnect || job.IsFinding(err) {
		t.Errorf("got %v", err)
	}
	if all := s.statuses(); len(all) == 0 || all[0].Stage != job.StageConnect {
		t.Errorf("statuses %+v", all)
	}
	if got := s.names(s.namespace); len(got) != 0 {
		t.Errorf("applied: %v", got)
	}
}

// TestAdmission: quota, Pod Security and immutable fields are named as the server
// names them, with what to do where there is something.
func TestAdmission(t *testing.T) {
	t.Run("quota", func(t *testing.T) {
		s := ugly(t)
		s.plane.Apply(t, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few, namespace: "+s.namespace+"}\nspec: {hard: {services: \"0\"}}\n")
		eventually(t, "the quota counts", func() bool { return s.get("resourcequota", "few", "-o", "jsonpath={.status.hard.services}") == "0" })
		s.refuses(job.StageApply, "1 of 4 objects refused", "Service/$NS/web: 403", "exceeded quota: few", "services=1")
		if got := s.names(s.namespace); len(got) != 0 {
			t.Errorf("applied: %v", got)
		}
	})
	t.Run("pod security", func(t *testing.T) {
		s := ugly(t)
		s.plane.Kubectl(t, "label", "namespace", s.namespace, "pod-security.kubernetes.io/enforce=restricted")
		s.configure(short)
		s.refuses(job.StageHealth, "Deployment.apps/$NS/web is ", "violates PodSecurity")
	})
	t.Run("immutable", func(t *testing.T) {
		s := ugly(t)
		s.apply()
		unchanged := s.untouched()
		web := strings.ReplaceAll(s.web("nginx"), "app: web", "app: shop")
		s.write("overlays/prod/web.yaml", web)
		s.commit("selector")
		s.refuses(job.StageApply, "1 of 4 objects refused", "Deployment.apps/$NS/web", "spec.selector: ", "field is immutable", "sallyport.dev/recreate")
		unchanged()
		s.write("overlays/prod/web.yaml", strings.Replace(web, "kind: Deployment\nmetadata: {name: web}", "kind: Deployment\nmetadata: {name: web, annotations: {sallyport.dev/recreate: \"true\"}}", 1))
		s.commit("recreate")
		if got := actions(s.apply()); !slices.Contains(got, "recreated Deployment web") {
			t.Errorf("got %v", got)
		}
	})
}

// holds reports whether a text has a secret in any of the forms in which one
// could come out.
func holds(text, secret string) bool {
	for _, form := range []string{
		secret, secret[len(secret)-8:], strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="), hex.EncodeToString([]byte(secret)), url.QueryEscape(secret),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
