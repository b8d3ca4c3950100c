# METADATA
# title: Pod reaches into its node
# description: |
#   The pod shares the node's processes, network or memory, or mounts a directory of the
#   node. The container runtime's socket, and the directories that hold the node's identity,
#   are root on the node by another name (error); so are the shared namespaces. Any other
#   hostPath ties the pod to its node and reads what other pods left there (warning).
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
# custom:
#   id: host-access
#   help: use a Service, a PersistentVolumeClaim or an emptyDir; waive node agents by name
package sallyport.host_access

import data.sallyport.kubernetes

# rooting matches the paths that give away the node when they are mounted.
rooting := `^(/|/etc|/etc/kubernetes(/.*)?|/root(/.*)?|/var/lib/kubelet(/pki.*)?|(/var)?/run|.*/(docker|containerd|crio|cri-dockerd|podman)\.sock)$`

deny contains {"msg": msg, "pointer": pointer} if {
	some field, what in {"hostIPC": "memory", "hostNetwork": "network", "hostPID": "processes"}
	kubernetes.pod.spec[field] == true
	pointer := concat("/", [kubernetes.pod.pointer, field])
	msg := sprintf("Pod shares the %s of its node", [what])
}

deny contains {"msg": msg, "pointer": volume.pointer} if {
	some volume in host_paths
	volume.rooting
	msg := sprintf("Volume %s mounts %s of the node", [volume.name, volume.path])
}

warn contains {"msg": msg, "pointer": volume.pointer} if {
	some volume in host_paths
	not volume.rooting
	msg := sprintf("Volume %s mounts %s of the node", [volume.name, volume.path])
}

host_paths contains volume if {
	some i, v in kubernetes.pod.spec.volumes
	path := v.hostPath.path
	volume := {
		"name": v.name,
		"path": path,
		"pointer": sprintf("%s/volumes/%d/hostPath/path", [kubernetes.pod.pointer, i]),
		"rooting": regex.match(rooting, regex.replace(path, `(.)/+$`, "$1")),
	}
}
