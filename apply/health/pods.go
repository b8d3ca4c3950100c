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

// Stuck says why the rollout of a workload cannot finish by itself: a container
// of a pod of the current template does not start, or crashes again and again. ""
// means that there is hope. What crashes is certain: it has been tried again
// already. What does not start may do so a moment later.
//
// The current template's pods run its images; among those the newest tells its
// revision. Pods of the template before may be stuck as they like: a rollout that
// mends them, forth or back, replaces them.
func Stuck(workload *unstructured.Unstructured, pods []*unstructured.Unstructured) (reason string, certain bool) {
	pods = slices.DeleteFunc(slices.Clone(pods), func(pod *unstructured.Unstructured) bool {
		return pod.GetDeletionTimestamp() != nil || !slices.Equal(images(pod.Object, "spec"), images(workload.Object, "spec", "template", "spec"))
	})
	slices.SortFunc(pods, func(a, b *unstructured.Unstructured) int {
		return b.GetCreationTimestamp().Compare(a.GetCreationTimestamp().Time)
	})
	for _, pod := range pods {
		if revision(pod) != revision(pods[0]) {
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

// images are those of the containers in the order of their names, each with its
// name. Containers that an admission webhook put in are not among a template's,
// and then no pod is judged: the deadline has to do.
func images(object map[string]any, at ...string) []string {
	list, _, _ := unstructured.NestedSlice(object, append(at, "containers")...)
	var all []string
	for _, item := range list {
		c, _ := item.(map[string]any)
		all = append(all, fmt.Sprint(c["name"], " ", c["image"]))
	}
	slices.Sort(all)
	return all
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
