package render

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// kustomizeVersion is the release whose api module this program is built with.
const kustomizeVersion = "v5.8.2"

// sign sets the label that `buildMetadata: [managedByLabel]` asks for to what
// the kustomize binary writes. The library writes the version of the program
// that it is built into.
func (l *layer) sign(resources resmap.ResMap) error {
	if !l.wants(types.ManagedByLabelOption) {
		return nil
	}
	for _, res := range resources.Resources() {
		if err := res.PipeE(kyaml.SetLabel(konfig.ManagedbyLabelKey, "kustomize-"+kustomizeVersion)); err != nil {
			return fmt.Errorf("label %s: %w", res.CurId(), err)
		}
	}
	return nil
}

// wants reports whether the leaf's buildMetadata has an option; those of the
// layers below count for nothing.
func (l *layer) wants(option string) bool {
	list := deref(l.field("buildMetadata"))
	return list != nil && slices.ContainsFunc(list.Content, func(item *yaml.Node) bool { return deref(item).Value == option })
}
