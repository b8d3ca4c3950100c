package secrets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

const readers = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  template:
    spec:
      imagePullSecrets: [{name: pull}]
      containers:
      - name: app
        envFrom: [{secretRef: {name: all}}]
        env:
        - name: A
          valueFrom: {secretKeyRef: {name: one, key: k}}
      volumes:
      - {name: a, secret: {secretName: mounted}}
      - {name: b, secret: {secretName: items, items: [{key: x, path: x}, {key: y, path: y}]}}
      - {name: c, projected: {sources: [{secret: {name: projected, items: [{key: z, path: z}]}}]}}
      - {name: d, csi: {driver: d, nodePublishSecretRef: {name: csi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {tls: [{hosts: [a], secretName: tls}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
secrets: [{name: token}]
imagePullSecrets: [{name: pull}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: release}
spec:
  valuesFrom: [{kind: Secret, name: values, valuesKey: v}, {kind: ConfigMap, name: no}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux}
spec:
  postBuild: {substituteFrom: [{kind: Secret, name: vars}]}
  decryption: {provider: sops, secretRef: {name: age}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {listeners: [{tls: {certificateRefs: [{kind: Secret, name: cert, namespace: tls}]}}]}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: made}
spec: {secretName: made}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: sm}
spec:
  endpoints:
  - basicAuth: {username: {name: basic, key: u}, password: {name: basic, key: p}}
    authorization: {credentials: {name: bearer, key: t}}
    bearerTokenSecret: {name: old-bearer, key: t}
    tlsConfig: {ca: {configMap: {name: not-a-secret, key: ca}}, cert: {secret: {name: client, key: crt}}}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: p}
spec:
  secrets: [mounted-by-prometheus]
  additionalScrapeConfigs: {name: scrape, key: more}
  remoteWrite: [{url: https://a, oauth2: {clientId: {secret: {name: oauth, key: id}}, clientSecret: {name: oauth, key: secret}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: annotated
  annotations:
    nginx.ingress.kubernetes.io/auth-secret: users
    nginx.ingress.kubernetes.io/auth-secret-type: auth-map
    nginx.ingress.kubernetes.io/auth-tls-secret: elsewhere/ca
    ingress.kubernetes.io/auth-secret: traefik
    haproxy.org/server-crt: haproxy
    secret.reloader.stakater.com/reload: watched
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: contour}
spec: {virtualhost: {fqdn: a, tls: {secretName: tls-of-contour/cert, clientValidation: {caSecret: contour-ca}}}}
---
apiVersion: traefik.io/v1alpha1
kind: ServersTransport
metadata: {name: traefik}
spec: {certificatesSecrets: [transport]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: short}
spec: {listeners: [{tls: {certificateRefs: [{name: no-kind}]}}]}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: dns}
spec: {acme: {solvers: [{dns01: {cloudflare: {apiTokenSecretRef: {name: dns-token, key: t}}}}]}}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: ca}
spec: {ca: {secretName: root}}
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: store}
spec: {provider: {aws: {auth: {secretRef: {accessKeyIDSecretRef: {name: aws, key: id, namespace: stores}}}}}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg}
spec: {backup: {barmanObjectStore: {s3Credentials: {accessKeyId: {name: s3, key: id}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: chart}
spec: {values: {auth: {existingSecret: of-the-chart}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {secretName: no-reader}
`

// Every field in which Kubernetes and the usual controllers name a Secret.
func TestConsumers(t *testing.T) {
	tree := memTree{"all.yaml": readers, "kustomization.yaml": "namespace: shop\nresources: [all.yaml]\n"}
	var got []string
	r := build(t, seal(t, tree))[0]
	for _, c := range AccessOf(r).Consumers {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s/%s %s", c.By.Kind, c.Secret.Namespace, c.Secret.Name, c.Key)))
	}
	slices.Sort(got)
	want := []string{
		"Cluster shop/s3 id", "ClusterIssuer cert-manager/root", "ClusterSecretStore stores/aws id",
		"Deployment shop/all", "Deployment shop/csi", "Deployment shop/items x", "Deployment shop/items y", "Deployment shop/mounted",
		"Deployment shop/one k", "Deployment shop/projected z", "Deployment shop/pull", "Gateway shop/no-kind", "Gateway tls/cert",
		"HTTPProxy shop/contour-ca", "HTTPProxy tls-of-contour/cert", "HelmRelease shop/of-the-chart", "HelmRelease shop/values v",
		"Ingress elsewhere/ca", "Ingress shop/haproxy", "Ingress shop/tls", "Ingress shop/traefik", "Ingress shop/users", "Issuer shop/dns-token t", "Kustomization shop/age", "Kustomization shop/vars", "Prometheus shop/mounted-by-prometheus",
		"Prometheus shop/oauth id", "Prometheus shop/oauth secret", "Prometheus shop/scrape more", "ServersTransport shop/transport",
		"ServiceAccount shop/pull", "ServiceAccount shop/token", "ServiceMonitor shop/basic p", "ServiceMonitor shop/basic u",
		"ServiceMonitor shop/bearer t", "ServiceMonitor shop/client crt", "ServiceMonitor shop/old-bearer t",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Only readers that the base does not have, of Secrets that it has, are new.
func TestReaders(t *testing.T) {
	for _, test := range []struct {
		name, base, head string
		want             string
	}{
		{"the same", "t: db; a reads db", "t: db; a reads db", ""},
		{"first reader", "t: db", "t: db; a reads db", "t a"},
		{"second reader", "t: db; a reads db", "t: db; a reads db; b reads db/k", "t b"},
		{"in two fields", "t: db", "t: db; a reads db/k; a reads db/k", "t a"},
		{"new Secret", "t:", "t: db; a reads db", ""},
		{"another key", "t: db; a reads db/k", "t: db; a reads db/l", "t a"},
		{"all of it", "t: db; a reads db/k", "t: db; a reads db", "t a"},
		{"one key of all", "t: db; a reads db", "t: db; a reads db/k", ""},
		{"new hash suffix", "t: db-5h6c7ttk24; a reads db-5h6c7ttk24", "t: db-9d7m8f2hbc; a reads db-9d7m8f2hbc", ""},
		{"new hash suffix and reader", "t: db-5h6c7ttk24", "t: db-9d7m8f2hbc; a reads db-9d7m8f2hbc", "t a"},
		{"new target", "t: db", "t: db\nu: a reads db", "u a"},
		{"known target, Secret of another", "t: db\nu:", "t: db\nu: a reads db", "u a"},
		{"moved to a new target", "t: db; a reads db", "u: db; a reads db", ""},
		{"new target with the Secret", "t: db", "t: db\nu: db; a reads db", ""},
		{"new target in another namespace", "t: db", "t: db\nu: a reads elsewhere/db", ""},
		{"namespace not known", "t: db", "t: db\nu: a reads /db", ""},
		{"Secret of the change", "t:", "t: db\nu: a reads db", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(compareReaders(t, Expectations{}, test.base, test.head), ", "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The environments of the configuration say which targets are of one cluster.
func TestReadersOfEnvironments(t *testing.T) {
	of := func(targets ...string) Expectations {
		var e Expectations
		for _, target := range targets {
			e.Environments = append(e.Environments, Environment{Name: target, Targets: strings.Split(target, "+")})
		}
		return e
	}
	for _, test := range []struct {
		name       string
		e          Expectations
		base, head string
		want       string
	}{
		{"another cluster", of("t", "u"), "t: db", "t: db\nu: a reads db", ""},
		{"one cluster, and the Secret defined again", of("t+u"), "t: db", "t: db\nu: db; a reads db", "u a"},
		{"another cluster, and the Secret defined again", of("t", "u"), "t: db", "t: db\nu: db; a reads db", ""},
		{"not declared", of("v"), "t: db", "t: db\nu: a reads db", "u a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(compareReaders(t, test.e, test.base, test.head), ", "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// compareReaders compares two states, each with a target in a line: its Secrets, and
// which objects read which. The findings are "target object".
func compareReaders(t *testing.T, e Expectations, base, head string) []string {
	t.Helper()
	before, x := map[string]*Access{}, (&Sealed{}).NewReaders(e)
	for _, r := range statesOf(base) {
		before[r.Target.Path] = AccessOf(r)
	}
	for _, r := range statesOf(head) {
		x.Collect(r, before[r.Target.Path])
		delete(before, r.Target.Path)
	}
	for _, a := range before {
		x.Before(a)
	}
	var out []string
	for _, f := range x.Findings() {
		out = append(out, f.Targets[0]+" "+f.Object.Name)
	}
	slices.Sort(out)
	return out
}

func statesOf(text string) []*render.Rendered {
	var out []*render.Rendered
	for line := range strings.Lines(text) {
		target, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		r := &render.Rendered{Target: render.Target{Path: target}}
		objects := map[string]*render.Object{}
		for what := range strings.SplitSeq(rest, ";") {
			name, reads, isReader := strings.Cut(strings.TrimSpace(what), " reads ")
			if name == "" {
				continue
			}
			o := objects[name]
			if o == nil {
				o = stateObject(name, isReader)
				objects[name], r.Objects = o, append(r.Objects, o)
			}
			if isReader {
				makeReader(o, reads)
			}
		}
		out = append(out, r)
	}
	return out
}

func stateObject(name string, isReader bool) *render.Object {
	kind, version := "Secret", "v1"
	if isReader {
		kind, version = "Reader", "shop.example/v1"
	}
	return &render.Object{
		Object: finding.Object{APIVersion: version, Kind: kind, Namespace: "n", Name: name}, Value: map[string]any{},
	}
}

// makeReader makes an object read "[namespace/]secret[/key]": a namespace of nothing is one that is not known.
func makeReader(o *render.Object, what string) {
	ref := map[string]any{}
	switch parts := strings.Split(what, "/"); {
	case strings.HasPrefix(what, "elsewhere/"):
		ref["name"], ref["namespace"] = parts[1], "elsewhere"
	case parts[0] == "":
		ref["name"], o.Namespace = parts[1], ""
	case len(parts) == 2:
		ref["name"], ref["key"] = parts[0], parts[1]
	default:
		ref["name"] = what
	}
	list, _ := o.Value["refs"].([]any)
	o.Value["refs"] = append(list, map[string]any{"secretRef": ref})
}

// The finding is where the Secret is named.
func TestCheckConsumers(t *testing.T) {
	tree := memTree(consumerRule().Bad)
	found := judge(t, tree)
	if len(found) != 1 || found[0].Location.String() != "pod.yaml:10:15" || found[0].Severity != finding.Warning ||
		found[0].Message != "Pod shop/app is a new reader of all of Secret shop/db" {
		t.Errorf("got %v", found)
	}
}
