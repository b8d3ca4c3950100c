package validate

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

const differentialVersion = "1.35"

// kubeconformDir writes the embedded definitions of one version where
// kubeconform finds them, and returns a validator over them. Definitions refer
// to each other by name, so they lie beside the kinds.
func kubeconformOver(t *testing.T, minor string) validator.Validator {
	t.Helper()
	b, dir := bundled(t), t.TempDir()
	definitions, err := b.definitions()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range definitions {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for gvk := range b.kinds {
		if name, ok := b.kind(minor, gvk); ok {
			apiVersion, kind := splitGVK(gvk)
			group, version, grouped := strings.Cut(apiVersion, "/")
			if !grouped {
				version = group
			}
			file := strings.ToLower(kind) + "_" + group + "_" + version + ".json"
			if err := os.WriteFile(filepath.Join(dir, file), definitions[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	peer, err := validator.New([]string{dir + "/{{.ResourceKind}}_{{.Group}}_{{.ResourceAPIVersion}}.json"},
		validator.Opts{Strict: true, KubernetesVersion: minor + ".0"})
	if err != nil {
		t.Fatal(err)
	}
	return peer
}

// verdicts counts how often both agreed on valid and on invalid.
type verdicts struct{ valid, invalid, missing int }

// compare holds both verdicts about one object against each other.
func (v *verdicts) compare(t *testing.T, e *engine, peer validator.Validator, value map[string]any) {
	t.Helper()
	apiVersion, _ := value["apiVersion"].(string)
	kind, _ := value["kind"].(string)
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	theirs := peer.ValidateResource(resource.Resource{Bytes: data})
	s, err := e.builtin(differentialVersion, apiVersion+"/"+kind)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case s == nil:
		v.missing++
		if theirs.Status != validator.Error {
			t.Errorf("%s %s: no schema here, kubeconform says %v", apiVersion, kind, theirs.Status)
		}
	case len(s.check(value)) == 0:
		v.valid++
		if theirs.Status != validator.Valid {
			t.Errorf("%s %s: valid here, kubeconform says: %v", apiVersion, kind, theirs.Err)
		}
	default:
		v.invalid++
		if theirs.Status != validator.Invalid {
			t.Errorf("%s %s: invalid here (%q), kubeconform says %v %v", apiVersion, kind, say(s.check(value)), theirs.Status, theirs.Err)
		}
	}
}

// TestSameVerdictAsKubeconform compares all rendered objects of two corpora.
func TestSameVerdictAsKubeconform(t *testing.T) {
	if testing.Short() {
		t.Skip("judges whole repositories in one goroutine")
	}
	e, peer := newEngine(bundled(t)), kubeconformOver(t, differentialVersion)
	for _, name := range []string{"operate-first-apps", "gitops-catalog"} {
		var v verdicts
		for _, r := range renderCorpus(t, corpus(t, name)) {
			for _, o := range r.Objects {
				v.compare(t, e, peer, o.Value)
			}
		}
		t.Logf("%s: %d valid, %d invalid, %d without a built-in schema", name, v.valid, v.invalid, v.missing)
		if v.valid == 0 {
			t.Errorf("%s: nothing was compared", name)
		}
	}
}

// TestSameVerdictOnBrokenObjects compares objects that differ from a valid one
// in one place each.
func TestSameVerdictOnBrokenObjects(t *testing.T) {
	e, peer := newEngine(bundled(t)), kubeconformOver(t, differentialVersion)
	var v verdicts
	for _, text := range []string{
		deployment, deployment + "  replica: 1\n", strings.Replace(deployment, "replicas: 2", "replicas: two", 1),
		strings.Replace(deployment, "replicas: 2", "replicas: null", 1), strings.Replace(deployment, "replicas: 2", "replicas: 1.5", 1),
		strings.Replace(deployment, "replicas: 2", "replicas: 2.0", 1), strings.Replace(deployment, "replicas: 2", "replicas: '2'", 1),
		strings.Replace(deployment, "selector:", "selektor:", 1), strings.Replace(deployment, `"8080"`, "8080", 1),
		strings.Replace(deployment, "port: http", "port: [http]", 1), strings.Replace(deployment, "port: http", "port: null", 1),
		strings.Replace(deployment, "cpu: 1,", "cpu: [],", 1), strings.Replace(deployment, "cpu: 1,", "cpu: 1.5,", 1),
		strings.Replace(deployment, "cpu: 1,", "cpu: null,", 1), strings.Replace(deployment, "containers:", "container:", 1),
		strings.Replace(deployment, "labels: {app: shop}", "labels: {app: 1}", 1), strings.Replace(deployment, "name: shop,", "", 1),
		strings.Replace(deployment, "name: shop,", "name: 1,", 1), strings.Replace(deployment, "shop:1", "true", 1),
		"{apiVersion: v1, kind: Namespace, metadata: {name: a, creationTimestamp: null}}",
		"{apiVersion: v1, kind: Namespace, metadata: {name: a, creationTimestamp: soon}}",
		"{apiVersion: v1, kind: Namespace, metadata: {name: a, creationTimestamp: '2027-01-31T12:00:00Z'}}",
		"{apiVersion: v1, kind: Namespace, metadata: []}", "{apiVersion: v1, kind: Namespace, metadata: null}",
		"{apiVersion: v1, kind: Namespace, spec: {finalizers: x}}", "{apiVersion: v1, kind: ConfigMap, data: {a: 1}}",
		"{apiVersion: v1, kind: ConfigMap, data: {a: null}}", "{apiVersion: v1, kind: ConfigMap, data: x}",
		"{apiVersion: v1, kind: Secret, stringData: {a: true}}", "{apiVersion: v1, kind: Secret, stringData: {a: b}}",
		"{apiVersion: v1, kind: Service, spec: {ports: [{port: 80, targetPort: 1.5}]}}",
		"{apiVersion: v1, kind: Service, spec: {ports: [{port: 80, targetPort: web}]}}",
		"{apiVersion: v1, kind: Service, spec: {ports: [{targetPort: web}]}}",
		"{apiVersion: v1, kind: Unheard}", "{apiVersion: apps/v1beta1, kind: Deployment}",
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, rules: [{verbs: get}]}",
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, rules: [{verbs: [get]}]}",
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a}}",
		"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {}}",
	} {
		v.compare(t, e, peer, decode(t, text))
	}
	t.Logf("%d valid, %d invalid, %d without a schema", v.valid, v.invalid, v.missing)
	if v.valid < 8 || v.invalid < 20 || v.missing != 2 {
		t.Errorf("the table no longer holds what it should: %+v", v)
	}
}

