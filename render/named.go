package render

import (
	"path"

	"github.com/sallyport/sallyport/repo"
)

// Named returns the kustomization in dir as a target, whether it is a leaf or
// not, so that a base or a component can be looked at by itself. It reports
// false where dir has no kustomization, or more than one.
func Named(tree repo.Tree, dir string) (Target, bool) {
	dir = path.Clean(dir)
	names, err := spellings(tree, dir)
	if err != nil || len(names) != 1 {
		return Target{}, false
	}
	return Target{Path: dir, Kind: Kustomize, File: path.Join(dir, path.Base(names[0])), Why: "asked for by name"}, true
}
