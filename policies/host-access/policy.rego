# METADATA
# title: Pod reaches into its node
# description: |
#   The pod sees the node's processes, or mounts the container runtime's socket or a
#   directory that holds the node's identity: that is root on the node by another name
#   (error). Sharing the node's network or memory reaches what is meant for the node alone,
#   such as the cloud's metadata service; any other hostPath ties the pod to one node and
#   shows it what other pods left there (warning).
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
# custom:
#   id: host-access
#   help: use a Service, a PersistentVolumeClaim or an emptyDir; waive node agents by name
package sallyport.host_access

import data.sallyport.kubernetes

# rooting matches the paths that give away the node when they are mounted.
rooting := `^(/|/etc|/etc/kubernetes(/.*)?|/root(/.*)?|/var/lib/kubelet(/pki.*)?|(/var)?/run|.*/(docker|containerd|crio|cri-dockerd|podman)\.sock)$`

deny contains {"msg": "Pod shares the processes of its node", "pointer": pointer} if {
	kubernetes.pod.spec.hostPID == true
	pointer := concat("/", [kubernetes.pod.pointer, "hostPID"])
}

warn contains {"msg": msg, "pointer": pointer} if {
	some field, what in {"hostIPC": "memory", "hostNetwork": "network"}
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
