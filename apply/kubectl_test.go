package apply_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestKubectl has the program kubectl meet a set of ours, as an ApplySet
// (KEP-3659). It finds parent and members by their labels. It will not touch the
// set: "Tooling should refuse to mutate ApplySets belonging to other tools", which
// the annotation applyset.kubernetes.io/tooling tells. When that is handed over,
// it can go on with the set, so kinds, namespaces and id are as it wants them;
// and then the set is not ours any more.
func TestKubectl(t *testing.T) {
	r := newRoom(t)
	web := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 0, selector: {matchLabels: {app: web}}, " +
		"template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}"
	r.must(t, documents(configMap("a", "1"), configMap("b", "1"), web), "created ConfigMap/a", "created ConfigMap/b", "created Deployment.apps/web")

	if got := r.kubectl(t, "get", "configmaps", "-l", "applyset.kubernetes.io/id", "-o", "name"); got != "configmap/sallyport-shop\n" {
		t.Errorf("parents: %q", got)
	}
	members := "applyset.kubernetes.io/part-of=" + r.opts.Set.ID()
	if got := r.kubectl(t, "get", "configmaps,deployments", "-l", members, "-o", "name"); got != "configmap/a\nconfigmap/b\ndeployment.apps/web\n" {
		t.Errorf("members: %q", got)
	}

	changed := configMap("a", "2")
	out, err := r.applySet(t, changed)
	if err == nil || !strings.Contains(out, `already exists and is managed by tooling "sallyport" instead of "kubectl"`) {
		t.Errorf("kubectl: %v: %s", err, out)
	}
	r.must(t, documents(configMap("a", "1"), configMap("b", "1"), web), "unchanged ConfigMap/a", "unchanged ConfigMap/b", "unchanged Deployment.apps/web")

	r.kubectl(t, "annotate", "configmap", "sallyport-shop", "--overwrite", "applyset.kubernetes.io/tooling=kubectl/"+controlplane.Version)
	if out, err := r.applySet(t, changed); err != nil || !strings.Contains(out, "configmap/b pruned") || !strings.Contains(out, "deployment.apps/web pruned") {
		t.Errorf("kubectl, when it was handed over: %v: %s", err, out)
	}
	if value := r.kubectl(t, "get", "configmap", "a", "-o", "jsonpath={.data.k}"); value != "2" {
		t.Errorf("a is %q", value)
	}
	r.refused(t, configMap("a", "1"), `is managed by "kubectl/`+controlplane.Version+`"`)
}

// applySet is kubectl apply with everything that is in the set, which kubectl
// hides behind a variable still.
func (r *room) applySet(t *testing.T, manifests string) (string, error) {
	t.Helper()
	cmd := exec.Command(controlplane.Binary(t), "kubectl", "-n", r.ns, "apply", "--server-side", "--force-conflicts", "--prune", "--applyset=configmaps/sallyport-shop", "-f", "-")
	cmd.Env = []string{"KUBECTL_APPLYSET=true", "KUBECONFIG=" + r.plane.Admin, "HOME=" + r.plane.Dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(manifests)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
