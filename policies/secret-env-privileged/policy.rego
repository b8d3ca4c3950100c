# METADATA
# title: Privileged pod takes a Secret into its environment
# description: |
#   Environment variables are inherited by every child process, appear in crash reports, and
#   can be read by whatever shares the node's processes. In a pod that is privileged or sees
#   the node's processes they are within reach of everything such a pod is there to do.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod
# custom:
#   id: secret-env-privileged
#   help: mount the Secret as a file, or move the part that needs it into a pod without privileges
package sallyport.secret_env_privileged

import data.sallyport.kubernetes

deny contains {"msg": msg, "pointer": pointer} if {
	powerful
	some container in kubernetes.containers
	some i, env in container.spec.env
	secret := env.valueFrom.secretKeyRef.name
	pointer := sprintf("%s/env/%d/valueFrom/secretKeyRef", [container.pointer, i])
	msg := sprintf("Container %s takes the Secret %s into the environment of a privileged pod", [container.name, secret])
}

deny contains {"msg": msg, "pointer": pointer} if {
	powerful
	some container in kubernetes.containers
	some i, source in container.spec.envFrom
	secret := source.secretRef.name
	pointer := sprintf("%s/envFrom/%d/secretRef", [container.pointer, i])
	msg := sprintf("Container %s takes the Secret %s into the environment of a privileged pod", [container.name, secret])
}

powerful if count(kubernetes.privileges) > 0

powerful if kubernetes.pod.spec.hostPID == true
