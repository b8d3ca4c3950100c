package validate

import (
	"maps"
	"reflect"
)

// withDefaults returns value as the API server sees it when it validates a
// custom resource: with the defaults of its structural schema filled in. An
// anyOf that looks at a defaulted field gives another verdict without them.
// Value itself is not changed; what needs no default is shared with the result.
// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting.
func withDefaults(schema map[string]any, value any) any {
	switch value := value.(type) {
	case map[string]any:
		return objectDefaults(schema, value)
	case []any:
		items, _ := schema["items"].(map[string]any)
		if items == nil {
			return value
		}
		out, changed := make([]any, len(value)), false
		for i, item := range value {
			out[i] = withDefaults(items, item)
			changed = changed || !same(item, out[i])
		}
		if changed {
			return out
		}
	}
	return value
}

// objectDefaults fills in one mapping and what lies below it. A null in a field
// that is not nullable counts as missing.
func objectDefaults(schema, value map[string]any) map[string]any {
	out := value
	set := func(key string, v any) {
		if same(out, value) {
			out = maps.Clone(value)
		}
		out[key] = v
	}
	properties, _ := schema["properties"].(map[string]any)
	for key, field := range properties {
		field, _ := field.(map[string]any)
		fallback, defaulted := field["default"]
		old, present := value[key]
		switch {
		case defaulted && (!present || (old == nil && !isTrue(field, "nullable"))):
			set(key, withDefaults(field, fallback))
		case present:
			if filled := withDefaults(field, old); !same(old, filled) {
				set(key, filled)
			}
		}
	}
	if extra, ok := schema["additionalProperties"].(map[string]any); ok {
		for key, old := range value {
			if filled := withDefaults(extra, old); properties[key] == nil && !same(old, filled) {
				set(key, filled)
			}
		}
	}
	return out
}

// same reports whether a and b are one mapping or list, not a copy. Scalars
// never change here.
func same(a, b any) bool {
	switch a.(type) {
	case map[string]any, []any:
		return reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer()
	}
	return true
}
