package health

import (
	"strings"
	"testing"
	"unicode"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
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

func TestOf(t *testing.T) {
	judge, err := NewJudge([]Rule{
		{Group: "db.example", Kind: "Cluster", Healthy: "status.ready == spec.size", Failed: "has(status.phase) && status.phase == 'Broken'"},
		{Kind: "ConfigMap", Healthy: "self.data.ready == 'yes'"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, object string
		want         Verdict
	}{
		{"nothing to wait for", "{apiVersion: v1, kind: Secret, metadata: {name: a}}", Verdict{Phase: Healthy}},
		{"rollout behind", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 2}, status: {observedGeneration: 1}}",
			Verdict{Progressing, "Deployment generation is 2, but latest observed generation is 1"}},
		{"rollout done", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}}",
			Verdict{Phase: Healthy}},
		{"rollout failed", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 1}, status: {observedGeneration: 1, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]}}",
			Verdict{Failed, "Progress deadline exceeded"}},
		{"job runs", "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {active: 1, startTime: now}}", Verdict{Progressing, "has not completed"}},
		{"job done", "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {conditions: [{type: Complete, status: 'True'}]}}", Verdict{Phase: Healthy}},
		{"job failed", "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: secret}]}}",
			Verdict{Failed, "failed BackoffLimitExceeded"}},
		{"job suspended", "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true}}", Verdict{Phase: Healthy}},
		{"deleted", "{apiVersion: v1, kind: Secret, metadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}}", Verdict{Progressing, "is being deleted"}},
		{"namespace", "{apiVersion: v1, kind: Namespace, metadata: {name: a}, status: {phase: Terminating}}", Verdict{Failed, "is terminating, so nothing can be made in it"}},
		{"API service", "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}}", Verdict{Progressing, "is not Available"}},
		{"stalled", "{apiVersion: x.example/v1, kind: X, metadata: {name: a}, status: {conditions: [{type: Stalled, status: 'True', message: no chart}]}}", Verdict{Failed, "no chart"}},
		{"rule: not yet", "{apiVersion: db.example/v1, kind: Cluster, metadata: {name: a}, spec: {size: 3}}", Verdict{Progressing, "the rule of its kind does not hold yet"}},
		{"rule: healthy", "{apiVersion: db.example/v1, kind: Cluster, metadata: {name: a}, spec: {size: 3}, status: {ready: 3}}", Verdict{Phase: Healthy}},
		{"rule: failed", "{apiVersion: db.example/v1, kind: Cluster, metadata: {name: a}, spec: {size: 3}, status: {ready: 3, phase: Broken}}",
			Verdict{Failed, "the rule of its kind says that it has failed"}},
		{"rule of the core group", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {ready: 'no'}}", Verdict{Progressing, "the rule of its kind does not hold yet"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := judge.Of(object(t, tt.object)); got.Phase != tt.want.Phase || !strings.HasPrefix(got.Reason, tt.want.Reason) || tt.want.Reason == "" && got.Reason != "" {
				t.Errorf("got %s %q, want %s %q", got.Phase, got.Reason, tt.want.Phase, tt.want.Reason)
			}
		})
	}
}

// TestForeignMessage: what anybody who may write a status says there stays in its
// line, is no command to who reads the log, is bounded, and shows no value, not
// even half of one.
func TestForeignMessage(t *testing.T) {
	const canary = "canary-7c1e9a-canary"
	judge := Judge{redact: func(s string) string { return strings.ReplaceAll(s, canary, "••••••••") }}
	for name, text := range map[string]string{
		"lines":   "a\n::error::b\r\n::stop-commands::c\u2028d\u0085e",
		"command": "a ##[add-mask]b",
		"screen":  "a\x1b[2J\x1b]0;title\x07\u202e\u200bb\x00",
		"value":   "a " + canary,
		"length":  strings.Repeat("é", 4000),
		"half":    strings.Repeat("x", maxReason-12) + canary,
	} {
		for kind, u := range map[string]*unstructured.Unstructured{
			"stalled":  object(t, "{apiVersion: x.example/v1, kind: X, metadata: {name: a}, status: {conditions: [{type: Stalled, status: 'True'}]}}"),
			"unready":  object(t, "{apiVersion: x.example/v1, kind: X, metadata: {name: a}, status: {conditions: [{type: Ready, status: 'False'}]}}"),
			"replicas": object(t, "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a}, status: {conditions: [{type: ReplicaFailure, status: 'True'}]}}"),
			"job":      object(t, "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {conditions: [{type: Failed, status: 'True'}]}}"),
		} {
			list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
			condition := list[0].(map[string]any)
			condition["message"], condition["reason"] = text, text
			_ = unstructured.SetNestedSlice(u.Object, list, "status", "conditions")
			got := judge.Of(u)
			if got.Phase == Healthy || got.Reason == "" {
				t.Errorf("%s %s: %v", name, kind, got)
			}
			if strings.ContainsFunc(got.Reason, func(r rune) bool { return !unicode.IsPrint(r) }) ||
				strings.Contains(got.Reason, "##[") || strings.Contains(got.Reason, "canar") || len(got.Reason) > maxReason+len("…") {
				t.Errorf("%s %s: %q", name, kind, got.Reason)
			}
		}
	}
}

