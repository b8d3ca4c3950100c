package main

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.template.spec.securityContext.runAsNonRoot
	msg := sprintf("Containers must not run as root in Deployment %s", [input.metadata.name])
}

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.selector.matchLabels.app
	msg := sprintf("Deployment %s must have the label app", [input.metadata.name])
}

deny contains "Services of type LoadBalancer cost money" if {
	input.kind == "Service"
	input.spec.type == "LoadBalancer"
}

# Says the same again: a set holds it once.
deny contains "Services of type LoadBalancer cost money" if input.spec.type == "LoadBalancer"

# Nothing to say is no verdict.
deny contains "" if input.kind == "Service"
