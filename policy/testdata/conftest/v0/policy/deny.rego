package main

import data.kubernetes

name = input.metadata.name

deny[msg] {
  kubernetes.is_deployment
  not input.spec.template.spec.securityContext.runAsNonRoot
  msg = sprintf("Containers must not run as root in Deployment %s", [name])
}

violation[{"msg": msg}] {
  kubernetes.is_service
  input.spec.type == "LoadBalancer"
  msg := sprintf("%v must not be a LoadBalancer", [name])
}

warn_labels[msg] {
  not input.metadata.labels
  msg := sprintf("%v has no labels", [name])
}

exception[rules] {
  name == "web"
  rules := ["labels"]
}
