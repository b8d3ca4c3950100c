package cluster

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ID names an object whatever the version it is written in.
type ID struct {
	Group     string // empty for the core group
	Kind      string
	Namespace string // empty for cluster-scoped kinds
	Name      string
}

// IDOf reads the ID of an object.
func IDOf(u *unstructured.Unstructured) ID {
	gvk := u.GroupVersionKind()
	return ID{Group: gvk.Group, Kind: gvk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}
}

// GroupKind is the kind of the object.
func (id ID) GroupKind() schema.GroupKind { return schema.GroupKind{Group: id.Group, Kind: id.Kind} }

// String writes "Deployment.apps/shop/web", "ConfigMap/shop/web" for the core
// group and "Namespace/shop" for a cluster-scoped object. [ParseID] reads it.
func (id ID) String() string {
	parts := []string{id.GroupKind().String()}
	if id.Namespace != "" {
		parts = append(parts, id.Namespace)
	}
	return strings.Join(append(parts, id.Name), "/")
}

// ParseID reads what [ID.String] writes.
func ParseID(s string) (ID, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 2 && len(parts) != 3 {
		return ID{}, fmt.Errorf("object %q is not Kind.group/namespace/name", s)
	}
	for _, p := range parts {
		if p == "" {
			return ID{}, fmt.Errorf("object %q has an empty part", s)
		}
	}
	gk := schema.ParseGroupKind(parts[0])
	id := ID{Group: gk.Group, Kind: gk.Kind, Name: parts[len(parts)-1]}
	if len(parts) == 3 {
		id.Namespace = parts[1]
	}
	return id, nil
}

// Compare orders by group, kind, namespace and name.
func (id ID) Compare(other ID) int {
	return cmp.Or(
		cmp.Compare(id.Group, other.Group),
		cmp.Compare(id.Kind, other.Kind),
		cmp.Compare(id.Namespace, other.Namespace),
		cmp.Compare(id.Name, other.Name),
	)
}

// secret says whether an object of this kind holds what no text may show.
func (id ID) secret() bool { return id.Group == "" && id.Kind == "Secret" }
