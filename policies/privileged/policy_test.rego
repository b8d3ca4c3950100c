package sallyport.privileged_test

import data.sallyport.fixture
import data.sallyport.privileged

test_privileged if {
	privileged.deny == {{
		"msg": "Container web runs privileged",
		"pointer": fixture.at("/securityContext/privileged"),
	}} with input as fixture.web({"securityContext": {"privileged": true}})
}

test_capability if {
	privileged.deny == {{
		"msg": "Container web adds the capability SYS_ADMIN",
		"pointer": fixture.at("/securityContext/capabilities/add/1"),
	}} with input as fixture.web({"securityContext": {"capabilities": {"add": ["NET_ADMIN", "SYS_ADMIN"]}}})
}

test_ordinary if {
	every context in [{}, {"privileged": false}, {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}] {
		privileged.deny == set() with input as fixture.web({"securityContext": context})
	}
}
