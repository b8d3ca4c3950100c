package drift

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// owned gathers the fields of the managers that a function picks.
func owned(u *unstructured.Unstructured, pick func(metav1.ManagedFieldsEntry) bool) *fieldpath.Set {
	all := &fieldpath.Set{}
	for _, e := range u.GetManagedFields() {
		if e.Subresource != "" || e.FieldsV1 == nil || !pick(e) {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(bytes.NewReader(e.FieldsV1.Raw)) == nil {
			all = all.Union(set)
		}
	}
	return all
}

// resolve finds the value at a path. An element of a list is found by its keys,
// its value or its index, as the path says.
func resolve(node any, p fieldpath.Path) (any, bool) {
	for _, e := range p {
		var ok bool
		if node, ok = step(node, e); !ok {
			return nil, false
		}
	}
	return node, true
}

func step(node any, e fieldpath.PathElement) (any, bool) {
	if e.FieldName != nil {
		m, _ := node.(map[string]any)
		v, ok := m[*e.FieldName]
		return v, ok
	}
	list, _ := node.([]any)
	for i, item := range list {
		switch {
		case e.Index != nil && *e.Index == i:
			return item, true
		case e.Value != nil && fmt.Sprint((*e.Value).Unstructured()) == fmt.Sprint(item):
			return item, true
		case e.Key != nil && hasKeys(item, e):
			return item, true
		}
	}
	return nil, false
}

// hasKeys compares the keys of an associative list. A key with a default may be
// absent from an item that was never stored.
func hasKeys(item any, e fieldpath.PathElement) bool {
	m, ok := item.(map[string]any)
	if !ok {
		return false
	}
	for _, k := range *e.Key {
		if v, ok := m[k.Name]; !ok || fmt.Sprint(v) != fmt.Sprint(k.Value.Unstructured()) {
			return false
		}
	}
	return true
}
