package apply_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/inventory"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// room is a namespace of a control plane and a connection to it.
type room struct {
	*cluster.Cluster
	plane *controlplane.Cluster
	ns    string
	opts  apply.Options
}

func newRoom(t testing.TB) *room { return roomIn(t, controlplane.Shared(t)) }

func roomIn(t testing.TB, plane *controlplane.Cluster) *room {
	t.Helper()
	ns := plane.Namespace(t)
	r := &room{plane: plane, ns: ns, opts: apply.Options{
		Set:              inventory.Set{Name: "shop", Namespace: ns, Version: "0.1.0"},
		DefaultNamespace: ns, Revision: "r1",
		JudgeTimeout: patience,
	}}
	r.connect(t, plane.Admin)
	return r
}

// connect has the room use another kubeconfig.
func (r *room) connect(t testing.TB, kubeconfig string) {
	t.Helper()
	c, err := cluster.Connect(t.Context(), cluster.Options{Kubeconfig: kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	r.Cluster = c
}

// body reads what a request sends.
func body(t testing.TB, req *http.Request) []byte {
	t.Helper()
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		t.Error(err)
	}
	return sent
}

// manifests reads YAML documents; $NS stands for the room's namespace.
func (r *room) manifests(t testing.TB, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for doc := range strings.SplitSeq(strings.ReplaceAll(text, "$NS", r.ns), "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	return all
}

// run goes through all steps.
func (r *room) run(t testing.TB, text string) (*apply.Result, error) {
	t.Helper()
	return r.runObjects(t.Context(), r.manifests(t, text))
}

func (r *room) runObjects(ctx context.Context, objects []*unstructured.Unstructured) (*apply.Result, error) {
	run, err := apply.Plan(ctx, r.Cluster, objects, r.opts)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{run.Preflight, run.Apply, run.Prune} {
		if err := step(ctx); err != nil {
			return run.Result(), err
		}
	}
	return run.Result(), nil
}

// must runs and expects these actions, as "verb Kind/namespace/name" with the
// namespace of the room left out.
func (r *room) must(t testing.TB, text string, want ...string) *apply.Result {
	t.Helper()
	got, err := r.run(t, text)
	if err != nil {
		t.Fatal(err)
	}
	r.same(t, got, want...)
	return got
}

func (r *room) same(t testing.TB, got *apply.Result, want ...string) {
	t.Helper()
	var actions []string
	for _, a := range got.Actions {
		actions = append(actions, fmt.Sprintf("%s %s", a.Verb, strings.ReplaceAll(a.ID.String(), r.ns+"/", "")))
	}
	if !slices.Equal(actions, want) {
		t.Fatalf("actions\n  %s\nwant\n  %s", strings.Join(actions, "\n  "), strings.Join(want, "\n  "))
	}
}

// refused runs and expects an error with all of these texts in it.
func (r *room) refused(t testing.TB, text string, want ...string) error {
	t.Helper()
	_, err := r.run(t, text)
	if err == nil {
		t.Fatal("it went through")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), strings.ReplaceAll(w, "$NS", r.ns)) {
			t.Fatalf("error\n%s\ndoes not say\n%s", err, w)
		}
	}
	return err
}

// get reads an object, nil where it is not there.
func (r *room) get(t testing.TB, id string) *unstructured.Unstructured {
	t.Helper()
	parsed, err := cluster.ParseID(strings.ReplaceAll(id, "$NS", r.ns))
	if err != nil {
		t.Fatal(err)
	}
	u, err := r.Get(t.Context(), parsed)
	if cluster.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (r *room) there(t testing.TB, id string) {
	t.Helper()
	if r.get(t, id) == nil {
		t.Fatalf("%s is not there", id)
	}
}

func (r *room) absent(t testing.TB, id string) {
	t.Helper()
	if r.get(t, id) != nil {
		t.Fatalf("%s is there", id)
	}
}

// members reads which objects the inventory lists, and that all uids are known.
func (r *room) members(t testing.TB) []string {
	t.Helper()
	inv, err := inventory.Load(t.Context(), r.Cluster, r.opts.Set)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, id := range inv.IDs() {
		if inv.Members[id] == inventory.Pending {
			t.Errorf("%s: the inventory does not know its uid", id)
		}
		all = append(all, strings.ReplaceAll(id.String(), r.ns+"/", ""))
	}
	return all
}

func (r *room) kubectl(t testing.TB, args ...string) string {
	t.Helper()
	return r.plane.Kubectl(t, append([]string{"-n", r.ns}, args...)...)
}

func configMap(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {k: %q}", name, value)
}

func documents(docs ...string) string { return strings.Join(docs, "\n---\n") }

// configMaps is n ConfigMaps, from a to b.
func configMaps(from, to int) string {
	var docs []string
	for i := from; i < to; i++ {
		docs = append(docs, configMap(fmt.Sprintf("c%03d", i), "1"))
	}
	return documents(docs...)
}

// patience is what a control plane on a busy machine may take for anything.
const patience = 5 * time.Minute

// eventually polls a control plane that needs time to follow.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

// asErrors gives the errors of the objects.
func asErrors(t testing.TB, err error) *apply.Errors {
	t.Helper()
	var all *apply.Errors
	if !errors.As(err, &all) {
		t.Fatalf("%v is not a list", err)
	}
	return all
}
