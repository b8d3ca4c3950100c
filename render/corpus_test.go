package render

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/peer"
)

// corpusCounts are what the real repositories hold. Leaves that fail do so in
// the kustomize binary too: dangling references, empty kustomizations, remote
// references and plugins.
var corpusCounts = []struct {
	name                                  string
	leaves, built, remote, plugin, broken int
	objects                               int // of the leaves that build
	directories                           int // of plain manifests
}{
	{name: "operate-first-apps", leaves: 239, built: 216, remote: 3, plugin: 4, broken: 16, objects: 2101, directories: 2},
	{name: "onedr0p-home-ops", leaves: 92, built: 92, objects: 432, directories: 1},
	{name: "onedr0p-home-ops-2022-08", leaves: 27, built: 21, remote: 6, objects: 90, directories: 3},
	{name: "gitops-catalog", leaves: 329, built: 318, remote: 11, objects: 1392, directories: 4},
	{name: "gatekeeper-library", leaves: 159, built: 159, objects: 207, directories: 14},
	{name: "microservices-demo", leaves: 5, built: 5, objects: 221},
	{name: "flux2-kustomize-helm-example", leaves: 6, built: 6, objects: 15, directories: 2},
	{name: "flux2-multi-tenancy", leaves: 6, built: 6, objects: 14, directories: 2},
	{name: "argocd-example-apps", leaves: 3, built: 2, broken: 1, objects: 33, directories: 3},
}

func TestCorpusCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hundreds of targets, one after the other")
	}
	for _, want := range corpusCounts {
		t.Run(want.name, func(t *testing.T) {
			got := want
			got.leaves, got.built, got.remote, got.plugin, got.broken, got.objects, got.directories = 0, 0, 0, 0, 0, 0, 0
			tree := openCorpus(t, want.name)
			b := NewBuilder(tree, Options{})
			for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
				switch target.Kind {
				case Directory:
					got.directories++
					continue
				case Flux, ArgoCD:
					continue // leaves are counted
				}
				r, err := b.Build(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				got.leaves++
				switch found := strings.Join(lines(r.Findings), "\n"); {
				case r.Reason == "":
					got.built++
					got.objects += len(r.Objects)
				case strings.Contains(found, ruleRemoteReference):
					got.remote++
				case strings.Contains(found, "the plugin "), strings.Contains(target.Path, "prod/moc/smaug"):
					got.plugin++ // one leaf has a plugin and a malformed kustomization
				default:
					got.broken++
				}
				for _, f := range r.Findings {
					if f.Location.Start.Line == 0 || f.Location.End.Line == 0 {
						t.Errorf("%s: %s: no line: %s", target.Path, f.Location, f.Message)
					}
				}
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// Every leaf gives the bytes that the kustomize binary gives, or fails as it
// does.
func TestBytesEqualKustomize(t *testing.T) {
	if testing.Short() {
		t.Skip("runs kustomize some hundred times")
	}
	for _, name := range []string{"operate-first-apps", "onedr0p-home-ops", "gitops-catalog"} {
		t.Run(name, func(t *testing.T) {
			kustomize := peer.Binary(t, "kustomize")
			tree := openCorpus(t, name)
			b := NewBuilder(tree, Options{})
			for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
				if target.Kind != Kustomize {
					continue
				}
				r, err := b.Build(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), kustomize, "build", filepath.Join(tree.Root(), target.Path))
				cmd.Env = []string{"HOME=" + t.TempDir(), "http_proxy=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1"} // neither git nor network
				want, err := cmd.Output()
				if (err == nil) != (r.Reason == "") {
					t.Errorf("%s: kustomize says %v, we say %q", target.Path, err, r.Reason)
					continue
				}
				got, _ := r.YAML()
				if err == nil && !bytes.Equal(got, want) {
					t.Errorf("%s: the bytes differ", target.Path)
				}
			}
		})
	}
}

func openCorpus(t *testing.T, name string) *repo.Snapshot {
	t.Helper()
	tree, err := repo.Open(t.Context(), peer.Corpus(t, name), repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
