package sallyport.kubernetes_test

import data.sallyport.fixture
import data.sallyport.kubernetes

test_pod_of_every_kind if {
	every row in [
		["v1", "Pod", ["spec"]],
		["v1", "PodTemplate", ["template", "spec"]],
		["v1", "ReplicationController", ["spec", "template", "spec"]],
		["apps/v1", "Deployment", ["spec", "template", "spec"]],
		["apps/v1", "StatefulSet", ["spec", "template", "spec"]],
		["apps/v1", "DaemonSet", ["spec", "template", "spec"]],
		["apps/v1", "ReplicaSet", ["spec", "template", "spec"]],
		["extensions/v1beta1", "Deployment", ["spec", "template", "spec"]],
		["extensions/v1beta1", "DaemonSet", ["spec", "template", "spec"]],
		["extensions/v1beta1", "ReplicaSet", ["spec", "template", "spec"]],
		["apps.openshift.io/v1", "DeploymentConfig", ["spec", "template", "spec"]],
		["batch/v1", "Job", ["spec", "template", "spec"]],
		["batch/v1beta1", "CronJob", ["spec", "jobTemplate", "spec", "template", "spec"]],
	] {
		[api, kind, path] := row
		found := kubernetes.pod with input as holding(api, kind, path)
		found == {"spec": {"containers": []}, "pointer": sprintf("/%s", [concat("/", path)])}
	}
}

# holding is an object with a pod spec at a path.
holding(api, kind, path) := json.patch({"apiVersion": api, "kind": kind}, array.concat(
	[{"op": "add", "path": array.slice(path, 0, n), "value": {}} |
		some n in numbers.range(1, count(path))
	],
	[{"op": "add", "path": path, "value": {"containers": []}}],
))

test_no_pod if {
	not kubernetes.pod with input as {"apiVersion": "v1", "kind": "ConfigMap"}
	not kubernetes.pod with input as {"apiVersion": "apps/v1", "kind": "Deployment"}
	not kubernetes.pod with input as {"apiVersion": "example.com/v1", "kind": "Deployment", "spec": {"template": {"spec": {}}}}
	kubernetes.containers == [] with input as {"apiVersion": "v1", "kind": "ConfigMap"}
}

test_containers_of_every_field if {
	spec := {
		"containers": [{"name": "web"}, {}],
		"initContainers": [{"name": "migrate"}],
		"ephemeralContainers": [{"name": "debug"}],
		"volumes": [{"name": "tmp"}],
	}
	found := {[c.name, c.pointer] | some c in kubernetes.containers} with input as fixture.deployment(spec)
	found == {
		["web", "/spec/template/spec/containers/0"],
		["1", "/spec/template/spec/containers/1"],
		["migrate", "/spec/template/spec/initContainers/0"],
		["debug", "/spec/template/spec/ephemeralContainers/0"],
	}
}

test_keeps_running if {
	kubernetes.keeps_running with input as {"apiVersion": "apps/v1", "kind": "StatefulSet"}
	not kubernetes.keeps_running with input as {"apiVersion": "batch/v1", "kind": "Job"}
	not kubernetes.keeps_running with input as {"apiVersion": "v1", "kind": "Pod"}
}
