package gate

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// SchemaID is where the published JSON Schema of the configuration lives.
const SchemaID = "https://raw.githubusercontent.com/sallyport/sallyport/main/docs/sallyport.schema.json"

// ConfigSchema returns the JSON Schema (draft 2020-12) of `.sallyport.yaml`,
// made from the types that decode it.
func ConfigSchema() []byte {
	schema := schemaOf(reflect.TypeFor[Config](), "The configuration of sallyport.")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["$id"] = SchemaID
	schema["title"] = ConfigName
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // maps of strings, lists and maps always marshal
	}
	return append(out, '\n')
}

// schemaOf mirrors decoder.value: null is allowed wherever a value is.
func schemaOf(t reflect.Type, doc string) map[string]any {
	schema := map[string]any{}
	if doc != "" {
		schema["description"] = doc
	}
	switch t.Kind() {
	case reflect.Struct:
		properties, required := map[string]any{}, []string{}
		for _, f := range fieldsOf(t) {
			property := schemaOf(t.Field(f.index).Type, f.doc)
			if f.enum != nil {
				property["enum"] = f.enum
			}
			properties[f.name] = property
			if f.required {
				required = append(required, f.name)
			}
		}
		schema["type"], schema["properties"], schema["additionalProperties"] = []string{"object", "null"}, properties, false
		if len(required) > 0 {
			schema["type"], schema["required"] = "object", required
		}
	case reflect.Map:
		schema["type"], schema["additionalProperties"] = []string{"object", "null"}, schemaOf(t.Elem(), "")
	case reflect.Slice:
		schema["type"], schema["items"] = []string{"array", "null"}, schemaOf(t.Elem(), "")
	case reflect.Int:
		schema["type"], schema["minimum"] = "integer", 0
	case reflect.Int64: // time.Duration
		schema["type"], schema["pattern"] = "string", `^([0-9.]+(ms|s|m|h))+$`
	default:
		// A version such as 1.35 is a number to YAML.
		schema["type"] = []string{"string", "number"}
	}
	return schema
}

// ConfigDoc returns the reference of `.sallyport.yaml` as Markdown.
func ConfigDoc() string {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s` is read from the checked directory or the nearest one above it, within the repository. "+
		"Everything in it is optional; unknown keys are errors. Patterns are relative to its directory, `**` crosses directories.\n\n", ConfigName)
	b.WriteString("```yaml\n" + configExample + "```\n\n| key | meaning |\n| --- | --- |\n")
	configRows(&b, reflect.TypeFor[Config](), "")
	return b.String()
}

func configRows(b *strings.Builder, t reflect.Type, prefix string) {
	for _, f := range fieldsOf(t) {
		name, ft := prefix+f.name, t.Field(f.index).Type
		doc := f.doc
		if f.required {
			doc += " Required."
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", name, doc)
		switch ft.Kind() {
		case reflect.Struct:
			configRows(b, ft, name+".")
		case reflect.Map:
			if ft.Elem().Kind() == reflect.Struct {
				configRows(b, ft.Elem(), name+".NAME.")
			}
		case reflect.Slice:
			if ft.Elem().Kind() == reflect.Struct {
				configRows(b, ft.Elem(), name+"[].")
			}
		}
	}
}

const configExample = `apiVersion: sallyport.dev/v1
kind: Config
targets: {include: ["**"], exclude: ["docs/**"]}
kubernetesVersions: ["1.35"]
schemas: []
policies: [policies/]
bundled: {disable: [probes-missing]}
rules: {image-digest: {severity: warning}}
secrets:
  bind: [{files: "apps/prod/**", namespaces: [shop]}]
  recipients: {from: .sops.yaml}
waivers:
  - {rule: image-latest, object: Deployment/shop/legacy, reason: vendor image without tags, owner: "@team", expires: 2027-01-31}
`
