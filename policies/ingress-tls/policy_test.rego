package sallyport.ingress_tls_test

import data.sallyport.ingress_tls

ingress(spec) := {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"}, "spec": spec}

hosts(names) := [{"host": name} | some name in names]

test_no_tls if {
	every spec in [{}, {"tls": []}, {"rules": hosts(["shop.example"])}] {
		ingress_tls.warn == {{"msg": "Ingress has no TLS", "pointer": "/spec/tls"}} with input as ingress(spec)
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

elsewhere := {
	"alb.ingress.kubernetes.io/certificate-arn",
	"ingress.gcp.kubernetes.io/pre-shared-cert",
	"ingress.kubernetes.io/ssl-passthrough",
	"networking.gke.io/managed-certificates",
	"nginx.ingress.kubernetes.io/ssl-passthrough",
	"route.openshift.io/termination",
	"traefik.ingress.kubernetes.io/router.tls",
}

test_certificate_from_elsewhere if {
	every annotation in elsewhere {
		every spec in [{}, {"rules": hosts(["a.example"]), "tls": [{"hosts": ["b.example"]}]}] {
			ingress_tls.warn == set() with input as json.patch(ingress(spec), [{
				"op": "add",
				"path": "/metadata/annotations",
				"value": {annotation: "yes"},
			}])
		}
	}
}

test_other_kinds if {
	every type in [["config.openshift.io/v1", "Ingress"], ["networking.k8s.io/v1", "IngressClass"]] {
		ingress_tls.warn == set() with input as object.union(ingress({}), {"apiVersion": type[0], "kind": type[1]})
	}
}
