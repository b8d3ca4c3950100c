package validate

import (
	"errors"
	"fmt"
	"slices"
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

// The extensions of OpenAPI that change what the server accepts. Source:
// KEP-95 and k8s.io/apiextensions-apiserver/pkg/apiserver/schema.
const (
	preserveUnknownFields = "x-kubernetes-preserve-unknown-fields"
	intOrString           = "x-kubernetes-int-or-string"
	embeddedResource      = "x-kubernetes-embedded-resource"
)

// keptFormats are the formats that the server and the schema engine judge
// alike. Of the rest the server ignores some (int32) and reads others more
// loosely than JSON Schema does (uri, hostname).
var keptFormats = []string{"date-time", "date", "duration", "ipv4", "ipv6", "uuid"}

// converter turns a structural schema into a JSON Schema. prunes says whether
// unknown fields are dropped, hence refused here.
type converter struct{ prunes bool }

// schema converts one level of a structural schema and what lies below it.
func (c converter) schema(in map[string]any) map[string]any {
	out := values(in)
	if isTrue(in, intOrString) {
		if isIntOrString(out["anyOf"]) {
			delete(out, "anyOf")
		}
		dropIntOrString(out)
		out["type"] = []any{"integer", "string"}
	}
	required := c.properties(in, out)
	if items, ok := in["items"].(map[string]any); ok {
		out["items"] = c.nullable(c.schema(items), isTrue(items, "nullable"))
	}
	if isTrue(in, embeddedResource) {
		required = c.embed(out, required)
	}
	if len(required) > 0 {
		out["required"] = required
	} else {
		delete(out, "required") // draft 4 refuses an empty list
	}
	return out
}

// properties converts properties and additionalProperties, closes an object
// that the server prunes, and returns what an author must set: a required field
// with a default is filled in before the server validates.
func (c converter) properties(in, out map[string]any) []any {
	listed, _ := in["required"].([]any)
	given, _ := in["properties"].(map[string]any)
	var required []any
	for _, name := range listed {
		s, _ := name.(string)
		field, _ := given[s].(map[string]any)
		if _, defaulted := field["default"]; !defaulted {
			required = append(required, name)
		}
	}
	if given != nil {
		properties := make(map[string]any, len(given))
		for name, field := range given {
			if f, ok := field.(map[string]any); ok {
				properties[name] = c.property(f, slices.Contains(required, any(name)))
			}
		}
		out["properties"] = properties
	}
	switch extra := in["additionalProperties"].(type) {
	case map[string]any:
		out["additionalProperties"] = c.property(extra, false)
	case bool:
		out["additionalProperties"] = extra
	default:
		if c.prunes && in["type"] == "object" && !isTrue(in, preserveUnknownFields) {
			out["additionalProperties"] = false
		}
	}
	return required
}

// property converts the schema of a field. The server drops a null from a field
// that is not nullable, so a null is as good as leaving the field out.
func (c converter) property(in map[string]any, required bool) map[string]any {
	return c.nullable(c.schema(in), !required || isTrue(in, "nullable"))
}

// nullable lets a schema accept null. Conditions under allOf, anyOf, oneOf and
// not still apply to it, as they do in the server to a nullable field.
func (c converter) nullable(schema map[string]any, allow bool) map[string]any {
	if !allow {
		return schema
	}
	switch t := schema["type"].(type) {
	case string:
		schema["type"] = []any{t, "null"}
	case []any:
		schema["type"] = append(slices.Clone(t), "null")
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, nil) {
		schema["enum"] = append(slices.Clone(enum), nil)
	}
	return schema
}

// embed adds the fields that every embedded object has.
func (c converter) embed(out map[string]any, required []any) []any {
	properties, ok := out["properties"].(map[string]any)
	if !ok {
		properties = map[string]any{}
		out["properties"] = properties
	}
	properties["apiVersion"] = map[string]any{"type": "string"}
	properties["kind"] = map[string]any{"type": "string"}
	properties["metadata"] = objectMeta()
	for _, name := range []any{"apiVersion", "kind"} {
		if !slices.Contains(required, name) {
			required = append(required, name)
		}
	}
	return required
}

// values copies the keywords that judge a value at this level, with what lies
// under allOf, anyOf, oneOf and not. Structure (properties, items) under those
// only adds conditions: nothing is closed there.
func values(in map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range in {
		switch key {
		case "type", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
			"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required":
			out[key] = value
		case "format":
			if f, ok := value.(string); ok && slices.Contains(keptFormats, f) {
				out[key] = value
			}
		case "allOf", "anyOf", "oneOf":
			if list, ok := value.([]any); ok && len(list) > 0 {
				out[key] = conditions(list)
			}
		case "not":
			if m, ok := value.(map[string]any); ok {
				out[key] = condition(m)
			}
		}
	}
	return out
}

// conditions converts the members of allOf, anyOf or oneOf.
func conditions(list []any) []any {
	out := make([]any, 0, len(list))
	for _, item := range list {
		m, _ := item.(map[string]any)
		out = append(out, condition(m))
	}
	return out
}

// condition converts a schema below a logical keyword.
func condition(in map[string]any) map[string]any {
	out := values(in)
	if required, ok := out["required"].([]any); ok && len(required) == 0 {
		delete(out, "required")
	}
	if given, ok := in["properties"].(map[string]any); ok {
		properties := make(map[string]any, len(given))
		for name, field := range given {
			m, _ := field.(map[string]any)
			properties[name] = condition(m)
		}
		out["properties"] = properties
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if m, ok := in[key].(map[string]any); ok {
			out[key] = condition(m)
		}
	}
	return out
}

// dropIntOrString removes from allOf the "anyOf integer, string" that a
// definition may repeat there: the type says it already, and says it better.
func dropIntOrString(out map[string]any) {
	list, _ := out["allOf"].([]any)
	kept := slices.DeleteFunc(slices.Clone(list), func(item any) bool {
		m, _ := item.(map[string]any)
		return len(m) == 1 && isIntOrString(m["anyOf"])
	})
	if len(kept) == 0 {
		delete(out, "allOf")
	} else {
		out["allOf"] = kept
	}
}

// isIntOrString reports whether anyOf says "integer or string" and no more.
func isIntOrString(anyOf any) bool {
	list, _ := anyOf.([]any)
	var types []string
	for _, item := range list {
		m, _ := item.(map[string]any)
		t, ok := m["type"].(string)
		if !ok || len(m) != 1 {
			return false
		}
		types = append(types, t)
	}
	slices.Sort(types)
	return slices.Equal(types, []string{"integer", "string"})
}

// isTrue reports whether a boolean keyword is set to true.
func isTrue(schema map[string]any, keyword string) bool {
	b, _ := schema[keyword].(bool)
	return b
}

// splitGVK takes "group/version/Kind" or "version/Kind" apart.
func splitGVK(gvk string) (apiVersion, kind string) {
	i := strings.LastIndexByte(gvk, '/')
	return gvk[:max(i, 0)], gvk[i+1:]
}
