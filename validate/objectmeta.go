package validate

// objectMeta is the schema of a custom resource's metadata, strict as the
// server is: k8s.io/apimachinery's ObjectMeta, whose fields are frozen. Every
// call gives a new value, so a caller may narrow it.
func objectMeta() map[string]any {
	text := func() map[string]any { return map[string]any{"type": []any{"string", "null"}} }
	time := func() map[string]any {
		return map[string]any{"type": []any{"string", "null"}, "format": "date-time"}
	}
	integer := func() map[string]any { return map[string]any{"type": []any{"integer", "null"}} }
	texts := func() map[string]any {
		return map[string]any{"type": []any{"object", "null"}, "additionalProperties": text()}
	}
	list := func(items map[string]any) map[string]any {
		return map[string]any{"type": []any{"array", "null"}, "items": items}
	}
	return closed(map[string]any{
		"name":                       text(),
		"generateName":               text(),
		"namespace":                  text(),
		"labels":                     texts(),
		"annotations":                texts(),
		"finalizers":                 list(text()),
		"ownerReferences":            list(ownerReference()),
		"managedFields":              list(map[string]any{"type": []any{"object", "null"}}),
		"uid":                        text(),
		"selfLink":                   text(),
		"resourceVersion":            text(),
		"generation":                 integer(),
		"creationTimestamp":          time(),
		"deletionTimestamp":          time(),
		"deletionGracePeriodSeconds": integer(),
	})
}

// ownerReference is the schema of metadata.ownerReferences[].
func ownerReference() map[string]any {
	schema := closed(map[string]any{
		"apiVersion":         map[string]any{"type": "string"},
		"kind":               map[string]any{"type": "string"},
		"name":               map[string]any{"type": "string"},
		"uid":                map[string]any{"type": "string"},
		"controller":         map[string]any{"type": []any{"boolean", "null"}},
		"blockOwnerDeletion": map[string]any{"type": []any{"boolean", "null"}},
	})
	schema["required"] = []any{"apiVersion", "kind", "name", "uid"}
	return schema
}

// closed is an object, or null, with these properties and no others.
func closed(properties map[string]any) map[string]any {
	return map[string]any{
		"type":                 []any{"object", "null"},
		"properties":           properties,
		"additionalProperties": false,
	}
}
