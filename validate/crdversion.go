package validate

import (
	"errors"
	"fmt"
	"strings"
)

// crdVersion is one served version of a custom resource definition.
//
// Schema is a JSON Schema (draft 4) for whole objects of that version, as
// strict as the API server is about unknown fields. Deprecated and Warning are
// what the definition says about the version; the warning is the text that the
// server would print, often empty.
//
// Structural is the schema as the definition has it, if it has defaults, else
// nil: they must be filled in before Schema judges an object, since conditions
// may look at them.
type crdVersion struct {
	Schema     map[string]any
	Structural map[string]any
	Deprecated bool
	Warning    string
}

// crdSchemas converts a decoded CustomResourceDefinition, of v1 or of the
// removed v1beta1, to one schema for each version that it serves. Keys have the
// form "group/version/Kind". A version without a schema accepts any fields
// beside the object's metadata, as it does in the server. The definition is not
// changed; only Structural is part of it.
func crdSchemas(crd map[string]any) (map[string]crdVersion, error) {
	spec, ok := crd["spec"].(map[string]any)
	if !ok {
		return nil, errors.New("spec is missing")
	}
	group, _ := spec["group"].(string)
	names, _ := spec["names"].(map[string]any)
	kind, _ := names["kind"].(string)
	if group == "" || kind == "" {
		return nil, errors.New("spec.group or spec.names.kind is missing")
	}
	versions, err := crdVersions(spec)
	if err != nil {
		return nil, err
	}
	prunes := crdPrunes(crd, spec)
	out := map[string]crdVersion{}
	for _, v := range versions {
		if served, ok := v["served"].(bool); ok && !served {
			continue
		}
		version, _ := v["name"].(string)
		apiVersion := group + "/" + version
		openAPI := crdOpenAPI(spec, v)
		c := newCRDVersion(openAPI, apiVersion, kind, prunes)
		if crdHasStatus(spec, v) {
			openStatus(c.Schema)
		}
		c.Deprecated, _ = v["deprecated"].(bool)
		c.Warning, _ = v["deprecationWarning"].(string)
		out[apiVersion+"/"+kind] = c
	}
	return out, nil
}

// newCRDVersion converts a structural schema, which may be nil.
func newCRDVersion(openAPI map[string]any, apiVersion, kind string, prunes bool) crdVersion {
	c := crdVersion{Schema: crdObject(openAPI, apiVersion, kind, prunes)}
	if hasDefault(openAPI) {
		c.Structural = openAPI
	}
	return c
}

// hasDefault reports whether a schema fills anything in.
func hasDefault(schema map[string]any) bool {
	if _, ok := schema["default"]; ok {
		return true
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if m, ok := schema[key].(map[string]any); ok && hasDefault(m) {
			return true
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, field := range properties {
		if m, ok := field.(map[string]any); ok && hasDefault(m) {
			return true
		}
	}
	return false
}

// crdVersions lists spec.versions. In v1beta1 a definition may name its only
// version in spec.version instead.
func crdVersions(spec map[string]any) ([]map[string]any, error) {
	list, _ := spec["versions"].([]any)
	if name, ok := spec["version"].(string); ok && len(list) == 0 {
		list = []any{map[string]any{"name": name}}
	}
	if len(list) == 0 {
		return nil, errors.New("spec.versions is missing")
	}
	versions := make([]map[string]any, 0, len(list))
	for i, item := range list {
		v, _ := item.(map[string]any)
		if name, _ := v["name"].(string); name == "" {
			return nil, fmt.Errorf("spec.versions[%d].name is missing", i)
		}
		versions = append(versions, v)
	}
	return versions, nil
}

// crdPrunes reports whether the server prunes unknown fields of these objects.
// v1 always does; in v1beta1 spec.preserveUnknownFields defaults to true.
func crdPrunes(crd, spec map[string]any) bool {
	preserve, set := spec["preserveUnknownFields"].(bool)
	if !set {
		preserve = crd["apiVersion"] == "apiextensions.k8s.io/v1beta1"
	}
	return !preserve
}

// crdOpenAPI is the schema of a version, or of all versions (v1beta1), or nil.
func crdOpenAPI(spec, version map[string]any) map[string]any {
	for _, holder := range []any{version["schema"], spec["validation"]} {
		if m, ok := holder.(map[string]any); ok {
			if schema, ok := m["openAPIV3Schema"].(map[string]any); ok {
				return schema
			}
		}
	}
	return nil
}

// crdHasStatus reports whether a version has the status subresource. Then the
// server ignores the status that an author writes.
func crdHasStatus(spec, version map[string]any) bool {
	for _, holder := range []map[string]any{version, spec} {
		if subresources, ok := holder["subresources"].(map[string]any); ok {
			if _, ok := subresources["status"]; ok {
				return true
			}
		}
	}
	return false
}

// openStatus lets an object carry any status.
func openStatus(schema map[string]any) {
	if properties, ok := schema["properties"].(map[string]any); ok && properties["status"] != nil {
		properties["status"] = map[string]any{"type": []any{"object", "null"}}
	}
}

// crdObject converts the schema of a whole object. The server adds apiVersion,
// kind and metadata to what the definition lists, and a definition may narrow
// only metadata.name and metadata.generateName.
func crdObject(openAPI map[string]any, apiVersion, kind string, prunes bool) map[string]any {
	if openAPI == nil {
		openAPI = map[string]any{preserveUnknownFields: true}
	}
	c := converter{prunes: prunes}
	schema := c.schema(openAPI)
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		properties = map[string]any{}
		schema["properties"] = properties
	}
	properties["apiVersion"] = map[string]any{"type": "string", "enum": []any{apiVersion}}
	properties["kind"] = map[string]any{"type": "string", "enum": []any{kind}}
	properties["metadata"] = c.metadata(openAPI)
	schema["type"] = "object"
	return schema
}

// metadata is the schema of ObjectMeta, narrowed by what the definition says
// about the name.
func (c converter) metadata(openAPI map[string]any) map[string]any {
	meta := objectMeta()
	properties, _ := openAPI["properties"].(map[string]any)
	given, _ := properties["metadata"].(map[string]any)
	narrowed, _ := given["properties"].(map[string]any)
	for _, field := range []string{"name", "generateName"} {
		if s, ok := narrowed[field].(map[string]any); ok {
			meta["properties"].(map[string]any)[field] = c.property(s, false)
		}
	}
	return meta
}

// splitGVK takes "group/version/Kind" or "version/Kind" apart.
func splitGVK(gvk string) (apiVersion, kind string) {
	i := strings.LastIndexByte(gvk, '/')
	return gvk[:max(i, 0)], gvk[i+1:]
}
