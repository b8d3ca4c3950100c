package render

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/sallyport/sallyport/source"
)

// fluxGroup is the API group of Flux's Kustomization, which begins every text
// that speaks of one.
const fluxGroup = "kustomize.toolkit.fluxcd.io/"

func isFluxKustomization(o *Object) bool {
	return o.Kind == "Kustomization" && strings.HasPrefix(o.APIVersion, fluxGroup)
}

// fluxOrder reads a Flux Kustomization.
func fluxOrder(c *claim) []order {
	spec := mappingIn(c.object.Value, "spec")
	o := order{claim: c, kind: Flux, at: "/spec/path", path: textIn(spec, "path")}
	reference := mappingIn(spec, "sourceRef")
	o.source.kind = textIn(reference, "kind")
	namespace := textIn(reference, "namespace")
	if namespace == "" {
		namespace = c.object.Namespace
	}
	o.source.namespace, o.source.name = namespace, textIn(reference, "name")
	o.write = fluxDelivery
	return []order{o}
}

// fluxDelivery writes what kustomize-controller adds to the kustomization of a
// path, as the Generator of github.com/fluxcd/pkg/kustomize does, and the common
// metadata that it sets afterwards. Variables are followed elsewhere.
func fluxDelivery(d *draft, o order, s *survey) string {
	spec := mappingIn(o.object.Value, "spec")
	for _, f := range [][2]string{{"targetNamespace", "namespace"}, {"namePrefix", "namePrefix"}, {"nameSuffix", "nameSuffix"}} {
		if text := textIn(spec, f[0]); text != "" && text != s.fieldOf(d.Dir, f[1]) {
			d.add(f[1], text, source.Pointer("spec", f[0]))
		}
	}
	for i, item := range listIn(spec, "patches") {
		d.append("patches", only(item, "patch", "target"), specItem("patches", i))
	}
	for i, item := range listIn(spec, "components") {
		d.component(item, specItem("components", i), spec["ignoreMissingComponents"] == true, s)
	}
	for i, item := range listIn(spec, "patchesStrategicMerge") {
		d.appendJSON("patchesStrategicMerge", "", item, specItem("patchesStrategicMerge", i))
	}
	for i, item := range listIn(spec, "patchesJson6902") {
		d.appendJSON("patchesJson6902", "target", item, specItem("patchesJson6902", i))
	}
	for i, item := range listIn(spec, "images") {
		d.append("images", only(item, "name", "newName", "newTag", "digest"), specItem("images", i))
	}
	common := mappingIn(spec, "commonMetadata")
	for _, field := range []string{"labels", "annotations"} {
		d.addMetadata(field, mappingIn(common, field), source.Pointer("spec", "commonMetadata", field))
	}
	return ""
}

// component adds one, unless it may be missing and is.
func (d *draft) component(item any, from string, mayMiss bool, s *survey) {
	text, _ := item.(string)
	if dir := path.Join(d.Dir, text); mayMiss && !s.tree.IsDir(dir) {
		d.Reads.Missing = append(d.Reads.Missing[:len(d.Reads.Missing):len(d.Reads.Missing)], dir)
		return
	}
	d.append("components", text, from)
}

// appendJSON adds a patch that the object holds as data, and kustomize takes as
// text. Beside is the field that stays beside it.
func (d *draft) appendJSON(field, beside string, item any, from string) {
	value, text := item, []byte(nil)
	entry, _ := item.(map[string]any)
	if beside != "" {
		value = entry["patch"]
	}
	text, _ = json.Marshal(value)
	if beside == "" {
		d.append(field, string(text), from)
		return
	}
	d.append(field, map[string]any{"patch": string(text), beside: entry[beside]}, from)
}

// addMetadata adds labels or annotations of every object.
func (d *draft) addMetadata(field string, values map[string]any, from string) {
	if len(values) == 0 {
		return
	}
	metadata, _ := d.rest["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		d.rest["metadata"] = metadata
	}
	metadata[field] = values
	d.place(source.Pointer("metadata", field), values, from)
}
