package policy

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/policies"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// build renders a directory of files.
func build(t *testing.T, files map[string]string) *render.Rendered {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, err := repo.Open(t.Context(), root, repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := render.Discover(t.Context(), snapshot, render.DiscoverOptions{})
	if err != nil || len(found.Targets) != 1 {
		t.Fatalf("%v, targets %v", err, found)
	}
	rendered, err := render.NewBuilder(snapshot, render.Options{}).Build(t.Context(), found.Targets[0])
	if err != nil || rendered.Reason != "" {
		t.Fatalf("%v %s", err, rendered.Reason)
	}
	return rendered
}

func TestCheck(t *testing.T) {
	rendered := build(t, map[string]string{
		"kustomization.yaml": "resources: [pod.yaml]\nimages: [{name: nginx, newTag: latest}]\n",
		"pod.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: web
      image: nginx
      resources: {requests: {cpu: 1, memory: 1Gi}}
      securityContext:
        privileged: true
`,
	})
	found, err := load(t, Options{Bundled: policies.FS}).Check(t.Context(), rendered)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 {
		t.Fatalf("findings: %+v", found)
	}
	image, privileged := found[0], found[1]
	if image.Rule != "image-latest" || image.Severity != finding.Warning || image.Location.File != "kustomization.yaml" ||
		image.Object.String() != "Pod shop/web" || image.Pointer != "/spec/containers/0/image" || image.Help == "" {
		t.Errorf("image: %+v", image)
	}
	if privileged.Rule != "privileged" || privileged.Severity != finding.Error || privileged.Location.String() != "pod.yaml:12:21" {
		t.Errorf("privileged: %+v", privileged)
	}
}

func TestCheckNamesTheObject(t *testing.T) {
	rendered := build(t, map[string]string{
		"service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n",
	})
	_, err := load(t, file("package main\n\ndeny := input.kind\n")).Check(t.Context(), rendered)
	if config := (*ConfigError)(nil); !errors.As(err, &config) || err.Error() != "policy/p.rego:3:1: deny must be a set of messages (on Service shop/web)" {
		t.Errorf("got %v", err)
	}
}
