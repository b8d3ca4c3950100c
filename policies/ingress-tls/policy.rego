# METADATA
# title: Ingress serves without TLS
# description: |
#   No `tls` entry covers the host, so the controller serves it in plaintext: passwords and
#   session cookies can be read and changed on the way. An entry without hosts covers them
#   all. Annotations by which well-known controllers take their certificate from elsewhere
#   count as TLS.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
# custom:
#   id: ingress-tls
#   help: list the host under spec.tls with the Secret of its certificate
package sallyport.ingress_tls

import data.sallyport.kubernetes

# certificates are annotations that say where the certificate comes from.
certificates := {
	"alb.ingress.kubernetes.io/certificate-arn",
	"ingress.gcp.kubernetes.io/pre-shared-cert",
	"ingress.kubernetes.io/ssl-passthrough",
	"networking.gke.io/managed-certificates",
	"nginx.ingress.kubernetes.io/ssl-passthrough",
	"route.openshift.io/termination",
	"traefik.ingress.kubernetes.io/router.tls",
}

warn contains {"msg": "Ingress has no TLS", "pointer": "/spec/tls"} if {
	plain
	count(object.get(input.spec, "tls", [])) == 0
}

warn contains {"msg": msg, "pointer": pointer} if {
	plain
	count(input.spec.tls) > 0
	some i, rule in input.spec.rules
	not covered(object.get(rule, "host", ""))
	pointer := sprintf("/spec/rules/%d", [i])
	msg := sprintf("No TLS entry covers %s", [object.get(rule, "host", "the rule without a host")])
}

plain if {
	kubernetes.group in {"extensions", "networking.k8s.io"}
	input.kind == "Ingress"
	certificates & object.keys(object.get(input.metadata, "annotations", {})) == set()
}

covered(_) if {
	some entry in input.spec.tls
	count(object.get(entry, "hosts", [])) == 0
}

covered(host) if {
	some entry in input.spec.tls
	some name in entry.hosts
	glob.match(name, ["."], host)
}
