package apply_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/inventory"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// The three states of TestKilled. The second creates, changes, recreates and
// prunes; the third drops what the second created.
func killedStates(ns string) [3]string {
	kind := definedKind(ns).Kind
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
	t.Parallel()
	plane := controlplane.Shared(t)
	for step, finished := 1, false; !finished; step++ {
		t.Run(strconv.Itoa(step), func(t *testing.T) {
			r := roomIn(t, plane)
			r.opts.PruneBudget = apply.Budget{Share: 1}
			states := killedStates(r.ns)
			definition := "k" + strings.ReplaceAll(r.ns, "-", "") + "s.sallyport.example"
			t.Cleanup(func() { _ = r.Delete(context.Background(), crdID(definition), cluster.DeleteOptions{}) })
			if _, err := r.run(t, states[0]); err != nil {
				t.Fatal(err)
			}
			r.foreign(t)

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
			var got []string
			for _, kind := range []schema.GroupKind{{Kind: "ConfigMap"}, {Kind: "Secret"}, {Group: "apps", Kind: "Deployment"}} {
				got = append(got, r.names(t, kind, r.opts.Set.Selector())...)
			}
			if !slices.Equal(got, []string{"foreign", "goes", "stays"}) {
				t.Errorf("members by label: %q", got)
			}
			kind := definedKind(r.ns)
			r.Reset()
			if _, err := r.Namespaced(t.Context(), kind); err == nil {
				if left := r.names(t, kind, ""); len(left) > 0 {
					t.Errorf("left behind: %s", left)
				}
			}
		})
		if t.Failed() || step > 100 {
			break
		}
	}
}

// definedKind is the kind that the second state defines.
func definedKind(ns string) schema.GroupKind {
	return schema.GroupKind{Group: "sallyport.example", Kind: "K" + strings.ReplaceAll(ns, "-", "")}
}

func crdID(name string) cluster.ID {
	return cluster.ID{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: name}
}

// foreign makes somebody else's ConfigMap that carries the label of the set.
func (r *room) foreign(t *testing.T) {
	t.Helper()
	u := r.manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: foreign, namespace: $NS}")[0]
	u.SetLabels(map[string]string{inventory.LabelPartOf: r.opts.Set.ID()})
	if _, err := r.Apply(t.Context(), u, cluster.ApplyOptions{Manager: "somebody"}); err != nil {
		t.Fatal(err)
	}
}

// names lists the objects of a kind in the room, in order.
func (r *room) names(t *testing.T, kind schema.GroupKind, selector string) []string {
	t.Helper()
	found, err := r.List(t.Context(), kind, r.ns, selector)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, u := range found {
		names = append(names, u.GetName())
	}
	slices.Sort(names)
	return names
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
	r.opts = apply.Options{PruneBudget: apply.Budget{Share: 1}, DefaultNamespace: r.ns, Revision: "r2", Concurrency: 1, JudgeTimeout: patience}
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
