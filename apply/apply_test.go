package apply_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: registry.example/web:1}]`

const secret = `apiVersion: v1
kind: Secret
metadata: {name: db}
type: Opaque
data: {password: aHVudGVyMg==}`

// TestLife is the ordinary way of a set: created, left alone, changed, pruned.
func TestLife(t *testing.T) {
	r := newRoom(t)
	all := documents(configMap("a", "1"), secret, deployment)
	r.must(t, all, "created ConfigMap/a", "created Secret/db", "created Deployment.apps/web")
	eventually(t, "rollout", func() bool {
		return r.kubectl(t, "get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}") == "2"
	})
	r.must(t, all, "unchanged ConfigMap/a", "unchanged Secret/db", "unchanged Deployment.apps/web")
	r.opts.Revision = "r2"
	r.must(t, documents(configMap("a", "2"), deployment),
		"configured ConfigMap/a", "unchanged Deployment.apps/web", "pruned Secret/db")
	r.absent(t, "Secret/$NS/db")
	if got := r.members(t); !slices.Equal(got, []string{"ConfigMap/a", "Deployment.apps/web"}) {
		t.Errorf("inventory: %v", got)
	}
	if got := r.kubectl(t, "get", "configmap", "sallyport-shop", "-o", "jsonpath={.data.revision}"); got != "r2" {
		t.Errorf("revision %q", got)
	}
}

// TestQuiet holds what a run without changes costs: a dry-run for each object,
// and for the set discovery, the inventory and one list for each kind and
// namespace. Nothing is written.
func TestQuiet(t *testing.T) {
	r := newRoom(t)
	all := configMaps(0, 30)
	if _, err := r.run(t, all); err != nil {
		t.Fatal(err)
	}
	got, err := r.run(t, all)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 + 1 + 1 + 30; got.Requests != want {
		t.Errorf("%d requests, want %d", got.Requests, want)
	}
	for _, a := range got.Actions {
		if a.Verb != apply.Unchanged {
			t.Errorf("%s %s", a.Verb, a.ID)
		}
	}
}

// TestConflict: a field that another manager set is an error with both names,
// and is taken only from managers that are listed, all of them.
func TestConflict(t *testing.T) {
	r := newRoom(t)
	r.must(t, deployment, "created Deployment.apps/web")
	r.kubectl(t, "scale", "deployment", "web", "--replicas=5")
	r.kubectl(t, "patch", "deployment", "web", "--field-manager=friday-fix", "-p",
		`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"registry.example/web:2"}]}}}}`)
	r.refused(t, deployment, `.spec.replicas`, `"friday-fix"`, "409 Conflict", "allow taking over")
	r.opts.TakeOver = []string{"friday-fix"}
	r.refused(t, deployment, `.spec.replicas`, `"kubectl"`)
	if got := r.kubectl(t, "get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"); got != "5" {
		t.Fatalf("a refused run changed replicas to %s", got)
	}
	r.opts.TakeOver = []string{"friday-fix", "kubectl"}
	got := r.must(t, deployment, "configured Deployment.apps/web")
	if taken := fmt.Sprint(got.Actions[0].Taken); !strings.Contains(taken, "friday-fix") || !strings.Contains(taken, ".spec.replicas") {
		t.Errorf("taken: %s", taken)
	}
	if got := r.kubectl(t, "get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"); got != "2" {
		t.Errorf("replicas %s", got)
	}
}

// TestOneInvalid: one bad object among fifty, and nothing is applied; two bad
// ones, and both are named.
func TestOneInvalid(t *testing.T) {
	r := newRoom(t)
	bad := strings.Replace(deployment, "replicas: 2", "replicas: -987654321", 1)
	strict := strings.Replace(deployment, "replicas: 2", "replica: 2", 1)
	strict = strings.ReplaceAll(strict, "name: web}\nspec", "name: typo}\nspec")
	err := r.refused(t, documents(configMaps(0, 50), bad, strict), "2 of 52", "Deployment.apps/$NS/web", "spec.replicas", "Deployment.apps/$NS/typo", "spec.replica")
	if strings.Contains(err.Error(), "987654321") {
		t.Errorf("the error quotes a value: %s", err)
	}
	r.absent(t, "ConfigMap/$NS/c000")
	r.absent(t, "ConfigMap/$NS/sallyport-shop")
}

// TestPlan refuses what is wrong with the objects themselves, all at once.
func TestPlan(t *testing.T) {
	r := newRoom(t)
	r.opts.DefaultNamespace = ""
	err := r.refused(t, documents(
		configMap("nowhere", "1"),
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: labelled, namespace: $NS, labels: {applyset.kubernetes.io/part-of: x}}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice, namespace: $NS}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice, namespace: $NS}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sallyport-shop, namespace: $NS}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: identified, namespace: $NS, uid: abc}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: some-, namespace: $NS}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: waved, namespace: $NS, annotations: {argocd.argoproj.io/sync-wave: soon}}",
		"apiVersion: example.invalid/v1\nkind: Unheard\nmetadata: {name: of, namespace: $NS}",
		// An inventory with this name could not be read again.
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"${HOST/./-}\", namespace: $NS}",
	), "9 of 10",
		"ConfigMap/nowhere: has no namespace", "the default namespace of the target",
		"labelled: label applyset.kubernetes.io/part-of is set in the repository",
		"twice: is in the set twice", "is the inventory of this set", "metadata.uid", "generateName", "no object can have: it may not contain '/'",
		"sync-wave is not a whole number", "does not serve Unheard.example.invalid", "no CustomResourceDefinition in this set")
	if strings.Contains(err.Error(), "soon") {
		t.Error("the error quotes a value")
	}
	if _, err := r.runObjects(t.Context(), nil); !errors.Is(err, apply.ErrEmpty) {
		t.Errorf("an empty set: %v", err)
	}
}

// TestSecretShape: what is wrong with a Secret is found here, where no error and
// no log of the server can show its value.
func TestSecretShape(t *testing.T) {
	r := newRoom(t)
	const canary = "canary-7c1e9a"
	for name, change := range map[string][2]string{
		"has a value at data.password that is not a string": {"aHVudGVyMg==", "987654321"},
		"has a value at data.password that is not base64":   {"aHVudGVyMg==", canary},
		"has stringData":                                 {"type: Opaque", "stringData: {k: " + canary + "}"},
		"has a type that is not a string":                {"type: Opaque", "type: 987654321"},
		`has a field "password"`:                         {"type: Opaque", "password: " + canary},
		"metadata.annotations.note that is not a string": {"name: db", "name: db, annotations: {note: 987654321}"},
		"is still encrypted at data.password":            {"aHVudGVyMg==", "RU5DW0FFUzI1Nl9HQ00sZGF0YTphYmMs"},
		"has data that is not a map":                     {"{password: aHVudGVyMg==}", canary},
	} {
		err := r.refused(t, strings.Replace(secret, change[0], change[1], 1), name)
		if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "987654321") {
			t.Errorf("%s: the error quotes the value: %s", name, err)
		}
	}
	for _, e := range r.plane.Audit(t) {
		if e.ObjectRef.Resource == "secrets" && e.ObjectRef.Namespace == r.ns && e.ObjectRef.Name == "db" {
			t.Errorf("the server was asked: %s %s", e.Verb, e.RequestURI)
		}
	}
}

// TestSecretRefused: what the server says about a Secret is reduced to its code
// and the paths of fields.
func TestSecretRefused(t *testing.T) {
	r := newRoom(t)
	r.must(t, secret, "created Secret/db")
	changed := strings.Replace(secret, "type: Opaque\ndata: {password: aHVudGVyMg==}", "type: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: Y2FuYXJ5LTdjMWU5YQ==}", 1)
	err := r.refused(t, changed, "Secret/$NS/db: 422 Unprocessable Entity at ", "type")
	for _, hidden := range []string{"canary", "Y2FuYXJ5", "dockerconfigjson:", "Opaque"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("the error says %s: %s", hidden, err)
		}
	}
	logs, err := filepath.Glob(filepath.Join(r.plane.Dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	for _, file := range append(logs, r.plane.AuditPath) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "canary") || strings.Contains(string(content), "Y2FuYXJ5") {
			t.Errorf("%s has the value", file)
		}
	}
}

// TestRights: these verbs are enough for a whole life, and no other is asked
// for.
func TestRights(t *testing.T) {
	r := newRoom(t)
	r.kubectl(t, "create", "serviceaccount", "applier")
	r.kubectl(t, "create", "role", "applier", "--verb=get,list,create,patch,delete", "--resource=configmaps,secrets,deployments.apps")
	r.kubectl(t, "create", "rolebinding", "applier", "--role=applier", "--serviceaccount="+r.ns+":applier")
	eventually(t, "the role counts", func() bool {
		_, err := r.plane.KubectlAs(t, r.plane.Admin, "", "auth", "can-i", "create", "configmaps", "-n", r.ns, "--as=system:serviceaccount:"+r.ns+":applier")
		return err == nil
	})
	c, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: r.plane.TokenKubeconfig(t, r.ns, "applier")})
	if err != nil {
		t.Fatal(err)
	}
	as := *r
	as.Cluster = c
	asking := strings.Replace(deployment, "{name: web}\nspec", `{name: web, annotations: {sallyport.dev/recreate: "true"}}`+"\nspec", 1)
	as.must(t, documents(configMap("a", "1"), secret, asking), "created ConfigMap/a", "created Secret/db", "created Deployment.apps/web")
	as.must(t, documents(configMap("a", "1"), strings.ReplaceAll(asking, "app: web", "app: web2")), "unchanged ConfigMap/a", "recreated Deployment.apps/web", "pruned Secret/db")
	verbs := map[string]bool{}
	for _, e := range r.plane.Audit(t) {
		if e.User.Username != "system:serviceaccount:"+r.ns+":applier" {
			continue
		}
		if e.ResponseStatus.Code == http.StatusForbidden {
			t.Errorf("forbidden: %s %s", e.Verb, e.RequestURI)
		}
		if e.ObjectRef.Resource != "" {
			verbs[e.Verb] = true
		}
	}
	if got := slices.Sorted(maps.Keys(verbs)); !slices.Equal(got, []string{"create", "delete", "get", "list", "patch"}) {
		t.Errorf("verbs %v", got)
	}
}
