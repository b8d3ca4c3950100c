package sallyport.ingress_tls_test

import data.sallyport.ingress_tls

ingress(spec) := {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"}, "spec": spec}

hosts(names) := [{"host": name} | some name in names]

test_no_tls if {
	every spec in [{}, {"tls": []}, {"rules": hosts(["shop.example"])}] {
		ingress_tls.warn == {{"msg": "Ingress has no TLS", "pointer": "/spec"}} with input as ingress(spec)
	}
}

test_uncovered_host if {
	spec := {"rules": hosts(["shop.example", "api.example"]), "tls": [{"hosts": ["shop.example"]}]}
	ingress_tls.warn == {{
		"msg": "No TLS entry covers api.example",
		"pointer": "/spec/rules/1",
	}} with input as ingress(spec)
}

test_rule_without_host if {
	spec := {"rules": [{"http": {}}], "tls": [{"hosts": ["shop.example"]}]}
	ingress_tls.warn == {{
		"msg": "No TLS entry covers the rule without a host",
		"pointer": "/spec/rules/0",
	}} with input as ingress(spec)
}

test_covered if {
	every tls in [[{"hosts": ["shop.example"]}], [{"hosts": ["*.example"]}], [{"secretName": "shop"}]] {
		ingress_tls.warn == set() with input as ingress({"rules": hosts(["shop.example"]), "tls": tls})
	}
}

test_certificate_from_elsewhere if {
	object := json.patch(ingress({}), [{
		"op": "add",
		"path": "/metadata/annotations",
		"value": {"alb.ingress.kubernetes.io/certificate-arn": "arn"},
	}])
	ingress_tls.warn == set() with input as object
}

test_other_kinds if {
	ingress_tls.warn == set() with input as {"apiVersion": "config.openshift.io/v1", "kind": "Ingress", "metadata": {}}
}
