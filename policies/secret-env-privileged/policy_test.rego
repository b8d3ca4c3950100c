package sallyport.secret_env_privileged_test

import data.sallyport.fixture
import data.sallyport.secret_env_privileged

env := [{"name": "MODE", "value": "fast"}, {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "token"}}}]

from := [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "db"}}]

message := "Container web takes the Secret db into the environment of a privileged pod"

privileged := {"securityContext": {"privileged": true}}

test_env if {
	secret_env_privileged.deny == {{
		"msg": message,
		"pointer": fixture.at("/env/1/valueFrom/secretKeyRef"),
	}} with input as fixture.web(object.union(privileged, {"env": env}))
}

test_env_from if {
	secret_env_privileged.deny == {{
		"msg": message,
		"pointer": fixture.at("/envFrom/1/secretRef"),
	}} with input as fixture.web(object.union(privileged, {"envFrom": from}))
}

test_node_processes if {
	spec := {"hostPID": true, "containers": [{"name": "web", "env": env}]}
	count(secret_env_privileged.deny) == 1 with input as fixture.pod(spec)
}

test_privilege_of_another_container if {
	spec := {"containers": [{"name": "web", "env": env}], "initContainers": [object.union({"name": "tune"}, privileged)]}
	count(secret_env_privileged.deny) == 1 with input as fixture.pod(spec)
}

test_ordinary_pod if {
	secret_env_privileged.deny == set() with input as fixture.web({"env": env, "envFrom": from})
}

test_no_secret if {
	secret_env_privileged.deny == set() with input as fixture.web(object.union(privileged, {"env": [env[0]]}))
}
