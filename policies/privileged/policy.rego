# METADATA
# title: Container has the powers of the node's root
# description: |
#   A privileged container, and one with all capabilities or SYS_ADMIN, sees every device
#   and can mount the node's disks. Whoever takes over its process takes over the node and
#   the Secrets of every pod on it. Network and storage drivers need this: waive those by name.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
# custom:
#   id: privileged
#   help: drop it; add the one capability that the program needs, such as NET_BIND_SERVICE
package sallyport.privileged

import data.sallyport.kubernetes

deny contains {"msg": msg, "pointer": privilege.pointer} if {
	some privilege in kubernetes.privileges
	msg := sprintf("Container %s %s", [privilege.container.name, privilege.has])
}
