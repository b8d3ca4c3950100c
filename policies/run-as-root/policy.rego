# METADATA
# title: Container is told to run as root
# description: |
#   `runAsUser: 0` makes the program root inside its container whatever the image says. Root
#   in a container is one kernel bug, or one mounted directory, away from root on the node.
#   Images that merely do not say which user they run as are not reported.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
# custom:
#   id: run-as-root
#   help: choose a user above 0 and set runAsNonRoot; fsGroup makes a volume writable without root
package sallyport.run_as_root

import data.sallyport.kubernetes

warn contains {"msg": msg, "pointer": pointer} if {
	some container in kubernetes.containers
	container.spec.securityContext.runAsUser == 0
	pointer := concat("", [container.pointer, "/securityContext/runAsUser"])
	msg := sprintf("Container %s runs as root", [container.name])
}

warn contains {"msg": msg, "pointer": pointer} if {
	kubernetes.pod.spec.securityContext.runAsUser == 0
	some container in kubernetes.containers
	not has_user(container.spec)
	pointer := concat("", [kubernetes.pod.pointer, "/securityContext/runAsUser"])
	msg := "Pod runs its containers as root"
}

has_user(container) if container.securityContext.runAsUser >= 0
