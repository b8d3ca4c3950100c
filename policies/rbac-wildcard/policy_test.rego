package sallyport.rbac_wildcard_test

import data.sallyport.rbac_wildcard

role(rule) := {
	"apiVersion": "rbac.authorization.k8s.io/v1",
	"kind": "ClusterRole",
	"metadata": {"name": "shop"},
	"rules": [rule],
}

test_everything if {
	admin := role({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*", "get"]})
	rbac_wildcard.deny == {{
		"msg": "ClusterRole grants every verb on every resource",
		"pointer": "/rules/0/verbs/0",
	}} with input as admin
	rbac_wildcard.warn == set() with input as admin
}

test_every_verb if {
	every rule in [{"resources": ["pods"], "verbs": ["*", "get"]}, {"nonResourceURLs": ["/metrics"], "verbs": ["*"]}] {
		rbac_wildcard.warn == {{
			"msg": "ClusterRole grants every verb",
			"pointer": "/rules/0/verbs/0",
		}} with input as role(rule)
		rbac_wildcard.deny == set() with input as role(rule)
	}
}

test_every_resource if {
	rule := {"resources": ["pods", "*"], "verbs": ["get"]}
	rbac_wildcard.warn == {{
		"msg": "ClusterRole grants access to every resource",
		"pointer": "/rules/0/resources/1",
	}} with input as role(rule)
}

test_named if {
	rule := {"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}
	rbac_wildcard.warn == set() with input as role(rule)
	rbac_wildcard.deny == set() with input as role(rule)
}

test_other_kinds if {
	object := {"apiVersion": "example.com/v1", "kind": "Role", "rules": [{"resources": ["*"], "verbs": ["*"]}]}
	rbac_wildcard.deny == set() with input as object
}
