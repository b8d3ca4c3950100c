package sallyport.run_as_root_test

import data.sallyport.fixture
import data.sallyport.run_as_root

root := {"runAsUser": 0}

test_container if {
	run_as_root.warn == {{
		"msg": "Container web runs as root",
		"pointer": fixture.at("/securityContext/runAsUser"),
	}} with input as fixture.web({"securityContext": root})
}

test_pod if {
	run_as_root.warn == {{
		"msg": "Pod runs its containers as root",
		"pointer": "/spec/securityContext/runAsUser",
	}} with input as fixture.pod({"securityContext": root, "containers": [{"name": "web"}]})
}

test_container_overrides_pod if {
	web := {"name": "web", "securityContext": {"runAsUser": 1000}}
	run_as_root.warn == set() with input as fixture.pod({"securityContext": root, "containers": [web]})
}

test_unset if {
	run_as_root.warn == set() with input as fixture.web({"image": "nginx:1.29"})
}
