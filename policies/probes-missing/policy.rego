# METADATA
# title: Container has no probe
# description: |
#   Without a probe Kubernetes knows only that the process exists. Traffic reaches the pod
#   before it can answer, a rolling update replaces working pods with broken ones, and a
#   program that hangs stays. One probe of any kind is enough for this rule. Jobs, bare pods
#   and init containers are not asked for any.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   id: probes-missing
#   help: add a readinessProbe that asks what a client would ask
package sallyport.probes_missing

import data.sallyport.kubernetes

probes := {"livenessProbe", "readinessProbe", "startupProbe"}

warn contains {"msg": msg, "pointer": pointer} if {
	kubernetes.keeps_running
	some container in kubernetes.containers
	container.field == "containers"
	probes & object.keys(container.spec) == set()
	pointer := concat("", [container.pointer, "/readinessProbe"])
	msg := sprintf("Container %s has no probe", [container.name])
}
