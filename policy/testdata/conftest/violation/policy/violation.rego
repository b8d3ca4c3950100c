package main

import rego.v1

# METADATA
# title: Image comes from a registry that nobody looks after
# custom:
#   id: registry
#   severity: warning
violation contains {"msg": msg, "details": {"image": image}, "pointer": pointer} if {
	some i, container in input.spec.template.spec.containers
	image := container.image
	not startswith(image, "registry.example/")
	pointer := sprintf("/spec/template/spec/containers/%d/image", [i])
	msg := sprintf("image %s is not from registry.example", [image])
}

violation_ports contains result if {
	some port in input.spec.ports
	port.port < 1024
	result := {"msg": sprintf("port %d is privileged", [port.port]), "severity": "high"}
}
