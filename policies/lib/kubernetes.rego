# METADATA
# title: Kubernetes objects
# description: |
#   What rules ask about the one object that is the input: the pod it describes,
#   whatever the kind, and that pod's containers, each with the JSON pointer that
#   leads to it.
package sallyport.kubernetes

# group is the API group of the input, "" for the core group.
group := substring(input.apiVersion, 0, indexof(input.apiVersion, "/")) if contains(input.apiVersion, "/")

group := "" if not contains(input.apiVersion, "/")

# long_running holds the pod templates of controllers that keep pods running.
long_running := {
	"": {"ReplicationController": ["spec", "template"]},
	"apps": {
		"DaemonSet": ["spec", "template"],
		"Deployment": ["spec", "template"],
		"ReplicaSet": ["spec", "template"],
		"StatefulSet": ["spec", "template"],
	},
	"apps.openshift.io": {"DeploymentConfig": ["spec", "template"]},
	"extensions": {
		"DaemonSet": ["spec", "template"],
		"Deployment": ["spec", "template"],
		"ReplicaSet": ["spec", "template"],
	},
}

# templates holds the pod template of every kind that describes a pod: where in
# an object the pod's metadata and spec are, by API group and kind.
templates := object.union(long_running, {
	"": {"Pod": [], "PodTemplate": ["template"]},
	"batch": {
		"CronJob": ["spec", "jobTemplate", "spec", "template"],
		"Job": ["spec", "template"],
	},
})

# pod is the spec of the pod that the input describes and the pointer to it. It
# is undefined for an input that describes none.
pod := {"spec": spec, "pointer": concat("/", array.concat([""], path))} if {
	path := array.concat(templates[group][input.kind], ["spec"])
	spec := object.get(input, path, null)
	is_object(spec)
}

# keeps_running is true for an input that keeps its pods running, as against
# pods that end, or that nothing restarts on another node.
keeps_running if long_running[group][input.kind]

# containers lists the pod's containers: their spec, the pointer to it, the name,
# and the field that holds them.
containers := [container |
	some field in ["containers", "initContainers", "ephemeralContainers"]
	some i, spec in pod.spec[field]
	container := {
		"field": field,
		"name": object.get(spec, "name", sprintf("%d", [i])),
		"pointer": sprintf("%s/%s/%d", [pod.pointer, field, i]),
		"spec": spec,
	}
]

# all_powerful are the capabilities that are as good as a privileged container.
all_powerful := {"ALL", "CAP_SYS_ADMIN", "SYS_ADMIN"}

# privileges lists what gives a container of the pod the powers of the node's
# root: the container, what it has, and the pointer to it.
privileges := array.concat(
	[p |
		some container in containers
		container.spec.securityContext.privileged == true
		p := {
			"container": container,
			"has": "runs privileged",
			"pointer": concat("", [container.pointer, "/securityContext/privileged"]),
		}
	],
	[p |
		some container in containers
		some i, capability in container.spec.securityContext.capabilities.add
		upper(capability) in all_powerful
		p := {
			"container": container,
			"has": sprintf("adds the capability %s", [capability]),
			"pointer": sprintf("%s/securityContext/capabilities/add/%d", [container.pointer, i]),
		}
	],
)
