package apply_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
	"github.com/sallyport/sallyport/apply/inventory"
)

// before has something happen once, just before the first step of that name.
func (r *room) before(step string, happens func()) {
	var once sync.Once
	r.opts.Step = func(name string) {
		if strings.HasPrefix(name, step) {
			once.Do(happens)
		}
	}
}

// TestTakenInBetween: a field that a manager who is not on the list takes after
// the conflicts were found is not taken from him, whenever that is: before the
// dry-run with force, or between it and the write.
func TestTakenInBetween(t *testing.T) {
	pair := func(k, other string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: " + k + ", other: " + other + "}"
	}
	setUp := func(t *testing.T) *room {
		r := newRoom(t)
		r.must(t, pair("ours", "ours"), "created ConfigMap/a")
		r.patched(t, "friday-fix", "k")
		r.opts.TakeOver = []string{"friday-fix"}
		return r
	}
	refused := func(t *testing.T, r *room) {
		t.Helper()
		r.refused(t, pair("newer", "newer"), ".data.other", `"monday-fix"`, "allow taking over")
		if got := r.kubectl(t, "get", "configmap", "a", "-o", "jsonpath={.data}"); got != `{"k":"friday-fix","other":"monday-fix"}` {
			t.Errorf("it was overwritten: %s", got)
		}
	}
	t.Run("dry-run", func(t *testing.T) {
		r := setUp(t)
		var once sync.Once
		r.connect(t, r.plane.Intercept(t, func(req *http.Request) int {
			if q := req.URL.Query(); req.Method == http.MethodPatch && q.Get("force") == "true" && q.Get("dryRun") != "" {
				once.Do(func() { r.patched(t, "monday-fix", "other") })
			}
			return 0
		}))
		refused(t, r)
	})
	t.Run("write", func(t *testing.T) {
		r := setUp(t)
		r.before("apply ", func() { r.patched(t, "monday-fix", "other") })
		refused(t, r)
	})
	t.Run("without force", func(t *testing.T) {
		r := newRoom(t)
		r.must(t, pair("friday-fix", "ours"), "created ConfigMap/a")
		r.before("apply ", func() { r.patched(t, "monday-fix", "other") })
		refused(t, r)
	})
	t.Run("another field", func(t *testing.T) {
		r := setUp(t)
		r.before("apply ", func() { r.patched(t, "monday-fix", "third") })
		r.must(t, pair("newer", "newer"), "configured ConfigMap/a")
		if got := r.kubectl(t, "get", "configmap", "a", "-o", "jsonpath={.data}"); got != `{"k":"newer","other":"newer","third":"monday-fix"}` {
			t.Errorf("data %s", got)
		}
	})
	t.Run("by a listed one", func(t *testing.T) {
		r := setUp(t)
		r.before("apply ", func() { r.patched(t, "friday-fix", "other") })
		got := r.must(t, pair("newer", "newer"), "configured ConfigMap/a")
		if len(got.Actions[0].Taken) != 2 {
			t.Errorf("taken: %v", got.Actions[0].Taken)
		}
	})
}

// patched has a manager put his name into a key of the ConfigMap.
func (r *room) patched(t *testing.T, manager, key string) {
	t.Helper()
	r.kubectl(t, "patch", "configmap", "a", "--field-manager="+manager, "-p", fmt.Sprintf(`{"data":{%q:%q}}`, key, manager))
}

// TestMadeInBetween: an object that somebody makes after the dry-run found none
// is met as one that had been there all along.
func TestMadeInBetween(t *testing.T) {
	t.Run("by another set", func(t *testing.T) {
		r := newRoom(t)
		other := *r
		other.opts.Set.Name = "other"
		r.before("apply ", func() { other.must(t, configMap("a", "1"), "created ConfigMap/a") })
		r.refused(t, configMap("a", "1"), "ConfigMap/$NS/a: belongs to another set, "+other.opts.Set.ID())
		if label := r.get(t, "ConfigMap/$NS/a").GetLabels()[inventory.LabelPartOf]; label != other.opts.Set.ID() {
			t.Errorf("label %q", label)
		}
	})
	t.Run("with another value", func(t *testing.T) {
		r := newRoom(t)
		r.before("apply ", func() { r.kubectl(t, "create", "configmap", "a", "--from-literal=k=theirs") })
		r.refused(t, configMap("a", "1"), ".data.k", `"kubectl-create"`, "allow taking over")
		if got := r.kubectl(t, "get", "configmap", "a", "-o", "jsonpath={.data.k}"); got != "theirs" {
			t.Errorf("it was overwritten: %q", got)
		}
	})
	t.Run("with the same", func(t *testing.T) {
		r := newRoom(t)
		r.before("apply ", func() { r.kubectl(t, "create", "configmap", "a", "--from-literal=k=1") })
		r.must(t, configMap("a", "1"), "configured ConfigMap/a")
		r.must(t, configMap("a", "1"), "unchanged ConfigMap/a")
	})
	t.Run("held", func(t *testing.T) {
		r := newRoom(t)
		r.before("apply ", func() { r.kubectl(t, "create", "configmap", "a", "--from-literal=k=1") })
		r.opts.Hold = func(c apply.Change) string {
			if c.State == apply.Changed {
				return "not healed"
			}
			return ""
		}
		r.must(t, configMap("a", "1"), "skipped ConfigMap/a")
		if label, has := r.get(t, "ConfigMap/$NS/a").GetLabels()[inventory.LabelPartOf]; has {
			t.Errorf("label %q", label)
		}
		if got := r.members(t); len(got) != 0 {
			t.Errorf("inventory: %v", got)
		}
	})
	t.Run("in place of one to be recreated", func(t *testing.T) {
		r := newRoom(t)
		asking := strings.Replace(deployment, "{name: web}\nspec", `{name: web, annotations: {sallyport.dev/recreate: "true"}}`+"\nspec", 1)
		r.must(t, asking, "created Deployment.apps/web")
		moved := strings.ReplaceAll(asking, "app: web", "app: web2")
		theirs := strings.Replace(strings.ReplaceAll(deployment, "app: web", "app: theirs"), "name: web}\nspec", "name: web, namespace: "+r.ns+"}\nspec", 1)
		var once sync.Once
		r.connect(t, r.plane.Intercept(t, func(req *http.Request) int {
			if req.Method == http.MethodPatch && req.URL.Query().Get("dryRun") == "" && strings.HasSuffix(req.URL.Path, "/deployments/web") {
				once.Do(func() { r.plane.Apply(t, theirs) })
			}
			return 0
		}))
		r.refused(t, moved, "spec.selector")
		if got := r.kubectl(t, "get", "deployment", "web", "-o", "jsonpath={.spec.selector.matchLabels.app}"); got != "theirs" {
			t.Errorf("selector %q", got)
		}
	})
}

