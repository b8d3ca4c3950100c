package main

deny_root contains msg if {
	input.kind == "Deployment"
	not input.spec.template.spec.securityContext.runAsNonRoot
	msg := sprintf("%s runs as root", [input.metadata.name])
}

deny_replicas contains msg if {
	input.kind == "Deployment"
	input.spec.replicas == 1
	msg := sprintf("%s has one replica", [input.metadata.name])
}

deny contains msg if {
	input.kind == "Deployment"
	msg := sprintf("%s is a Deployment", [input.metadata.name])
}

violation_root contains sprintf("%s is lifted by the same name", [input.metadata.name]) if input.kind == "Deployment"

warn_root contains sprintf("%s: a warning is lifted too", [input.metadata.name]) if input.kind == "Deployment"

exception contains rules if {
	input.metadata.name == "legacy"
	rules := ["root", ""]
}