// TestDefines: which definition a kind may wait for.
func TestDefines(t *testing.T) {
	kind := schema.GroupKind{Group: "x.example", Kind: "X"}
	const crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: xs.x.example}, spec: {group: x.example, names: {kind: X}}}"
	for text, want := range map[string]bool{
		crd: true,
		strings.Replace(crd, "kind: X}", "kind: Y}", 1):                                                                false,
		strings.Replace(crd, "group: x.example", "group: y.example", 1):                                                false,
		strings.Replace(crd, "name: xs.x.example", "name: xs.x.example, deletionTimestamp: '2026-01-01T00:00:00Z'", 1): false,
	} {
		if got := defines(object(t, text), kind); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestRulesThatAreWrong(t *testing.T) {
	for want, rules := range map[string][]Rule{
		"health rule for Cluster.db.example: healthy:": {{Group: "db.example", Kind: "Cluster", Healthy: "status.ready =="}},
		"healthy: gives int, not a bool":               {{Kind: "Cluster", Healthy: "1 + 1"}},
		"failed: gives string, not a bool":             {{Kind: "Cluster", Healthy: "true", Failed: "'no'"}},
		"a kind and an expression":                     {{Healthy: "true"}},
		"there are two":                                {{Kind: "A", Healthy: "true"}, {Kind: "A", Healthy: "false"}},
	} {
		if _, err := NewJudge(rules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestEndlessRule: an expression cannot hold up the job.
func TestEndlessRule(t *testing.T) {
	list := "[" + strings.Repeat("1,", 200) + "1]"
	judge, err := NewJudge([]Rule{{Kind: "A", Healthy: list + ".all(a, " + list + ".all(b, " + list + ".all(c, " + list + ".all(d, a + b + c + d > 0))))"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := judge.Of(object(t, "{apiVersion: v1, kind: A, metadata: {name: a}}")); got.Phase != Progressing {
		t.Errorf("got %s", got.Phase)
	}
}

const pod = `{apiVersion: v1, kind: Pod, metadata: {name: NAME, creationTimestamp: 'TIME', labels: {pod-template-hash: HASH}},
  spec: {containers: [{name: app, image: IMAGE}]}, status: {containerStatuses: [{name: app, restartCount: COUNT, state: {waiting: {reason: REASON, message: c4n4ry}}}]}}`

func TestStuck(t *testing.T) {
	workload := object(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: [{name: app, image: a}]}}}}")
	withImage := func(image, name, at, hash, count, reason string) *unstructured.Unstructured {
		return object(t, strings.NewReplacer("IMAGE", image, "NAME", name, "TIME", at, "HASH", hash, "COUNT", count, "REASON", reason).Replace(pod))
	}
	podOf := func(name, at, hash, count, reason string) *unstructured.Unstructured {
		return withImage("a", name, at, hash, count, reason)
	}
	const before, after = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
	tests := []struct {
		name string
		pods []*unstructured.Unstructured
		want string
	}{
		{"no pods", nil, ""},
		{"starts", []*unstructured.Unstructured{podOf("a", after, "new", "0", "ContainerCreating")}, ""},
		{"first crash", []*unstructured.Unstructured{podOf("a", after, "new", "1", "CrashLoopBackOff")}, ""},
		{"crashes again", []*unstructured.Unstructured{podOf("a", after, "new", "3", "CrashLoopBackOff")}, "pod a: container app: CrashLoopBackOff after 3 restarts"},
		{"no image", []*unstructured.Unstructured{podOf("a", after, "new", "0", "ImagePullBackOff")}, "pod a: container app: ImagePullBackOff"},
		{"another image is another template", []*unstructured.Unstructured{podOf("a", before, "old", "0", "ContainerCreating"), withImage("b", "b", after, "new", "9", "CrashLoopBackOff")}, ""},
		{"what is replaced may crash", []*unstructured.Unstructured{podOf("a", before, "old", "9", "CrashLoopBackOff"), podOf("b", after, "new", "0", "ContainerCreating")}, ""},
	}
	for _, tt := range tests {
		if got, certain := Stuck(workload, tt.pods); got != tt.want || certain != strings.Contains(got, "restarts") {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSelector(t *testing.T) {
	const deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 2}, spec: {selector: {matchLabels: {b: two, a: one}}}, status: {observedGeneration: GEN, updatedReplicas: 1}}"
	if got := Selector(object(t, strings.Replace(deployment, "GEN", "2", 1))); got != "a=one,b=two" {
		t.Errorf("got %q", got)
	}
	if got := Selector(object(t, strings.Replace(deployment, "GEN", "1", 1))); got != "" {
		t.Errorf("the controller has not seen it: got %q", got)
	}
}
