package apply_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// The three states of TestKilled. The second creates, changes, recreates and
// prunes; the third drops what the second created.
func killedStates(ns string) [3]string {
	kind := "K" + strings.ReplaceAll(ns, "-", "")
	recreated := func(label string) string {
		text := strings.ReplaceAll(deployment, "app: web", "app: "+label)
		return strings.Replace(text, "{name: web}\nspec", "{name: web, annotations: {sallyport.dev/recreate: \"true\"}}\nspec", 1)
	}
	return [3]string{
		documents(configMap("stays", "1"), configMap("goes", "1"), configMap("goes2", "1"), secret, recreated("one")),
		documents(configMap("stays", "2"), configMap("comes", "1"), crd(kind, "size: {type: integer}"), custom(kind, "size: 1"), recreated("two")),
		documents(configMap("stays", "3"), configMap("goes", "1")),
	}
}

// TestKilled kills the process at each step in turn, and always the next run,
// of yet another state, converges: what it wants is there, what was ever ours is
// gone, what was never ours is not touched, and the inventory says so.
func TestKilled(t *testing.T) {
	plane := controlplane.Shared(t)
	for step, finished := 1, false; !finished; step++ {
		t.Run(strconv.Itoa(step), func(t *testing.T) {
			r := roomIn(t, plane)
			r.opts.PruneBudget = apply.Budget{Share: 1}
			states := killedStates(r.ns)
			definition := "k" + strings.ReplaceAll(r.ns, "-", "") + "s.sallyport.example"
			t.Cleanup(func() { r.plane.Kubectl(t, "delete", "crd", definition, "--ignore-not-found", "--wait=false") })
			if _, err := r.run(t, states[0]); err != nil {
				t.Fatal(err)
			}
			r.kubectl(t, "create", "configmap", "foreign")
			r.kubectl(t, "label", "configmap", "foreign", r.opts.Set.Selector())

			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledHelper$", "-test.v")
			cmd.Env = append(os.Environ(), "SALLYPORT_KILL_AT="+strconv.Itoa(step), "SALLYPORT_KILL_NS="+r.ns, "SALLYPORT_KILL_CONFIG="+plane.Admin)
			out, err := cmd.CombinedOutput()
			if finished = strings.Contains(string(out), "came through"); !finished && !strings.Contains(fmt.Sprint(err), "killed") {
				t.Fatalf("%v\n%s", err, out)
			}

			if _, err := r.run(t, states[2]); err != nil {
				t.Fatalf("the next run: %v", err)
			}
			want := []string{"ConfigMap/goes", "ConfigMap/stays"}
			members := r.members(t)
			members = slices.DeleteFunc(members, func(s string) bool { return strings.HasPrefix(s, "CustomResourceDefinition") }) // protected
			if !slices.Equal(members, want) {
				t.Errorf("inventory %v", members)
			}
			r.there(t, "ConfigMap/$NS/foreign")
			got := r.kubectl(t, "get", "configmap,secret,deployment", "-o", "name", "-l", r.opts.Set.Selector())
			if got != "configmap/foreign\nconfigmap/goes\nconfigmap/stays\n" {
				t.Errorf("members by label:\n%s", got)
			}
			if crds := r.plane.Kubectl(t, "get", "crd", "-o", "name"); strings.Contains(crds, definition) {
				if left := r.kubectl(t, "get", definition, "-o", "name"); left != "" {
					t.Errorf("left behind: %s", left)
				}
			}
		})
		if t.Failed() || step > 100 {
			break
		}
	}
}

// TestKilledHelper is the process that is killed.
func TestKilledHelper(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv("SALLYPORT_KILL_AT"))
	if err != nil {
		t.Skip("run by TestKilled")
	}
	c, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: os.Getenv("SALLYPORT_KILL_CONFIG")})
	if err != nil {
		t.Fatal(err)
	}
	r := &room{Cluster: c, ns: os.Getenv("SALLYPORT_KILL_NS")}
	r.opts = apply.Options{PruneBudget: apply.Budget{Share: 1}, DefaultNamespace: r.ns, Revision: "r2", Concurrency: 1}
	r.opts.Set.Name, r.opts.Set.Namespace, r.opts.Set.Version = "shop", r.ns, "0.1.0"
	r.opts.Step = func(string) {
		if at--; at == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if _, err := r.run(t, killedStates(r.ns)[1]); err != nil {
		t.Fatal(err)
	}
	fmt.Println("came through")
}
