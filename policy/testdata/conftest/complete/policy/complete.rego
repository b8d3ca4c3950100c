package main

deny := [msg |
	some container in input.spec.template.spec.containers
	msg := sprintf("container %s", [container.name])
]

default warn := false

warn := {"a service", "in the set"} if input.kind == "Service"

violation_odd := [{"msg": "an object in an array"}] if input.kind == "Service"
