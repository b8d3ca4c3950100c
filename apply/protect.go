package apply

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
)

// protected says whether objects of a kind are not pruned unless the operator
// unprotects the kind: deleting one deletes what nobody listed (flux2#1366,
// flux2#1077).
func protected(gk schema.GroupKind) bool {
	return slices.Contains([]schema.GroupKind{
		{Kind: "Namespace"}, {Group: apiextension, Kind: "CustomResourceDefinition"},
		{Kind: "PersistentVolume"}, {Kind: "PersistentVolumeClaim"},
	}, gk)
}

// critical says whether the cluster, or this program, stops working without an
// object. Nothing unprotects it.
func critical(id cluster.ID, own string) bool {
	switch {
	case isNamespace(id.GroupKind()):
		return id.Name == own || id.Name == "default" || strings.HasPrefix(id.Name, "kube-")
	case id.Group == rbac, id.Group == "scheduling.k8s.io", id.Group == "flowcontrol.apiserver.k8s.io":
		return strings.HasPrefix(id.Name, "system:") || strings.HasPrefix(id.Name, "system-") || id.Name == "cluster-admin"
	case id.Group == "":
		return id.Kind == "Node" || id.Kind == "Service" && id.Namespace == "default" && id.Name == "kubernetes"
	}
	return false
}
