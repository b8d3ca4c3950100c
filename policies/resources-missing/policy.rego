# METADATA
# title: Container requests no resources
# description: |
#   The scheduler places pods by what they request. A container that requests no CPU or no
#   memory is placed as if it needed none: nodes fill up unseen, and its pod is the first to
#   be evicted when memory runs out. A limit counts as a request, and so do resources of the
#   whole pod. A LimitRange in the cluster may add defaults that a repository does not show.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: resources-missing
#   help: set resources.requests.cpu and resources.requests.memory to what the program uses
package sallyport.resources_missing

import data.sallyport.kubernetes

warn contains {"msg": msg, "pointer": pointer} if {
	some container in kubernetes.containers
	container.field == "containers"
	missing := [resource |
		some resource in ["cpu", "memory"]
		not has(container.spec, resource)
		not has(kubernetes.pod.spec, resource)
	]
	count(missing) > 0
	pointer := concat("", [container.pointer, "/resources/requests"])
	msg := sprintf("Container %s requests no %s", [container.name, concat(" and no ", missing)])
}

# has is true for a container or a pod that requests a resource. The API server
# takes the limit for a request that is not given.
has(spec, resource) if {
	some kind in ["requests", "limits"]
	_ = spec.resources[kind][resource]
}
