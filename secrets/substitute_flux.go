package secrets

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// fluxGroup is the API group of Flux's Kustomization.
const fluxGroup = "kustomize.toolkit.fluxcd.io"

// A postBuild is a Flux Kustomization that substitutes variables.
type postBuild struct {
	object finding.Object
	path   string // of what it builds, relative to the root of its source; "." is the root
	inline map[string]bool
	from   []storeName // in order: a later one wins
}

// storeName names a Secret or a ConfigMap.
type storeName struct{ kind, namespace, name string }

func (n storeName) String() string {
	return finding.Object{Kind: n.kind, Namespace: n.namespace, Name: n.name}.String()
}

// A store is a Secret or a ConfigMap, as one target has it.
type store struct {
	storeName
	keys   map[string]string         // for each variable the value, if it may be a token; read only to find places
	places map[string][]finding.Span // of the values, by variable
}

// readPostBuild reads a Flux Kustomization; false where it takes no variables
// from a Secret.
func readPostBuild(o *render.Object) (postBuild, bool) {
	if o.Kind != "Kustomization" || !strings.HasPrefix(o.APIVersion, fluxGroup+"/") {
		return postBuild{}, false
	}
	spec, _ := o.Value["spec"].(map[string]any)
	post, _ := spec["postBuild"].(map[string]any)
	p := postBuild{object: o.Object, inline: map[string]bool{}}
	at, _ := spec["path"].(string)
	if p.path = strings.TrimPrefix(path.Clean("/"+at), "/"); p.path == "" {
		p.path = "."
	}
	inline, _ := post["substitute"].(map[string]any)
	for name := range inline {
		p.inline[name] = true
	}
	from, _ := post["substituteFrom"].([]any)
	for _, entry := range from {
		reference, _ := entry.(map[string]any)
		kind, _ := reference["kind"].(string)
		name, _ := reference["name"].(string)
		p.from = append(p.from, storeName{kind, o.Namespace, name})
	}
	return p, slices.ContainsFunc(p.from, func(n storeName) bool { return n.kind == "Secret" })
}

// readStore reads an object that is, or becomes, a Secret or a ConfigMap whose
// keys are known.
func readStore(o *render.Object) (store, bool) {
	s := store{storeName: storeName{o.Kind, o.Namespace, o.Name}, keys: map[string]string{}}
	group, _, _ := strings.Cut(o.APIVersion, "/")
	switch {
	case o.APIVersion == "v1" && o.Kind == "ConfigMap":
		s.add(o.Value, "data")
	case o.APIVersion == "v1" && o.Kind == "Secret":
		s.add(o.Value, "data")
		s.add(o.Value, "stringData")
	case group == "bitnami.com" && o.Kind == "SealedSecret":
		s.kind = "Secret"
		s.add(o.Value, "spec", "encryptedData")
		s.add(o.Value, "spec", "template", "data")
	case group == "external-secrets.io" && o.Kind == "ExternalSecret":
		s.kind = "Secret"
		s.external(o.Value)
	}
	return s, len(s.keys) > 0
}

// add takes in the keys of a mapping at a path.
func (s *store) add(value any, at ...string) {
	m := descend(value, at...)
	for key, v := range m {
		if !isVariable(key) {
			continue
		}
		s.keys[key] = ""
		if text, ok := v.(string); ok && s.kind == "Secret" && len(text) <= maxWrapped {
			s.keys[key] = text
		}
	}
}

// external reads an ExternalSecret: what it is told to fetch by key.
func (s *store) external(value map[string]any) {
	if name, ok := descend(value, "spec", "target")["name"].(string); ok {
		s.name = name
	}
	s.add(value, "spec", "target", "template", "data")
	data, _ := descend(value, "spec")["data"].([]any)
	for _, item := range data {
		m, _ := item.(map[string]any)
		if key, _ := m["secretKey"].(string); isVariable(key) {
			s.keys[key] = ""
		}
	}
}

// place finds where a Secret has its values: in the files whose tokens they are,
// or, of references such as op://…, which have no token, where the render says.
func (s *store) place(r *render.Rendered, o *render.Object, tokens map[string][]finding.Span) {
	if s.kind != "Secret" {
		return
	}
	s.places = map[string][]finding.Span{}
	for key, text := range s.keys {
		s.places[key] = append(s.places[key], tokens[text]...)
		if decoded, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", "")); err == nil {
			s.places[key] = append(s.places[key], tokens[string(decoded)]...)
		}
	}
	if o.Kind != "Secret" {
		return
	}
	for key := range descend(o.Value, "stringData") {
		if text := s.keys[key]; isVariable(key) && text != "" && !tokenPattern.MatchString(text) {
			s.places[key] = append(s.places[key], r.Place(o, source.Pointer("stringData", key)).Span)
		}
	}
}

func descend(value any, at ...string) map[string]any {
	m, _ := value.(map[string]any)
	for _, key := range at {
		m, _ = m[key].(map[string]any)
	}
	return m
}

// substitutes reports whether Flux looks for variables in an object.
func substitutes(o *render.Object) bool {
	const key, disabled = fluxGroup + "/substitute", "disabled"
	return descend(o.Value, "metadata", "annotations")[key] != disabled && descend(o.Value, "metadata", "labels")[key] != disabled
}
