package secrets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
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
spec: {endpoints: [{basicAuth: {passwordSecretRef: {name: basic, key: p}}}]}
`

// Every field in which Kubernetes and the usual controllers name a Secret.
func TestConsumers(t *testing.T) {
	tree := memTree{"all.yaml": readers, "kustomization.yaml": "namespace: shop\nresources: [all.yaml]\n"}
	var got []string
	r := build(t, seal(t, tree))[0]
	for _, c := range Consumers(r) {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s/%s %s", c.By.Kind, c.Secret.Namespace, c.Secret.Name, c.Key)))
	}
	slices.Sort(got)
	want := []string{
		"Deployment shop/all", "Deployment shop/csi", "Deployment shop/items x", "Deployment shop/items y", "Deployment shop/mounted",
		"Deployment shop/one k", "Deployment shop/projected z", "Deployment shop/pull", "Gateway tls/cert", "HelmRelease shop/values v",
		"Ingress shop/tls", "Kustomization shop/age", "Kustomization shop/vars", "ServiceAccount shop/pull", "ServiceAccount shop/token",
		"ServiceMonitor shop/basic p",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Only readers that the base does not have, of Secrets that it has, are new.
func TestNewConsumers(t *testing.T) {
	secret := func(name string) Consumer {
		return Consumer{Target: "t", Secret: finding.Object{APIVersion: "v1", Kind: "Secret", Namespace: "n", Name: name}}
	}
	by := func(c Consumer, name, key string) Consumer {
		c.By, c.Key = finding.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "n", Name: name}, key
		return c
	}
	db := secret("db")
	other := by(db, "b", "")
	other.Target = "another"
	for _, test := range []struct {
		name       string
		base, head []Consumer
		want       int
	}{
		{"the same", []Consumer{db, by(db, "a", "")}, []Consumer{db, by(db, "a", "")}, 0},
		{"first reader", []Consumer{db}, []Consumer{db, by(db, "a", "")}, 1},
		{"second reader", []Consumer{db, by(db, "a", "")}, []Consumer{db, by(db, "a", ""), by(db, "b", "k")}, 1},
		{"in two fields", []Consumer{db}, []Consumer{db, by(db, "a", "k"), by(db, "a", "k")}, 1},
		{"new Secret", nil, []Consumer{db, by(db, "a", "")}, 0},
		{"another key", []Consumer{db, by(db, "a", "k")}, []Consumer{by(db, "a", "l")}, 1},
		{"all of it", []Consumer{db, by(db, "a", "k")}, []Consumer{by(db, "a", "")}, 1},
		{"one key of all", []Consumer{db, by(db, "a", "")}, []Consumer{by(db, "a", "k")}, 0},
		{"another target", []Consumer{db}, []Consumer{other}, 0},
		{"new hash suffix", []Consumer{secret("db-5h6c7ttk24"), by(secret("db-5h6c7ttk24"), "a", "")},
			[]Consumer{by(secret("db-9d7m8f2hbc"), "a", "")}, 0},
		{"new hash suffix and reader", []Consumer{secret("db-5h6c7ttk24")}, []Consumer{by(secret("db-9d7m8f2hbc"), "a", "")}, 1},
	} {
		if got := NewConsumers(test.base, test.head); len(got) != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
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
