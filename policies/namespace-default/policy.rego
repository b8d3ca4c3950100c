# METADATA
# title: Object is put into the namespace default
# description: |
#   Every cluster has the namespace `default`, so whatever is applied without thought ends up
#   there, next to this object: quotas, network policies and access rights of the namespace
#   then hold for strangers. Objects that name no namespace are not reported, since the
#   deployment tool gives them one; nor is what a Flux Kustomization or an Argo CD
#   Application puts there, which was a decision about the whole.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# custom:
#   id: namespace-default
#   delivered: false
#   help: give the application a namespace of its own
package sallyport.namespace_default

warn contains {"msg": msg, "pointer": "/metadata/namespace"} if {
	input.metadata.namespace == "default"
	msg := sprintf("%s is put into the namespace default", [input.kind])
}
