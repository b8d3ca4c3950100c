package sallyport.probes_missing_test

import data.sallyport.fixture
import data.sallyport.probes_missing

test_no_probe if {
	probes_missing.warn == {{
		"msg": "Container web has no probe",
		"pointer": fixture.at("/readinessProbe"),
	}} with input as fixture.web({"ports": [{"containerPort": 80}]})
}

test_any_probe if {
	every probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
		probes_missing.warn == set() with input as fixture.web({probe: {"tcpSocket": {"port": 80}}})
	}
}

test_pods_that_end if {
	every object in [fixture.job({"containers": [{"name": "web"}]}), fixture.pod({"containers": [{"name": "web"}]})] {
		probes_missing.warn == set() with input as object
	}
}

test_init_containers_are_left_alone if {
	probes_missing.warn == set() with input as fixture.deployment({"initContainers": [{"name": "wait"}]})
}
