package apply

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Annotations of ours.
const (
	annotationPrune    = "sallyport.dev/prune"    // disabled
	annotationRecreate = "sallyport.dev/recreate" // "true"
	annotationApply    = "sallyport.dev/apply"    // IfNotPresent, Ignore
)

// Annotations of others that mean the same.
const (
	argoOptions = "argocd.argoproj.io/sync-options" // a list with commas
	fluxPrune   = "kustomize.toolkit.fluxcd.io/prune"
	fluxApply   = "kustomize.toolkit.fluxcd.io/ssa"
	fluxForce   = "kustomize.toolkit.fluxcd.io/force"
	fluxSkip    = "kustomize.toolkit.fluxcd.io/reconcile"
	helmPolicy  = "helm.sh/resource-policy"
)

// kept names the annotation that forbids to delete an object, or is empty.
func kept(u *unstructured.Unstructured) string {
	a := u.GetAnnotations()
	switch {
	case disabled(a[annotationPrune]):
		return annotationPrune
	case disabled(a[fluxPrune]):
		return fluxPrune
	case a[helmPolicy] == "keep":
		return helmPolicy
	case argo(a, "Prune=false"), argo(a, "Delete=false"), argo(a, "Prune=confirm"), argo(a, "Delete=confirm"):
		return argoOptions
	}
	return ""
}

// asksForRecreation names the annotation by which an object agrees to be deleted
// and created again, or is empty.
func asksForRecreation(u *unstructured.Unstructured) string {
	a := u.GetAnnotations()
	switch {
	case a[annotationRecreate] == "true":
		return annotationRecreate
	case argo(a, "Replace=true") && argo(a, "Force=true"):
		return argoOptions
	case strings.EqualFold(a[fluxForce], "enabled"):
		return fluxForce
	}
	return ""
}

// policy is how an object wants to be applied. Flux's Merge is what server-side
// apply without force does anyway.
func policy(u *unstructured.Unstructured) (onlyOnce, never bool, annotation string) {
	a := u.GetAnnotations()
	for _, key := range []string{annotationApply, fluxApply} {
		switch {
		case strings.EqualFold(a[key], "IfNotPresent"):
			return true, false, key
		case strings.EqualFold(a[key], "Ignore"):
			return false, true, key
		}
	}
	if disabled(a[fluxSkip]) {
		return false, true, fluxSkip
	}
	return false, false, ""
}

func disabled(value string) bool { return strings.EqualFold(value, "disabled") }

// argo says whether one of Argo CD's sync options is set.
func argo(annotations map[string]string, option string) bool {
	options := strings.Split(annotations[argoOptions], ",")
	return slices.ContainsFunc(options, func(o string) bool { return strings.EqualFold(strings.TrimSpace(o), option) })
}
