package validate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestBundleVersions(t *testing.T) {
	b := testBundle(t)
	if got := strings.Join(b.versions(), " "); got != "1.29 1.30 1.31 1.32 1.33 1.34 1.35 1.36 1.37" {
		t.Errorf("versions are %s", got)
	}
	for _, version := range b.versions() {
		if !strings.HasPrefix(b.patch(version), version+".") {
			t.Errorf("release of %s is %q", version, b.patch(version))
		}
	}
	if b.patch("1.28") != "" {
		t.Error("a version that is not embedded has a release")
	}
}

// What each version knows decides api-removed, so a few facts from the release
// notes must hold.
func TestBundleKinds(t *testing.T) {
	b := testBundle(t)
	tests := []struct {
		version, gvk string
		known, optIn bool
	}{
		{"1.29", "apps/v1/Deployment", true, false},
		{"1.37", "v1/Secret", true, false},
		{"1.37", "v1/secret", false, false},
		{"1.37", "apps/v1beta1/Deployment", false, false},
		{"1.29", "extensions/v1beta1/Ingress", false, false},
		{"1.29", "flowcontrol.apiserver.k8s.io/v1beta3/FlowSchema", true, false}, // a beta that was on by default
		{"1.31", "flowcontrol.apiserver.k8s.io/v1beta3/FlowSchema", true, false},
		{"1.32", "flowcontrol.apiserver.k8s.io/v1beta3/FlowSchema", false, false},
		{"1.29", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", false, false},
		{"1.30", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", true, false},
		{"1.30", "admissionregistration.k8s.io/v1beta1/ValidatingAdmissionPolicy", true, true},
		{"1.33", "resource.k8s.io/v1beta1/ResourceClaim", true, true},
		{"1.34", "resource.k8s.io/v1/ResourceClaim", true, false},
		{"1.36", "apiextensions.k8s.io/v1/CustomResourceDefinition", true, false},
		{"1.28", "v1/Secret", false, false}, // not embedded
		{"1.37", "v1/Status", false, false}, // no object
	}
	for _, tt := range tests {
		ref, known := b.kind(tt.version, tt.gvk)
		if known != tt.known || (ref != "") != known {
			t.Errorf("%s in %s: known is %v (%q), want %v", tt.gvk, tt.version, known, ref, tt.known)
		}
		if got := b.optIn(tt.version, tt.gvk); got != tt.optIn {
			t.Errorf("%s in %s: opt-in is %v, want %v", tt.gvk, tt.version, got, tt.optIn)
		}
	}
}

// Equal definitions share a name, so that a verdict can be shared.
func TestBundleSharesDefinitions(t *testing.T) {
	b := testBundle(t)
	first, _ := b.kind("1.29", "v1/ConfigMap")
	last, _ := b.kind("1.37", "v1/ConfigMap")
	if first != last {
		t.Errorf("ConfigMap is %s in 1.29 and %s in 1.37, though it did not change", first, last)
	}
	first, _ = b.kind("1.29", "v1/Pod")
	last, _ = b.kind("1.37", "v1/Pod")
	if first == last {
		t.Errorf("Pod is %s in 1.29 and in 1.37, though it changed", first)
	}
}

func TestBundleDefinitionsAreWhole(t *testing.T) {
	b := testBundle(t)
	seen := map[string]bool{}
	for gvk := range b.kinds {
		for _, version := range b.versions() {
			if ref, ok := b.kind(version, gvk); ok {
				visit(t, b, ref, seen)
			}
		}
	}
	if stored, _ := b.definitions(); len(seen) != len(stored) {
		t.Errorf("%d definitions are stored, %d are of use", len(stored), len(seen))
	}
}

// visit follows every reference of a definition.
func visit(t *testing.T, b *bundle, name string, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	schema, ok, err := b.definition(name)
	if err != nil || !ok {
		t.Fatalf("definition %s: found is %v, error is %v", name, ok, err)
	}
	var refs func(any)
	refs = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				visit(t, b, ref, seen)
			}
			for _, child := range v {
				refs(child)
			}
		case []any:
			for _, child := range v {
				refs(child)
			}
		}
	}
	refs(schema)
}

