package main

import data.quotas
import data.teams.shop.owners

deny contains msg if {
	input.spec.replicas > quotas.replicas
	msg := sprintf("%s asks for %d replicas, the quota is %d", [input.metadata.name, input.spec.replicas, quotas.replicas])
}

deny contains msg if {
	input.kind == "Deployment"
	owner := object.get(input.metadata, ["annotations", "owner"], "nobody")
	not owner in owners
	msg := sprintf("%s owns %s", [owner, input.metadata.name])
}

warn contains "allowed kinds are listed" if not input.kind in data.kinds
