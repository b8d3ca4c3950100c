package validate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"weak"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// references collects targets in the order given and returns the verdict.
func references(t testing.TB, opts ReferenceOptions, targets ...*render.Rendered) []finding.Finding {
	t.Helper()
	x, err := NewReferences(memory{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range targets {
		x.Collect(r)
	}
	return x.Findings()
}

// target is a rendered target without places.
func target(t testing.TB, path string, texts ...string) *render.Rendered {
	t.Helper()
	r := &render.Rendered{Target: render.Target{Path: path}}
	for _, text := range texts {
		r.Objects = append(r.Objects, object(decode(t, text)))
	}
	return r
}

func object(value map[string]any) *render.Object {
	o := &render.Object{Value: value}
	o.APIVersion, _ = value["apiVersion"].(string)
	o.Kind, _ = value["kind"].(string)
	o.Namespace, _ = at(value, []string{"metadata", "namespace"}).(string)
	o.Name, _ = at(value, []string{"metadata", "name"}).(string)
	return o
}

// TestReferencesDoNotDependOnOrder collects real fixtures and made-up targets in
// many orders, by one worker and by eight: the verdict has the same bytes.
func TestReferencesDoNotDependOnOrder(t *testing.T) {
	targets := fixtureTargets(t)
	for i := range 30 {
		var texts []string
		for j := range 4 {
			n := (i*7 + j*5) % 11
			texts = append(texts, fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: n%d, namespace: s%d}, stringData: {k%d: sopsTok0}}", n, n%3, j),
				fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: n%d%s}, data: {a%d: x}}", n, []string{"", ", namespace: s1"}[i%2], i),
				fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {name: p%d, namespace: s%d}, spec: {containers: [{env: ["+
					"{valueFrom: {secretKeyRef: {name: n%d, key: k%d}}}]}], imagePullSecrets: [{name: pull%d}]}}", j, i%3, (n+i)%13, i%5, i))
		}
		targets = append(targets, target(t, fmt.Sprintf("t%d", i), texts...))
	}
	want := ""
	for round := range 40 {
		rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
		x, err := NewReferences(memory{}, ReferenceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		collectWith(x, targets, 1+round%2*7)
		data, err := json.Marshal(x.Findings())
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(data)
			t.Logf("%d bytes of findings", len(data))
		}
		if string(data) != want {
			t.Fatalf("round %d:\n%s\nfirst:\n%s", round, data, want)
		}
	}
}

func collectWith(x *References, targets []*render.Rendered, workers int) {
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(targets); i += workers {
				x.Collect(targets[i])
			}
		})
	}
	wait.Wait()
}

// fixtureTargets renders the fixtures about references.
func fixtureTargets(t *testing.T) (out []*render.Rendered) {
	t.Helper()
	dirs, err := filepath.Glob("testdata/reference-*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, dir := range dirs {
		out = append(out, renderCorpus(t, load(t, dir))...)
	}
	return out
}