func TestBundleVerdicts(t *testing.T) {
	b := testBundle(t)
	pod := map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"app": "a"}},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "a"}}},
	}
	deployment := func(change func(spec map[string]any)) map[string]any {
		spec := map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"app": "a"}}, "template": pod}
		change(spec)
		return map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "a"}, "spec": spec,
		}
	}
	tests := map[string]struct {
		change func(spec map[string]any)
		valid  bool
	}{
		"complete":           {func(map[string]any) {}, true},
		"without selector":   {func(spec map[string]any) { delete(spec, "selector") }, false},
		"unknown field":      {func(spec map[string]any) { spec["replica"] = 1 }, false},
		"wrong type":         {func(spec map[string]any) { spec["replicas"] = "2" }, false},
		"null is absent":     {func(spec map[string]any) { spec["replicas"] = nil }, true},
		"integer or string":  {func(spec map[string]any) { spec["strategy"] = surge("25%") }, true},
		"integer or string2": {func(spec map[string]any) { spec["strategy"] = surge(1) }, true},
		"neither":            {func(spec map[string]any) { spec["strategy"] = surge(true) }, false},
	}
	for _, version := range b.versions() {
		ref, _ := b.kind(version, "apps/v1/Deployment")
		schema := compileDefinition(t, b, ref)
		for name, tt := range tests {
			if err := schema.Validate(deployment(tt.change)); (err == nil) != tt.valid {
				t.Errorf("%s, %s: valid is %v, want %v: %v", version, name, err == nil, tt.valid, err)
			}
		}
	}
}

func surge(value any) map[string]any {
	return map[string]any{"rollingUpdate": map[string]any{"maxSurge": value}}
}

// Every embedded schema must compile: a broken one would count as a missing one.
func TestBundleCRDsCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles every schema, one after the other")
	}
	b := testBundle(t)
	if len(b.crds) < 400 {
		t.Errorf("%d custom resources are embedded", len(b.crds))
	}
	for gvk := range b.crds {
		compileCRD(t, b, gvk)
	}
	if _, _, ok, err := b.crd("example.com/v1/Nothing"); ok || err != nil {
		t.Errorf("an unknown custom resource: found is %v, error is %v", ok, err)
	}
}

func TestBundleCRDVerdicts(t *testing.T) {
	b := testBundle(t)
	tests := []struct {
		gvk   string
		spec  map[string]any
		valid bool
	}{
		{"cert-manager.io/v1/Certificate", map[string]any{"secretName": "a", "issuerRef": map[string]any{"name": "b"}}, true},
		{"cert-manager.io/v1/Certificate", map[string]any{"issuerRef": map[string]any{"name": "b"}}, false},
		{"cert-manager.io/v1/Certificate", map[string]any{"secretName": "a", "issuerRef": map[string]any{"nam": "b"}}, false},
		{"kustomize.toolkit.fluxcd.io/v1/Kustomization", map[string]any{
			"interval": "10m", "prune": true, "sourceRef": map[string]any{"kind": "GitRepository", "name": "a"}}, true},
		{"kustomize.toolkit.fluxcd.io/v1/Kustomization", map[string]any{
			"interval": "10 minutes", "prune": true, "sourceRef": map[string]any{"kind": "GitRepository", "name": "a"}}, false},
		{"helm.toolkit.fluxcd.io/v2/HelmRelease", map[string]any{
			"interval": "10m", "chartRef": map[string]any{"kind": "OCIRepository", "name": "a"},
			"values": map[string]any{"anything": []any{1}}}, true},
	}
	for _, tt := range tests {
		apiVersion, kind := splitGVK(tt.gvk)
		object := map[string]any{
			"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "a"}, "spec": tt.spec,
		}
		if err := compileCRD(t, b, tt.gvk).Validate(object); (err == nil) != tt.valid {
			t.Errorf("%s %v: valid is %v, want %v: %v", tt.gvk, tt.spec, err == nil, tt.valid, err)
		}
	}
	c, source, _, _ := b.crd("helm.toolkit.fluxcd.io/v2beta1/HelmRelease")
	if !c.Deprecated || !strings.HasPrefix(source, "flux-helm-controller v0.") {
		t.Errorf("the dropped HelmRelease v2beta1: deprecated is %v, source is %s", c.Deprecated, source)
	}
}

