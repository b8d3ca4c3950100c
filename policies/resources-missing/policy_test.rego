package sallyport.resources_missing_test

import data.sallyport.fixture
import data.sallyport.resources_missing

test_nothing_requested if {
	resources_missing.warn == {{
		"msg": "Container web requests no cpu and no memory",
		"pointer": fixture.at("/resources/requests"),
	}} with input as fixture.web({})
}

test_one_requested if {
	resources_missing.warn == {{
		"msg": "Container web requests no cpu",
		"pointer": fixture.at("/resources/requests"),
	}} with input as fixture.web({"resources": {"requests": {"memory": "64Mi"}}})
}

test_only_requests_and_limits_count if {
	count(resources_missing.warn) == 1 with input as fixture.web({"resources": {"other": {"cpu": 1, "memory": 1}}})
}

test_requests_and_limits if {
	every resources in [
		{"requests": {"cpu": "10m", "memory": "64Mi"}},
		{"limits": {"cpu": 1, "memory": "64Mi"}},
		{"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}},
	] {
		resources_missing.warn == set() with input as fixture.web({"resources": resources})
	}
}

test_resources_of_the_pod if {
	spec := {
		"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
		"containers": [{"name": "web"}],
	}
	resources_missing.warn == set() with input as fixture.pod(spec)
}

test_init_containers_are_left_alone if {
	resources_missing.warn == set() with input as fixture.pod({"initContainers": [{"name": "wait"}]})
}
