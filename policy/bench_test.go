package policy

import (
	"testing"

	"github.com/sallyport/sallyport/policies"
)

const benchDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      serviceAccountName: web
      initContainers:
        - {name: migrate, image: "registry.example/web:1.4.2", args: [migrate]}
      containers:
        - name: web
          image: registry.example/web:1.4.2
          ports: [{containerPort: 8080}]
          env: [{name: MODE, value: fast}, {name: TOKEN, valueFrom: {secretKeyRef: {name: db, key: token}}}]
          resources: {requests: {cpu: 100m, memory: 128Mi}}
          readinessProbe: {httpGet: {path: /healthz, port: 8080}}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
        - name: proxy
          image: envoy:1.35
          resources: {requests: {cpu: 100m, memory: 128Mi}}
          readinessProbe: {tcpSocket: {port: 9000}}
      volumes: [{name: tmp, emptyDir: {}}]
`

func BenchmarkDeployment(b *testing.B) {
	object := decode(b, benchDeployment)
	for name, opts := range map[string]Options{
		"default": {Bundled: policies.FS},
		"all":     {Bundled: policies.FS, Enable: []string{"*"}},
	} {
		set := load(b, opts)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := set.evaluate(b.Context(), object); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkConfigMap(b *testing.B) {
	set := load(b, Options{Bundled: policies.FS})
	object := decode(b, "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {a: b}}")
	for b.Loop() {
		if _, err := set.evaluate(b.Context(), object); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b, Options{Bundled: policies.FS})
	}
}
