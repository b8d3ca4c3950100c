package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// release is the published API of one Kubernetes version.
type release struct {
	Minor       string // "1.35"
	Patch       string // "1.35.4"
	Definitions map[string]map[string]any
	Kinds       map[string]kind // by "group/version/Kind" or "version/Kind"
}

// kind is a kind of object in one release.
type kind struct {
	Definition string // the name of its definition in the OpenAPI document
	OptIn      bool   // served only where it is switched on
}

// openAPI is a definition of the published document, as far as it says what
// the server accepts. It uses no other keyword that does.
type openAPI struct {
	Ref                  string              `json:"$ref"`
	Type                 string              `json:"type"`
	Format               string              `json:"format"`
	Required             []string            `json:"required"`
	Properties           map[string]*openAPI `json:"properties"`
	Items                *openAPI            `json:"items"`
	AdditionalProperties *openAPI            `json:"additionalProperties"`
	GVK                  []struct {
		Group   string `json:"group"`
		Version string `json:"version"`
		Kind    string `json:"kind"`
	} `json:"x-kubernetes-group-version-kind"`
}

// loadReleases reads the releases in the order of their versions.
func loadReleases(pins []pin) ([]release, error) {
	var releases []release
	for _, p := range pins {
		dir, err := fetch(p)
		if err != nil {
			return nil, err
		}
		r, err := loadRelease(dir, strings.TrimPrefix(p.Version, "v"))
		if err != nil {
			return nil, fmt.Errorf("kubernetes %s: %w", p.Version, err)
		}
		releases = append(releases, r)
	}
	return releases, nil
}

func loadRelease(dir, patch string) (release, error) {
	data, err := os.ReadFile(filepath.Join(dir, "api/openapi-spec/swagger.json"))
	if err != nil {
		return release{}, err
	}
	var doc struct {
		Definitions map[string]*openAPI `json:"definitions"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return release{}, err
	}
	betas, err := defaultBetas(dir)
	if err != nil {
		return release{}, err
	}
	r := release{
		Minor:       patch[:strings.LastIndexByte(patch, '.')],
		Patch:       patch,
		Definitions: map[string]map[string]any{},
		Kinds:       map[string]kind{},
	}
	for name, d := range doc.Definitions {
		r.Definitions[name] = definition(name, d)
		if gvk, ok := objectKind(name, d); ok {
			r.Kinds[gvk] = kind{Definition: name, OptIn: !isStable(d.GVK[0].Version) && !betas[strings.TrimSuffix(gvk, "List")]}
		}
	}
	return r, nil
}

// objectKind returns the group, version and kind of a definition that describes
// objects. The types of apimachinery (Status, DeleteOptions, WatchEvent) only
// travel in requests and responses.
func objectKind(name string, d *openAPI) (string, bool) {
	if len(d.GVK) != 1 || strings.HasPrefix(name, "io.k8s.apimachinery.") {
		return "", false
	}
	return apiVersion(d.GVK[0].Group, d.GVK[0].Version) + "/" + d.GVK[0].Kind, true
}

func apiVersion(group, version string) string {
	if group == "" {
		return version
	}
	return group + "/" + version
}

// isStable reports whether an API version is neither alpha nor beta. Of those,
// the server serves none by default but the few that defaultBetas finds
// (KEP-3136).
func isStable(version string) bool {
	return !strings.Contains(version, "alpha") && !strings.Contains(version, "beta")
}

// definition converts a definition to JSON Schema as the "standalone-strict"
// schemas of yannh/kubernetes-json-schema have it, with the same verdicts:
//
//   - no unknown fields where fields are listed;
//   - null is as good as leaving an optional field out, and a definition that is
//     referred to accepts null even where it is required;
//   - IntOrString is a string or an integer, Quantity a string or a number, and
//     neither accepts null (published as a oneOf whose branches both match null).
func definition(name string, d *openAPI) map[string]any {
	switch name {
	case "io.k8s.apimachinery.pkg.util.intstr.IntOrString":
		return map[string]any{"type": []string{"integer", "string"}}
	case "io.k8s.apimachinery.pkg.api.resource.Quantity":
		return map[string]any{"type": []string{"number", "string"}}
	}
	out := schema(d, false)
	if _, ok := objectKind(name, d); ok {
		properties := out["properties"].(map[string]any)
		identity(properties, "apiVersion", apiVersion(d.GVK[0].Group, d.GVK[0].Version))
		identity(properties, "kind", d.GVK[0].Kind)
	}
	return out
}

// identity limits a string field of an object to its one value.
func identity(properties map[string]any, field, value string) {
	if schema, ok := properties[field].(map[string]any); ok {
		schema["enum"] = []string{value}
	}
}

// schema converts one level and what lies below it.
func schema(d *openAPI, required bool) map[string]any {
	if d.Ref != "" {
		return map[string]any{"$ref": strings.TrimPrefix(d.Ref, "#/definitions/")}
	}
	out := map[string]any{}
	switch {
	case d.Type != "" && required:
		out["type"] = d.Type
	case d.Type != "":
		out["type"] = []string{d.Type, "null"}
	}
	if d.Format == "date-time" { // the only format published that a schema engine judges
		out["format"] = d.Format
	}
	if len(d.Required) > 0 {
		out["required"] = slices.SortedFunc(slices.Values(d.Required), cmp.Compare)
	}
	if d.Items != nil {
		out["items"] = schema(d.Items, false)
	}
	if d.AdditionalProperties != nil {
		out["additionalProperties"] = schema(d.AdditionalProperties, false)
	}
	if d.Properties != nil {
		properties := make(map[string]any, len(d.Properties))
		for name, p := range d.Properties {
			properties[name] = schema(p, slices.Contains(d.Required, name))
		}
		out["properties"] = properties
		if d.AdditionalProperties == nil {
			out["additionalProperties"] = false
		}
	}
	return out
}
