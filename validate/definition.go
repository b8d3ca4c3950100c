package validate

import (
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// Definition is what a CustomResourceDefinition offers: a kind of a group, in the
// versions that it serves, as "group/version", sorted. Location is where it stands
// in a file; zero for one of a render.
type Definition struct {
	Name, Group, Kind string
	Versions          []string
	Location          finding.Span
}

// DefinitionOf reads a rendered CustomResourceDefinition; false for any other
// object, and for one that names no kind.
func DefinitionOf(o *render.Object) (Definition, bool) {
	if o.Kind != crdKind {
		return Definition{}, false
	}
	c := newCRD(o.Value)
	if c == nil {
		return Definition{}, false
	}
	return c.definition(), true
}

// Definitions lists the CustomResourceDefinitions in the files of a tree, by
// path, whether something delivers them or not. A file that does not parse has
// none.
func Definitions(tree repo.Tree) []Definition {
	var out []Definition
	for _, file := range searchCRDs(tree, nil) {
		crds, err := file.parse()
		if err != nil {
			continue
		}
		for _, c := range crds {
			out = append(out, c.definition())
		}
	}
	return out
}

func (c *crd) definition() Definition {
	d := Definition{Name: c.name, Group: c.group, Kind: c.kind, Location: c.span}
	spec, _ := c.value["spec"].(map[string]any)
	versions, _ := crdVersions(spec)
	for _, v := range versions {
		if served, ok := v["served"].(bool); !ok || served {
			name, _ := v["name"].(string)
			d.Versions = append(d.Versions, c.group+"/"+name)
		}
	}
	slices.Sort(d.Versions)
	return d
}
