# METADATA
# title: Role grants more than it names
# description: |
#   A wildcard also grants what does not exist yet: the next resource of a group, the next
#   verb. Every verb on every resource makes whoever holds the role an administrator (error);
#   a wildcard for one of them is a warning. A wildcard API group alone is not reported.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
# custom:
#   id: rbac-wildcard
#   help: list the verbs and resources that are used; `kubectl auth can-i --list` shows them
package sallyport.rbac_wildcard

import data.sallyport.kubernetes

deny contains {"msg": msg, "pointer": pointer} if {
	some i, rule in rules
	"*" in rule.resources
	some j, verb in rule.verbs
	verb == "*"
	pointer := sprintf("/rules/%d/verbs/%d", [i, j])
	msg := sprintf("%s grants every verb on every resource", [input.kind])
}

warn contains {"msg": msg, "pointer": pointer} if {
	some i, rule in rules
	not "*" in object.get(rule, "resources", [])
	some j, verb in rule.verbs
	verb == "*"
	pointer := sprintf("/rules/%d/verbs/%d", [i, j])
	msg := sprintf("%s grants every verb", [input.kind])
}

warn contains {"msg": msg, "pointer": pointer} if {
	some i, rule in rules
	not "*" in rule.verbs
	some j, resource in rule.resources
	resource == "*"
	pointer := sprintf("/rules/%d/resources/%d", [i, j])
	msg := sprintf("%s grants access to every resource", [input.kind])
}

rules := input.rules if kubernetes.group == "rbac.authorization.k8s.io"
