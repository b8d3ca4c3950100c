package drift

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/apply/cluster"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = u.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

const (
	ours = `{manager: sallyport, operation: Apply, fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:a": {}, "f:b": {}}, "f:list": {"k:{\"name\":\"x\"}": {"f:v": {}}}, "f:metadata": {"f:finalizers": {"v:\"f\"": {}}}}}`
	hand = `{manager: kubectl-edit, operation: Update, time: "2026-01-02T03:04:05Z", fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:a": {}, "f:c": {}}}}`
	core = `{manager: kube-controller-manager, operation: Update, time: "2026-01-02T03:04:05Z", fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:d": {}}}}`
	stat = `{manager: someone, operation: Update, subresource: status, time: "2026-01-02T03:04:05Z", fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:e": {}}}}`
)

func change(t *testing.T) apply.Change {
	final := object(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: shop, finalizers: [f], managedFields: [`+ours+`]}, data: {a: c4n4ry-want, b: two}, list: [{name: x, v: 1}]}`)
	live := object(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: shop, managedFields: [`+strings.Join([]string{ours, hand, core, stat}, ", ")+`]}, data: {a: c4n4ry-have, c: c4n4ry-more, d: d, e: e}, list: [{name: y, v: 1}, {name: x, v: 2}]}`)
	return apply.Change{ID: cluster.IDOf(live), State: apply.Changed, Desired: final, Live: live, Final: final}
}

func TestCompare(t *testing.T) {
	o, differs := compare(change(t), Options{})
	const want = `ConfigMap/shop/m is changed
  .data.a changed by kubectl-edit (Update, 2026-01-02T03:04:05Z)
  .data.b removed
  .data.c added by kubectl-edit (Update, 2026-01-02T03:04:05Z)
  .list[name="x"].v changed
  .metadata.finalizers[="f"] removed`
	if !differs || o.String() != want {
		t.Errorf("got\n%s\nwant\n%s", o, want)
	}
	if strings.Contains(o.String()+o.Fingerprint, "c4n4ry") {
		t.Error("a value is shown")
	}
}

func TestIgnored(t *testing.T) {
	ignored := func(_ cluster.ID, p fieldpath.Path) bool {
		return strings.HasPrefix(p.String(), ".data") || strings.HasPrefix(p.String(), ".metadata")
	}
	o, _ := compare(change(t), Options{Ignored: ignored})
	if got := o.String(); got != "ConfigMap/shop/m is changed\n  .list[name=\"x\"].v changed" {
		t.Errorf("got %s", got)
	}
}

// TestFingerprint: the same drift has the same, any other drift another, and
// without the key nobody can try values.
func TestFingerprint(t *testing.T) {
	print := func(c apply.Change, key string) string {
		o, _ := compare(c, Options{Key: []byte(key)})
		return o.Fingerprint
	}
	first := print(change(t), "key")
	later := change(t)
	later.Live.SetResourceVersion("99")
	if print(later, "key") != first {
		t.Error("a new resourceVersion is a new drift")
	}
	other := change(t)
	other.Live.Object["data"].(map[string]any)["a"] = "again"
	if print(other, "key") == first || print(change(t), "other key") == first {
		t.Error("fingerprints do not tell apart")
	}
}

func TestStates(t *testing.T) {
	c := change(t)
	c.Live, c.State = nil, apply.New
	if o, differs := compare(c, Options{}); !differs || o.String() != "ConfigMap/shop/m is missing" {
		t.Errorf("got %v %s", differs, o)
	}
	c = change(t)
	c.Live, c.State = c.Final, apply.Same
	if o, differs := compare(c, Options{}); differs {
		t.Errorf("got %s", o)
	}
	c = change(t)
	c.Final, c.State, c.Reason = nil, apply.Held, "annotation"
	if o, differs := compare(c, Options{}); differs {
		t.Errorf("what asks not to be applied does not drift: %s", o)
	}
}

// TestFit: what somebody wrote into the cluster to be read is redacted, is one
// line, and is not endless.
func TestFit(t *testing.T) {
	const canary = "c4n4ry-d41f"
	opts := Options{Redact: func(s string) string { return strings.ReplaceAll(s, canary, "••••••••") }}
	managers := make([]Manager, maxManagers+5)
	for i := range managers {
		managers[i] = Manager{Name: "m\x1b[2J\n::error::" + canary}
	}
	fields := make([]Field, maxFields+3)
	for i := range fields {
		fields[i] = Field{Path: `.spec.list[name="` + canary + strings.Repeat("x", 2*maxText) + `"]`, What: Changed, By: managers}
	}
	o := opts.fit(Object{What: Changed, Fields: fields, Held: "since\r" + canary})
	text := o.String()
	if strings.Contains(text, canary) || strings.ContainsAny(text, "\x1b\r") || !strings.Contains(text, "••••••••") {
		t.Errorf("got %.500q", text)
	}
	if lines := strings.Split(text, "\n"); len(lines) != 1+maxFields+1 || lines[len(lines)-1] != "  and 3 more fields" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
	if f := o.Fields[0]; len(f.Path) > maxText+len("…") || len(f.By) != maxManagers {
		t.Errorf("a path of %d bytes and %d managers", len(f.Path), len(f.By))
	}
}
