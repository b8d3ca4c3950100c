package sallyport.host_access_test

import data.sallyport.fixture
import data.sallyport.host_access

with_path(path) := fixture.pod({"volumes": [{"name": "node", "hostPath": {"path": path}}]})

test_shared_namespaces if {
	spec := {"hostPID": true, "hostIPC": true, "hostNetwork": true}
	host_access.deny == {{
		"msg": "Pod shares the processes of its node",
		"pointer": "/spec/template/spec/hostPID",
	}} with input as fixture.deployment(spec)
	host_access.warn == {
		{"msg": "Pod shares the memory of its node", "pointer": "/spec/template/spec/hostIPC"},
		{"msg": "Pod shares the network of its node", "pointer": "/spec/template/spec/hostNetwork"},
	} with input as fixture.deployment(spec)
}

test_own_namespaces if {
	host_access.deny == set() with input as fixture.pod({"hostPID": false})
	host_access.warn == set() with input as fixture.pod({"hostNetwork": false})
}

test_paths_that_give_away_the_node if {
	every path in ["/", "/etc", "/etc/", "/etc/kubernetes/pki", "/run", "/var/run", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/var/lib/kubelet"] {
		host_access.deny == {{
			"msg": sprintf("Volume node mounts %s of the node", [path]),
			"pointer": "/spec/volumes/0/hostPath/path",
		}} with input as with_path(path)
		host_access.warn == set() with input as with_path(path)
	}
}

test_other_paths if {
	every path in ["/var/log", "/etc/localtime", "/srv/data", "/var/lib/kubelet/plugins"] {
		host_access.deny == set() with input as with_path(path)
		count(host_access.warn) == 1 with input as with_path(path)
	}
}

test_other_volumes if {
	host_access.warn == set() with input as fixture.pod({"volumes": [{"name": "tmp", "emptyDir": {}}]})
}