// TestReplacedInBetween: an object that was deleted and made anew by another set
// is that set's, and one that is gone is made anew.
func TestReplacedInBetween(t *testing.T) {
	r := newRoom(t)
	r.must(t, configMap("a", "1"), "created ConfigMap/a")
	r.before("apply ", func() { r.kubectl(t, "delete", "configmap", "a") })
	r.must(t, configMap("a", "2"), "created ConfigMap/a")
	other := *r
	other.opts.Set.Name, other.opts.Step = "other", nil
	r.before("apply ", func() {
		r.kubectl(t, "delete", "configmap", "a")
		other.must(t, configMap("a", "2"), "created ConfigMap/a")
	})
	r.refused(t, configMap("a", "3"), "belongs to another set, "+other.opts.Set.ID())
	if got := r.kubectl(t, "get", "configmap", "a", "-o", "jsonpath={.data.k}"); got != "2" {
		t.Errorf("k is %q", got)
	}
}

// TestTwoSetsAdopt: of two sets that find the same object without an owner, one
// has it.
func TestTwoSetsAdopt(t *testing.T) {
	r := newRoom(t)
	r.kubectl(t, "create", "configmap", "a", "--from-literal=k=1")
	other := *r
	other.opts.Set.Name = "other"
	r.before("apply ", func() { other.must(t, configMap("a", "1"), "configured ConfigMap/a") })
	r.refused(t, configMap("a", "1"), "belongs to another set, "+other.opts.Set.ID())
	other.must(t, configMap("a", "1"), "unchanged ConfigMap/a")
}

// TestLostAnswer: a creation that was done although its answer was lost is told
// as one, and so is a field that was taken.
func TestLostAnswer(t *testing.T) {
	r := newRoom(t)
	var once sync.Once
	direct := r.Cluster
	r.connect(t, r.plane.Intercept(t, func(req *http.Request) (status int) {
		if req.Method == http.MethodPatch && req.URL.Query().Get("dryRun") == "" && strings.HasSuffix(req.URL.Path, "/configmaps/a") {
			once.Do(func() {
				u := &unstructured.Unstructured{}
				if err := u.UnmarshalJSON(body(t, req)); err != nil {
					t.Error(err)
				}
				if _, err := direct.Apply(t.Context(), u, cluster.ApplyOptions{Force: req.URL.Query().Get("force") == "true"}); err != nil {
					t.Error(err)
				}
				status = http.StatusGatewayTimeout
			})
		}
		return status
	}))
	r.must(t, configMap("a", "1"), "created ConfigMap/a")
	r.kubectl(t, "patch", "configmap", "a", "--field-manager=friday-fix", "-p", `{"data":{"k":"2"}}`)
	r.opts.TakeOver, once = []string{"friday-fix"}, sync.Once{}
	if got := r.must(t, configMap("a", "1"), "configured ConfigMap/a"); len(got.Actions[0].Taken) != 1 {
		t.Errorf("taken: %v", got.Actions[0].Taken)
	}
}

// TestOwnedByApply: what a created object holds belongs to the manager's
// operation Apply, so that a field which is removed from Git goes.
func TestOwnedByApply(t *testing.T) {
	r := newRoom(t)
	r.must(t, configMap("a", "1"), "created ConfigMap/a")
	fields := r.get(t, "ConfigMap/$NS/a").GetManagedFields()
	if len(fields) != 1 || fields[0].Manager != cluster.Manager || fields[0].Operation != "Apply" {
		t.Fatalf("%+v", fields)
	}
	r.must(t, strings.Replace(configMap("a", "1"), "{k:", "{other:", 1), "configured ConfigMap/a")
	if got := r.kubectl(t, "get", "configmap", "a", "-o", "jsonpath={.data}"); got != `{"other":"1"}` {
		t.Error(got)
	}
}
