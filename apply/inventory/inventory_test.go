package inventory

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sallyport/sallyport/apply/cluster"
)

// TestID has the vectors of kubectl's own tests (apply_test.go, KEP-3659).
func TestID(t *testing.T) {
	for want, parent := range map[string]cluster.ID{
		"applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1": {Kind: "Secret", Namespace: "test", Name: "my-set"},
		"applyset-rhp1a-HVAVT_dFgyEygyA1BEB82HPp2o10UiFTpqtAs-v1": {Group: "company.com", Kind: "ApplySet", Name: "my-set"},
	} {
		if got := idOf(parent); got != want {
			t.Errorf("%s: %s, want %s", parent, got, want)
		}
	}
}

var shop = Set{Name: "shop", Namespace: "gitops", Version: "v0.1.0"}

func id(namespace, name string) cluster.ID {
	return cluster.ID{Kind: "ConfigMap", Namespace: namespace, Name: name}
}

// TestParentText: what is written is sorted, is what the specification says, and
// is read again.
func TestParentText(t *testing.T) {
	inv := &Inventory{Set: shop, Revision: "abc", Members: map[cluster.ID]types.UID{
		id("shop", "b"): "2", id("shop", "a"): Pending, id("gitops", "c"): "3",
		{Group: "apps", Kind: "Deployment", Namespace: "api", Name: "web"}: "4", {Kind: "Namespace", Name: "shop"}: "5",
	}}
	u, err := inv.object("7")
	if err != nil {
		t.Fatal(err)
	}
	a := u.GetAnnotations()
	if a[annotationKinds] != "ConfigMap,Deployment.apps,Namespace" || a[annotationNamespaces] != "api,shop" || a[annotationTooling] != "sallyport/v0.1.0" {
		t.Errorf("annotations: %v", a)
	}
	list, _, _ := unstructured.NestedString(u.Object, "data", "inventory")
	if want := `{"ConfigMap/gitops/c":"3","ConfigMap/shop/a":"","ConfigMap/shop/b":"2","Deployment.apps/api/web":"4","Namespace/shop":"5"}`; list != want {
		t.Errorf("inventory: %s", list)
	}
	back := &Inventory{Set: shop, Members: map[cluster.ID]types.UID{}}
	if err := back.read(u); err != nil || len(back.Members) != 5 || back.Revision != "abc" || back.Members[id("shop", "b")] != "2" {
		t.Errorf("%+v, %v", back, err)
	}
}

// TestReadRefuses: a parent that is not ours, and why, and what to do.
func TestReadRefuses(t *testing.T) {
	for want, change := range map[string]func(u *unstructured.Unstructured){
		`is managed by "kubectl/v1.36.3"`: func(u *unstructured.Unstructured) {
			u.SetAnnotations(map[string]string{annotationTooling: "kubectl/v1.36.3"})
		},
		"was copied or renamed": func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{LabelID: "applyset-x-v1"}) },
		"is no inventory": func(u *unstructured.Unstructured) {
			u.SetLabels(nil)
			u.SetAnnotations(nil)
		},
		"delete configmap sallyport-shop): what Git has is adopted anew": func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(u.Object, "canary", "data", "inventory")
		},
		`the entry "ConfigMap/shop/a/b", which is not Kind.group/namespace/name of an object: take that entry out (kubectl -n gitops edit configmap sallyport-shop)`: func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(u.Object, `{"ConfigMap/shop/a/b":"", "ConfigMap/shop/c":"1"}`, "data", "inventory")
		},
		`the entry "ConfigMap/shop/..", which`: func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(u.Object, `{"ConfigMap/shop/..":"1"}`, "data", "inventory")
		},
		"is not JSON": func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(u.Object, "canary", "data", "inventory")
		},
		"is not Kind.group/namespace/name": func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(u.Object, `{"x":"y"}`, "data", "inventory")
		},
	} {
		u, err := (&Inventory{Set: shop}).object("")
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		err = (&Inventory{Set: shop, Members: map[cluster.ID]types.UID{}}).read(u)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestOther: a parent is that of one source. One that does not say of which, as the
// first versions wrote them, is taken over.
func TestOther(t *testing.T) {
	of := func(source string) Set { s := shop; s.Source = source; return s }
	for _, test := range []struct{ wrote, reads, want string }{
		{"apps/my-shop", "apps/my-shop", ""}, {"", "apps/my-shop", ""}, {"apps/my-shop", "", ""},
		{"apps/my-shop", "apps/my_-shop", `is the inventory of "apps/my-shop", and "apps/my_-shop" would have the same name`},
	} {
		u, err := (&Inventory{Set: of(test.wrote)}).object("1")
		if err != nil {
			t.Fatal(err)
		}
		err = (&Inventory{Set: of(test.reads), Members: map[cluster.ID]types.UID{}}).read(u)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// TestOwns: label, list and uid have to agree.
func TestOwns(t *testing.T) {
	inv := &Inventory{Set: shop, Members: map[cluster.ID]types.UID{id("shop", "a"): "1", id("shop", "pending"): Pending}}
	live := func(name, uid, label string, manager string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
		u.SetNamespace("shop")
		u.SetName(name)
		u.SetUID(types.UID(uid))
		u.SetLabels(map[string]string{LabelPartOf: label})
		u.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: "Apply", FieldsType: "FieldsV1",
			FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:applyset.kubernetes.io/part-of":{}}}}`)}})
		return u
	}
	for name, c := range map[string]struct {
		u    *unstructured.Unstructured
		want bool
	}{
		"ours":                      {live("a", "1", shop.ID(), cluster.Manager), true},
		"another uid":               {live("a", "2", shop.ID(), cluster.Manager), false},
		"another set":               {live("a", "1", "applyset-x-v1", cluster.Manager), false},
		"not listed":                {live("b", "1", shop.ID(), cluster.Manager), false},
		"pending, applied by us":    {live("pending", "9", shop.ID(), cluster.Manager), true},
		"pending, label by another": {live("pending", "9", shop.ID(), "kubectl"), false},
	} {
		if got := inv.Owns(c.u); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestTooLarge: a set that cannot be remembered is refused, and told so.
func TestTooLarge(t *testing.T) {
	inv := &Inventory{Set: shop, Members: map[cluster.ID]types.UID{}}
	for i := range 20000 {
		inv.Members[id("shop", fmt.Sprintf("config-%06d", i))] = "0d9fb2a6-6f8e-4d0b-9b5e-0c5f0f6f3c4e"
	}
	if _, err := inv.object(""); err == nil || !strings.Contains(err.Error(), "20000 objects") || !strings.Contains(err.Error(), "split the target") {
		t.Error(err)
	}
}

// TestCheck: an object may not say itself which set it belongs to.
func TestCheck(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	if err := Check(u); err != nil {
		t.Error(err)
	}
	for _, label := range []string{LabelPartOf, LabelID} {
		u.SetLabels(map[string]string{label: "x"})
		if err := Check(u); err == nil {
			t.Errorf("%s is accepted", label)
		}
	}
}