func TestBundleLifecycle(t *testing.T) {
	b := testBundle(t)
	tests := map[string]lifecycle{
		"extensions/v1beta1/Ingress":                            {"1.1", "1.14", "1.22", "networking.k8s.io/v1/Ingress"},
		"extensions/v1beta1/IngressList":                        {"1.1", "1.14", "1.22", "networking.k8s.io/v1/IngressList"},
		"policy/v1beta1/PodSecurityPolicy":                      {"1.10", "1.21", "1.25", ""},
		"autoscaling/v2beta2/HorizontalPodAutoscaler":           {"1.12", "1.23", "1.26", "autoscaling/v2/HorizontalPodAutoscaler"},
		"flowcontrol.apiserver.k8s.io/v1beta2/FlowSchema":       {"1.23", "1.26", "1.29", "flowcontrol.apiserver.k8s.io/v1/FlowSchema"},
		"networking.k8s.io/v1beta1/IngressClass":                {"1.18", "1.19", "1.22", "networking.k8s.io/v1/IngressClass"},
		"apiextensions.k8s.io/v1beta1/CustomResourceDefinition": {"1.7", "1.16", "1.22", "apiextensions.k8s.io/v1/CustomResourceDefinition"},
		"batch/v2alpha1/CronJob":                                {"", "", "1.21", "batch/v1/CronJob"},
		"v1/Endpoints":                                          {"1.0", "1.33", "", "discovery.k8s.io/v1/EndpointSlice"},
		"apps/v1/Deployment":                                    {"1.9", "", "", ""},
	}
	for gvk, want := range tests {
		if got, ok := b.lifecycle(gvk); !ok || got != want {
			t.Errorf("%s: %+v (%v), want %+v", gvk, got, ok, want)
		}
	}
	if _, ok := b.lifecycle("example.com/v1/Nothing"); ok {
		t.Error("an unknown kind has a life cycle")
	}
}

// The tables are made from different sources and must not contradict each other.
func TestBundleLifecycleAgreesWithKinds(t *testing.T) {
	b := testBundle(t)
	for gvk := range b.kinds {
		l, _ := b.lifecycle(gvk)
		for _, version := range b.versions() {
			if _, known := b.kind(version, gvk); known && l.Removed != "" && minor(l.Removed) <= minor(version) {
				t.Errorf("%s was removed in %s, but %s has it", gvk, l.Removed, version)
			}
		}
	}
	newest := b.versions()[len(b.versions())-1]
	for gvk, l := range b.lifecycles {
		if _, known := b.kind(newest, l.Replacement); l.Replacement != "" && !known {
			t.Errorf("%s is to be replaced by %s, which %s lacks", gvk, l.Replacement, newest)
		}
	}
}

func minor(version string) (n int) {
	fmt.Sscanf(version, "1.%d", &n)
	return n
}

func BenchmarkLoadBundle(b *testing.B) {
	for b.Loop() {
		if _, err := loadBundle(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBundleDefinitions(b *testing.B) {
	for b.Loop() {
		if _, err := readFrame(kubernetesFrame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBundleCRD(b *testing.B) {
	for b.Loop() {
		bundle, err := loadBundle()
		if err != nil {
			b.Fatal(err)
		}
		if _, _, ok, err := bundle.crd("monitoring.coreos.com/v1/ServiceMonitor"); !ok {
			b.Fatal(err)
		}
	}
}

func testBundle(t *testing.T) *bundle {
	t.Helper()
	b, err := loadBundle()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bundleLoader resolves references between definitions.
type bundleLoader struct{ *bundle }

func (l bundleLoader) Load(url string) (any, error) {
	schema, ok, err := l.definition(strings.TrimPrefix(url, "bundle:///"))
	if err == nil && !ok {
		err = fmt.Errorf("no definition %s", url)
	}
	return schema, err
}

func compileDefinition(t *testing.T, b *bundle, ref string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	compiler.UseLoader(bundleLoader{b})
	schema, err := compiler.Compile("bundle:///" + ref)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func compileCRD(t *testing.T, b *bundle, gvk string) *jsonschema.Schema {
	t.Helper()
	c, _, ok, err := b.crd(gvk)
	if err != nil || !ok {
		t.Fatalf("%s: found is %v, error is %v", gvk, ok, err)
	}
	return compileSchema(t, c.Schema)
}

func compileSchema(t *testing.T, document any) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	if err := compiler.AddResource("crd:///schema", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("crd:///schema")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