// corpus unpacks an archive of a public repository; where there is none, the
// test is skipped.
func corpus(t testing.TB, name string) memory {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "corpora", name+".tar.gz")
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no archive of %s beside the repository", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	m := memory{}
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, name, ok := strings.Cut(header.Name, "/"); ok && header.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			m[name] = string(data)
		}
	}
}

// renderCorpus renders every target that renders, in order.
func renderCorpus(t testing.TB, tree memory) []*render.Rendered {
	t.Helper()
	frozen := freeze(tree)
	discovery, err := render.Discover(t.Context(), frozen, render.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	builder := render.NewBuilder(frozen, render.Options{})
	var out []*render.Rendered
	for _, target := range discovery.Targets {
		r, err := builder.Build(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestCorpora checks what real repositories give: nothing is lost, and no two
// runs differ.
func TestCorpora(t *testing.T) {
	if testing.Short() {
		t.Skip("judges whole repositories in one goroutine")
	}
	for _, name := range []string{"operate-first-apps", "gitops-catalog"} {
		tree := corpus(t, name)
		v, err := New(freeze(tree), Options{})
		if err != nil {
			t.Fatal(err)
		}
		objects, rules := 0, map[string]int{}
		var all Result
		for _, r := range renderCorpus(t, tree) {
			result, err := v.Check(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			objects += len(r.Objects)
			all.Checked += result.Checked
			all.NotChecked = append(all.NotChecked, result.NotChecked...)
			all.Findings = append(all.Findings, result.Findings...)
		}
		if all.Checked+len(all.NotChecked) != objects {
			t.Errorf("%s: %d objects, %d checked, %d not checked", name, objects, all.Checked, len(all.NotChecked))
		}
		for _, f := range finding.Merge(all.Findings) {
			rules[f.Rule]++
			if testing.Verbose() {
				t.Logf("%s %s %s: %s [%s]", f.Location, f.Severity, f.Rule, f.Message, f.Help)
			}
		}
		var reasons []string
		for _, n := range all.NotChecked {
			reasons = append(reasons, n.Reason)
		}
		slices.Sort(reasons)
		t.Logf("%s: %d objects, %d checked, %d not checked of %d kinds, findings %v", name, objects, all.Checked,
			len(all.NotChecked), len(slices.Compact(reasons)), rules)
	}
}

// BenchmarkCorpus reports the time for an object, first with nothing compiled
// and then with everything.
func BenchmarkCorpus(b *testing.B) {
	tree := corpus(b, "operate-first-apps")
	rendered, objects := renderCorpus(b, tree), 0
	for _, r := range rendered {
		objects += len(r.Objects)
	}
	run := func(b *testing.B, v *Validator) {
		for _, r := range rendered {
			if _, err := v.Check(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	}
	fresh := func(b *testing.B) *Validator {
		v, err := New(freeze(tree), Options{})
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
	perObject := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*objects), "µs/object")
	}
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			run(b, fresh(b))
		}
		perObject(b)
	})
	b.Run("warm", func(b *testing.B) {
		v := fresh(b)
		run(b, v)
		b.ReportAllocs()
		for b.Loop() {
			run(b, v)
		}
		perObject(b)
	})
}
