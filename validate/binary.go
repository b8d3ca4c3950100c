package validate

import "github.com/sallyport/sallyport/render"

// binaryField is the field of a kind whose values the API server decodes from
// base64. Schemas say only that they are strings.
func binaryField(gvk string) string {
	switch gvk {
	case "v1/Secret":
		return "data"
	case "v1/ConfigMap":
		return "binaryData"
	}
	return ""
}

// binary reports values of a Secret or ConfigMap that are not base64.
func binary(o *render.Object) []problem {
	field := binaryField(gvkOf(o))
	values, _ := o.Value[field].(map[string]any)
	var all []problem
	for key, value := range values {
		if checkBase64(value) == nil {
			continue
		}
		path := []string{field, key}
		message, help := formatted("byte")
		all = append(all, problem{path: path, message: fieldPath(o.Value, path) + " " + message, help: help, keyword: "format:byte"})
	}
	return all
}