// TestExternal holds how patterns name what is made elsewhere.
func TestExternal(t *testing.T) {
	pod := target(t, "a", "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {imagePullSecrets: [{name: regcred}]}}")
	for pattern, silent := range map[string]bool{
		"Secret/shop/regcred": true, "Secret/*/regcred": true, "Secret/regcred": true, "Secret/shop/reg*": true, "*/shop/regcred": true,
		"Secret/mail/regcred": false, "ConfigMap/shop/regcred": false, "Secret/shop/reg": false,
	} {
		if found := references(t, ReferenceOptions{External: []string{pattern}}, pod); (len(found) == 0) != silent {
			t.Errorf("%s: %v", pattern, found)
		}
	}
	for _, pattern := range []string{"regcred", "Secret/a/b/c", "Secret//regcred", "Secret/[/a", ""} {
		if _, err := NewReferences(memory{}, ReferenceOptions{External: []string{pattern}}); err == nil || !strings.Contains(err.Error(), "external object") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// TestPartial judges a part of the targets by itself only, and says so.
func TestPartial(t *testing.T) {
	x, err := NewReferences(memory{}, ReferenceOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	x.Collect(target(t, "a", "{apiVersion: v1, kind: Secret, metadata: {name: shop-credentials}, stringData: {a: sopsTok0}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: unused}, stringData: {a: sopsTok0}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{env: [{valueFrom: {secretKeyRef: {name: shop-credentials, key: b}}}]}], "+
			"imagePullSecrets: [{name: shop-credentails}]}}"))
	found := x.Findings()
	if len(found) != 1 || !strings.Contains(found[0].Message, "has no key") {
		t.Errorf("findings: %v", found)
	}
	if missed := x.NotChecked(); len(missed) != 1 || !strings.Contains(missed[0].Reason, "shop-credentails") {
		t.Errorf("not checked: %v", missed)
	}
}

// TestPractice makes one finding of a way that never leads to anything in the
// repository, and many of one that sometimes does.
func TestPractice(t *testing.T) {
	ingress := func(n int) string {
		return fmt.Sprintf("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {tls: [{secretName: tls-%d}]}}", n)
	}
	var targets []*render.Rendered
	for n := range untroddenNames {
		targets = append(targets, target(t, fmt.Sprint(n), ingress(n)))
	}
	if found := references(t, ReferenceOptions{}, targets...); len(found) != 1 || len(found[0].Targets) != untroddenNames {
		t.Errorf("nothing leads anywhere: %v", found)
	}
	if found := references(t, ReferenceOptions{}, targets[1:]...); len(found) != untroddenNames-1 {
		t.Errorf("too few for a practice: %v", found)
	}
	made := "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {namespace: shop, name: a}, spec: {secretName: tls-99}}"
	for _, more := range [][]*render.Rendered{
		{target(t, "both", made, ingress(99))},
		{target(t, "made", made), target(t, "used", ingress(99))},
		{target(t, "used", ingress(99)), target(t, "made", made)},
	} {
		if found := references(t, ReferenceOptions{}, append(more, targets...)...); len(found) != untroddenNames {
			t.Errorf("one is made: %v", found)
		}
	}
}

// TestSlip holds what counts as a slip of the pen.
func TestSlip(t *testing.T) {
	for pair, slipped := range map[string]bool{
		"shop-credentials shop-credentails": true, "shop-credentials shop-credential": true, "shopdb shop-db": true, "shop.db shop-db": true,
		"frontend frontends": true, "backend bakcend": true, "shop-certificates shop-certifcate": true,
		"tls-a tls-b": false, "db-dev db-prd": false, "api-east api-west": false, "main-config mail-config": false, "cluster1 cluster2": false,
		"shop-db2 shop-db": false, "backend frontend": false, "shop-backend mail-bakcend": false, "a-b b-a": false,
	} {
		a, b, _ := strings.Cut(pair, " ")
		if slip(a, b) != slipped || slip(b, a) != slipped {
			t.Errorf("%s: %v", pair, !slipped)
		}
	}
}

// TestReferencesLetObjectsGo holds that collecting keeps no object alive, not
// even one that a finding is about.
func TestReferencesLetObjectsGo(t *testing.T) {
	x, err := NewReferences(memory{}, ReferenceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var kept []weak.Pointer[render.Object]
	func() {
		r := target(t, "a", "{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {a: sopsTok0}}",
			"{apiVersion: v1, kind: Secret, metadata: {name: unused}, stringData: {a: sopsTok0}}",
			"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{env: [{valueFrom: {secretKeyRef: {name: db, key: b}}}]}], imagePullSecrets: [{name: nowhere}]}}")
		x.Collect(r)
		for _, o := range r.Objects {
			kept = append(kept, weak.Make(o))
		}
	}()
	runtime.GC()
	for i, p := range kept {
		if p.Value() != nil {
			t.Errorf("object %d is kept alive", i)
		}
	}
	if found := x.Findings(); len(found) != 3 {
		t.Errorf("findings: %v", found)
	}
}
