package render

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/repo"
)

// annotated is a tree with one overlay more: over a target, with the origins of
// kustomize's own account.
type annotated struct {
	repo.Tree
	file, text string
}

const overlayDir = "zz-origin-of-a-target"

func annotate(tree repo.Tree, target string) annotated {
	return annotated{tree, overlayDir + "/kustomization.yaml", fmt.Sprintf("resources: [%q]\nbuildMetadata: [originAnnotations]\n", "../"+target)}
}

func (a annotated) Lookup(name string) (repo.Entry, bool) {
	if name == a.file {
		return repo.Entry{Path: name, Size: int64(len(a.text))}, true
	}
	return a.Tree.Lookup(name)
}

func (a annotated) IsDir(name string) bool { return name == overlayDir || a.Tree.IsDir(name) }

func (a annotated) ReadFile(name string) ([]byte, error) {
	switch {
	case name == a.file:
		return []byte(a.text), nil
	case strings.HasPrefix(name, overlayDir+"/"):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return a.Tree.ReadFile(name)
}

// kustomizeOrigin is the file that kustomize names as an object's origin: its
// manifest, or the kustomization that generates it.
func kustomizeOrigin(t *testing.T, o *Object) (file string, local bool) {
	t.Helper()
	metadata, _ := o.Value["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	text, _ := annotations["config.kubernetes.io/origin"].(string)
	var origin struct {
		Path, Repo   string
		ConfiguredIn string `yaml:"configuredIn"`
	}
	if err := yaml.Unmarshal([]byte(text), &origin); err != nil {
		t.Fatal(err)
	}
	if origin.Path == "" {
		origin.Path = origin.ConfiguredIn
	}
	return path.Clean(filepath.ToSlash(path.Join(overlayDir, origin.Path))), origin.Path != "" && origin.Repo == ""
}

// TestPlaceAgreesWithKustomize compares the place of every object of two real
// repositories with kustomize's originAnnotations.
func TestPlaceAgreesWithKustomize(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hundreds of targets, one after the other")
	}
	for _, name := range []string{"operate-first-apps", "onedr0p-home-ops", "gitops-catalog"} {
		t.Run(name, func(t *testing.T) {
			tree := openCorpus(t, name)
			objects, wrong := 0, 0
			for _, target := range discovered(t, tree, DiscoverOptions{}).Targets {
				if target.Kind != Kustomize {
					continue
				}
				r := built(t, annotate(tree, target.Path), overlayDir)
				for _, o := range r.Objects {
					want, local := kustomizeOrigin(t, o)
					if !local {
						t.Logf("%s: %s has no local origin", target.Path, o.Object)
						continue
					}
					objects++
					if place := r.Place(o, ""); place.Span.File != want {
						wrong++
						t.Logf("%s: %s: got %q %s, kustomize says %s", target.Path, o.Object, place.Span, place.Why, want)
					}
				}
			}
			t.Logf("%d of %d objects have another place", wrong, objects)
			if wrong > 0 {
				t.Errorf("%d of %d objects have another place", wrong, objects)
			}
		})
	}
}
