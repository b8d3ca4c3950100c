package apply

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sallyport/sallyport/apply/cluster"
)

// place is when an object is applied. Objects of one place are applied side by
// side, and pruned in the opposite order.
type place struct {
	phase int // definitions before everything else
	wave  int // asked for by an annotation
	rank  int // by kind
}

// Phases.
const (
	definitions = iota // CRDs, namespaces, cluster roles and classes
	ordinary
)

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.phase, q.phase), cmp.Compare(p.wave, q.wave), cmp.Compare(p.rank, q.rank))
}

// String names the stage for [Options.Step].
func (p place) String() string {
	if p.phase == definitions {
		return fmt.Sprintf("definitions wave %d rank %d", p.wave, p.rank)
	}
	return fmt.Sprintf("wave %d rank %d", p.wave, p.rank)
}

// Annotations that give the wave: ours wins over Argo CD's.
const (
	annotationWave     = "sallyport.dev/wave"
	annotationArgoWave = "argocd.argoproj.io/sync-wave"
)

func placeOf(u *unstructured.Unstructured) (place, error) {
	p := place{phase: ordinary}
	gk := u.GroupVersionKind().GroupKind()
	if p.rank = rank(gk); first(gk) {
		p.phase = definitions
	}
	for _, key := range []string{annotationWave, annotationArgoWave} {
		if text, ok := u.GetAnnotations()[key]; ok {
			wave, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				return p, fmt.Errorf("annotation %s is not a whole number", key)
			}
			p.wave = wave
			break
		}
	}
	return p, nil
}

const (
	rbac         = "rbac.authorization.k8s.io"
	apiextension = "apiextensions.k8s.io"
)

func isNamespace(gk schema.GroupKind) bool { return gk.Group == "" && gk.Kind == "Namespace" }

// first says whether other objects need one of this kind to exist: what Flux
// puts into its first two stages.
func first(gk schema.GroupKind) bool {
	return gk == cluster.DefinitionKind() || isNamespace(gk) || gk.Group == rbac && gk.Kind == "ClusterRole" || strings.HasSuffix(gk.Kind, "Class")
}

// rank orders kinds within a wave, so that what an object refers to is there
// before it. It is the install order of Helm and Argo CD in four steps.
func rank(gk schema.GroupKind) int {
	switch gk.Group {
	case "":
		switch gk.Kind {
		case "Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "Secret", "ConfigMap":
			return 0
		case "PersistentVolume", "PersistentVolumeClaim", "Service":
			return 1
		}
	case apiextension:
		return 0
	case rbac:
		if gk.Kind == "Role" {
			return 0
		}
		return 1 // bindings after roles, and cluster roles after CRDs
	case "networking.k8s.io":
		if gk.Kind == "NetworkPolicy" {
			return 0
		}
		return 3
	case "autoscaling", "apiregistration.k8s.io", "admissionregistration.k8s.io":
		return 3 // these act on what is there, or stand in the way of what is to come
	}
	return 2
}

// needs lists what has to exist before the server can judge an object.
func needs(u *unstructured.Unstructured) []cluster.ID {
	id := cluster.IDOf(u)
	var all []cluster.ID
	if id.Namespace != "" {
		all = append(all, cluster.ID{Kind: "Namespace", Name: id.Namespace})
	}
	text := func(path ...string) string {
		s, _, _ := unstructured.NestedString(u.Object, path...)
		return s
	}
	switch {
	case id.Group == rbac && (id.Kind == "RoleBinding" || id.Kind == "ClusterRoleBinding"):
		role := cluster.ID{Group: rbac, Kind: text("roleRef", "kind"), Name: text("roleRef", "name")}
		if role.Kind == "Role" {
			role.Namespace = id.Namespace
		}
		all = append(all, role)
	case id.Group == "" && id.Kind == "Pod":
		all = append(all,
			cluster.ID{Kind: "ServiceAccount", Namespace: id.Namespace, Name: text("spec", "serviceAccountName")},
			cluster.ID{Group: "scheduling.k8s.io", Kind: "PriorityClass", Name: text("spec", "priorityClassName")})
	}
	return all
}

// definedScopes says of each kind that the set defines whether it is namespaced.
func definedScopes(objects []*unstructured.Unstructured) map[schema.GroupKind]bool {
	scopes := map[schema.GroupKind]bool{}
	for _, u := range objects {
		if kind, ok := cluster.DefinedKind(u); ok {
			scope, _, _ := unstructured.NestedString(u.Object, "spec", "scope")
			scopes[kind] = scope == "Namespaced"
		}
	}
	return scopes
}
