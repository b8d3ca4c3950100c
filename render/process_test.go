package render

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// sidecars is a deployment and a patch that adds a container. With the schema
// of Kubernetes the list is merged by name; a schema without merge keys
// replaces it.
func sidecars(openapi string) (kustomization, resource, patch, schema string) {
	resource = deployment + "  template:\n    spec:\n      containers:\n      - name: web\n        image: web:1\n"
	patch = strings.Replace(deployment, "  replicas: 1\n", "", 1) + "  template:\n    spec:\n      containers:\n      - name: sidecar\n        image: sidecar:1\n"
	schema = `{"definitions": {"io.k8s.api.apps.v1.Deployment": {"properties": {"spec": {"type": "object"}},
"x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}]}}}`
	return openapi + "resources: [d.yaml]\npatches: [{path: p.yaml}]\n", resource, patch, schema
}

func sidecarTree() memory {
	tree := memory{}
	for dir, openapi := range map[string]string{"plain": "", "custom": "openapi: {path: schema.json}\n", "version": "OpenAPI: {version: v1.21.2}\n"} {
		k, d, p, schema := sidecars(openapi)
		tree[dir+"/kustomization.yaml"], tree[dir+"/d.yaml"], tree[dir+"/p.yaml"] = k, d, p
		tree[dir+"/schema.json"] = schema
	}
	return tree
}

// kustomize keeps a custom schema for every later build of the process. A
// target must not be affected by the one before it.
func TestOpenAPIStaysInItsTarget(t *testing.T) {
	tree := sidecarTree()
	containers := func(dir string) int {
		r := built(t, tree, dir)
		if len(r.Objects) != 1 {
			t.Fatalf("%s: %q", dir, lines(r.Findings))
		}
		text, _ := r.YAML()
		return strings.Count(string(text), "image:")
	}
	if n := containers("custom"); n != 1 {
		t.Fatalf("the custom schema has no effect: %d containers", n)
	}
	for _, dir := range []string{"plain", "custom", "plain", "version", "plain"} {
		want := 2
		if dir == "custom" {
			want = 1
		}
		if n := containers(dir); dir != "version" && n != want {
			t.Errorf("%s: %d containers, want %d", dir, n, want)
		}
	}
}

// Many builds at once give what each gives alone. Run with -race.
func TestConcurrentBuilds(t *testing.T) {
	tree := sidecarTree()
	var targets []string
	for i := range 60 {
		dir := fmt.Sprintf("app%d", i)
		tree[dir+"/kustomization.yaml"] = "namePrefix: " + dir + "-\ncommonLabels: {app: web}\nbases: [../plain]\nconfigMapGenerator: [{name: c, literals: [a=b]}]\n"
		targets = append(targets, dir)
		if i%7 == 0 {
			targets = append(targets, "custom", "version")
		}
	}
	want := map[string]string{}
	for _, dir := range targets {
		want[dir] = built(t, tree, dir).Digest()
	}
	b := NewBuilder(tree, Options{})
	work := make(chan string)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for dir := range work {
				r, err := b.Build(t.Context(), Target{Path: dir, Kind: Kustomize})
				if err != nil || r.Digest() != want[dir] || r.Reason != "" {
					t.Errorf("%s: %v, %s, want %s", dir, err, r.Digest(), want[dir])
				}
			}
		})
	}
	for _, dir := range targets {
		work <- dir
	}
	close(work)
	wait.Wait()
}

// kustomize prints deprecation warnings to standard error by itself, and logs.
func TestNothingReachesStandardError(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	log.SetOutput(file)
	defer func() { os.Stderr = before; log.SetOutput(before) }()
	built(t, memory{
		"app/kustomization.yaml":  "bases: [../base]\ncommonLabels: {a: b}\nvars:\n- name: UNUSED\n  objref: {kind: ConfigMap, name: settings, apiVersion: v1}\n",
		"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": configMap,
	}, "app")
	if os.Stderr != file || log.Writer() != file {
		t.Error("standard error or the log is not as it was")
	}
	if text, _ := os.ReadFile(file.Name()); len(text) > 0 {
		t.Errorf("got %q", text)
	}
}

func TestCancelledBuild(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	if _, err := NewBuilder(memory{}, Options{}).Build(ctx, Target{Path: "app"}); err == nil || !strings.HasPrefix(err.Error(), "render app: ") {
		t.Errorf("got %v", err)
	}
}

// kustomize panics on some files, and ends the process on others. Neither takes
// the run down, nor the builds after it.
func TestPanicAndExit(t *testing.T) {
	tree := memory{
		"panic/kustomization.yaml": "resources: [a.yaml]\ncrds: [empty.yaml]\n", "panic/a.yaml": configMap, "panic/empty.yaml": "",
		"a/kustomization.yaml": "namePrefix: a-\nresources: [a.yaml]\n", "a/a.yaml": configMap,
		"b/kustomization.yaml": "namePrefix: b-\nresources: [a.yaml]\n", "b/a.yaml": configMap,
		// Two possible meanings of a name make kustomize print the object, which
		// it cannot, and call log.Fatal.
		"exit/kustomization.yaml": "namePrefix: z-\nresources: [../a, ../b, pod.yaml]\n",
		"exit/pod.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {x: \"\\x7f\"}}\nspec: {volumes: [{name: v, configMap: {name: settings}}]}\n",
	}
	before := log.Writer()
	for _, dir := range []string{"panic", "exit"} {
		r := built(t, tree, dir)
		if len(r.Findings) != 1 || r.Findings[0].Rule != ruleRenderError || !strings.Contains(r.Reason, "kustomize panicked") {
			t.Errorf("%s: %q", dir, lines(r.Findings))
		}
	}
	if r := built(t, tree, "a"); r.Reason != "" {
		t.Errorf("a build after a panic: %s", r.Reason)
	}
	if log.Writer() != before {
		t.Error("the log is not as it was")
	}
}

// A chain in which every layer takes in the next one twice doubles at each step.
func TestDoublingLayers(t *testing.T) {
	tree := memory{"leaf/kustomization.yaml": "resources: [a.yaml]\n", "leaf/a.yaml": configMap}
	next := "../leaf"
	for i := range 30 {
		tree[fmt.Sprintf("a%d/kustomization.yaml", i)] = "namePrefix: a-\nresources: [" + next + "]\n"
		tree[fmt.Sprintf("b%d/kustomization.yaml", i)] = "namePrefix: b-\nresources: [" + next + "]\n"
		tree[fmt.Sprintf("c%d/kustomization.yaml", i)] = fmt.Sprintf("resources: [../a%d, ../b%d]\n", i, i)
		next = fmt.Sprintf("../c%d", i)
	}
	r := built(t, tree, "c29")
	if !strings.Contains(r.Reason, "takes in more than 10000 kustomizations") || len(r.Findings) != 1 {
		t.Errorf("got %q", r.Reason)
	}
}
