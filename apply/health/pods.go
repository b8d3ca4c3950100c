package health

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// minRestarts is from which restart on a crashing container is taken for one
// that will go on crashing: a first crash while a database comes up is usual.
const minRestarts = 3

// stuck are the reasons of a waiting container that do not pass by themselves.
var stuck = []string{"CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"}

// revisionLabels tell the pods of the current template from those of the one
// before. They are what the Deployment, and the StatefulSet and DaemonSet
// controllers, set.
var revisionLabels = []string{"pod-template-hash", "controller-revision-hash"}

// Selector is the label selector of the pods that a workload runs; "" for what
// runs none, or has not begun to run those of its current template.
func Selector(u *unstructured.Unstructured) string {
	if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, u.GetKind()) || u.GroupVersionKind().Group != "apps" {
		return ""
	}
	observed, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	updated, _, _ := unstructured.NestedInt64(u.Object, "status", "updatedReplicas")
	scheduled, _, _ := unstructured.NestedInt64(u.Object, "status", "updatedNumberScheduled")
	if observed < u.GetGeneration() || updated+scheduled == 0 {
		return ""
	}
	labels, _, _ := unstructured.NestedStringMap(u.Object, "spec", "selector", "matchLabels")
	var selector string
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			selector += ","
		}
		selector += name + "=" + labels[name]
	}
	return selector
}

// Stuck says why a rollout cannot finish by itself: a container of a pod of the
// current template does not start, or crashes again and again. The newest pod
// tells which template is the current one. "" means that there is hope. What
// crashes is certain: it has been tried again already. What does not start may
// do so a moment later.
func Stuck(pods []*unstructured.Unstructured) (reason string, certain bool) {
	pods = slices.Clone(pods)
	slices.SortFunc(pods, func(a, b *unstructured.Unstructured) int {
		return b.GetCreationTimestamp().Compare(a.GetCreationTimestamp().Time)
	})
	for _, pod := range pods {
		if revision(pod) != revision(pods[0]) || pod.GetDeletionTimestamp() != nil {
			continue
		}
		for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
			if reason, restarts := stuckContainer(pod, list); reason != "" {
				return reason, restarts >= minRestarts
			}
		}
	}
	return "", false
}

func revision(pod *unstructured.Unstructured) string {
	for _, name := range revisionLabels {
		if hash := pod.GetLabels()[name]; hash != "" {
			return hash
		}
	}
	return ""
}

func stuckContainer(pod *unstructured.Unstructured, list string) (text string, restarts int64) {
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
	for _, item := range statuses {
		c, _ := item.(map[string]any)
		reason, _, _ := unstructured.NestedString(c, "state", "waiting", "reason")
		restarts, _, _ := unstructured.NestedInt64(c, "restartCount")
		if !slices.Contains(stuck, reason) || reason == "CrashLoopBackOff" && restarts < minRestarts {
			continue
		}
		text = fmt.Sprintf("pod %s: container %v: %s", pod.GetName(), c["name"], reason)
		if restarts > 0 {
			text += fmt.Sprintf(" after %d restarts", restarts)
		}
		return text, restarts
	}
	return "", 0
}
