package validate

import "slices"

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
