package main

import rego.v1

# METADATA
# title: A Deployment names its owner
# custom:
#   id: owner-missing
#   severity: error
deny contains "the Deployment has no label owner" if {
	input.kind == "Deployment"
	not input.metadata.labels.owner
}
