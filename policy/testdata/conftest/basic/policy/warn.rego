package main

import data.labels

warn contains msg if {
	input.kind == "Deployment"
	some label in labels.wanted
	not input.metadata.labels[label]
	msg := sprintf("Deployment %s should have the label %s", [input.metadata.name, label])
}

warn_replicas contains msg if {
	input.spec.replicas < 2
	msg := sprintf("%s has %d replica", [input.metadata.name, input.spec.replicas])
}

warning contains "not a verdict, by its name" if true

deny_(name) := sprintf("functions are no verdicts: %s", [name])
