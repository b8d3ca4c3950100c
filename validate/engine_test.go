package validate

import (
	"slices"
	"sync"
	"testing"
)

func bundled(t testing.TB) *bundle {
	t.Helper()
	b, err := loadBundle()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryBuiltinCompiles compiles each kind of each embedded version.
func TestEveryBuiltinCompiles(t *testing.T) {
	b := bundled(t)
	e := newEngine(b)
	for _, minor := range b.versions() {
		for gvk := range b.kinds {
			if _, err := e.builtin(minor, gvk); err != nil {
				t.Errorf("%s: %v", minor, err)
			}
		}
	}
}

// TestBuiltinIsShared says that versions with the same definitions share a
// shape, and that workers who ask at once get the same one.
func TestBuiltinIsShared(t *testing.T) {
	e := newEngine(bundled(t))
	shapes := make([]*shape, 8)
	var group sync.WaitGroup
	for i := range shapes {
		group.Go(func() { shapes[i], _ = e.builtin("1.35", "v1/ConfigMap") })
	}
	group.Wait()
	older, err := e.builtin("1.34", "v1/ConfigMap")
	if err != nil || older == nil {
		t.Fatal(err)
	}
	if shapes = append(shapes, older); len(slices.Compact(shapes)) != 1 {
		t.Error("equal schemas were compiled more than once")
	}
}

// TestDeployment checks a kind that refers to dozens of definitions.
func TestDeployment(t *testing.T) {
	s, err := newEngine(bundled(t)).builtin("1.35", "apps/v1/Deployment")
	if err != nil {
		t.Fatal(err)
	}
	got := say(s.check(decode(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {tier: 3}}
spec:
  replica: 2
  selector: {matchLabels: {app: shop}}
  template:
    spec:
      containers:
      - name: shop
        image: shop
        ports: [{containerPort: "80"}]
        env: [{name: PORT, value: 8080}, {name: B, valeu: c}]
        livenessProbe: {httpGet: {path: /, port: [x]}}
        resources: {limits: {cpu: {}, memory: 1Gi}}
`)))
	want := []string{
		"/metadata/labels/tier: metadata.labels.tier must be a string or null, not a number (put the value in quotes, so that YAML reads it as a string)",
		`/spec/replica: unknown field "replica" in spec (did you mean replicas?)`,
		"/spec/template/spec/containers/0/env/0/value: spec.template.spec.containers[0].env[0].value must be a string or null, not a number (put the value in quotes, so that YAML reads it as a string)",
		`/spec/template/spec/containers/0/env/1/valeu: unknown field "valeu" in spec.template.spec.containers[0].env[1] (did you mean value?)`,
		"/spec/template/spec/containers/0/livenessProbe/httpGet/port: spec.template.spec.containers[0].livenessProbe.httpGet.port must be an integer or a string, not a list",
		"/spec/template/spec/containers/0/ports/0/containerPort: spec.template.spec.containers[0].ports[0].containerPort must be an integer, not a string (leave out the quotes)",
		"/spec/template/spec/containers/0/resources/limits/cpu: spec.template.spec.containers[0].resources.limits.cpu must be a number or a string, not a mapping",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: shop:1
        ports: [{containerPort: 80, name: http}]
        env: [{name: PORT, value: "8080"}]
        resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 100m, memory: 1Gi}}
        livenessProbe: {httpGet: {path: /, port: http}}
`

// BenchmarkCold is the first Deployment of a process: decompress the
// definitions, compile, check.
func BenchmarkCold(b *testing.B) {
	object := decode(b, deployment)
	for b.Loop() {
		s, err := newEngine(bundled(b)).builtin("1.35", "apps/v1/Deployment")
		if err != nil || s.check(object) != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWarm is every further Deployment.
func BenchmarkWarm(b *testing.B) {
	object := decode(b, deployment)
	s, err := newEngine(bundled(b)).builtin("1.35", "apps/v1/Deployment")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s.check(object) != nil {
			b.Fatal("invalid")
		}
	}
}

// BenchmarkInvalid is a Deployment with one error, explained.
func BenchmarkInvalid(b *testing.B) {
	object := decode(b, deployment+"  replica: 3\n")
	s, err := newEngine(bundled(b)).builtin("1.35", "apps/v1/Deployment")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if len(s.check(object)) != 1 {
			b.Fatal("want one problem")
		}
	}
}
