package validate

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const sampleCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Widget}
  versions:
  - name: v1
    served: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          metadata: {type: object, properties: {name: {type: string, maxLength: 5}}}
          status: {type: object, required: [phase], properties: {phase: {type: string}}}
          spec:
            type: object
            required: [size, mode]
            properties:
              size: {type: integer, minimum: 1}
              mode: {type: string, enum: [a, b], default: a}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              limit:
                x-kubernetes-int-or-string: true
                pattern: "^[0-9]+m?$"
                allOf: [{anyOf: [{type: integer}, {type: string}]}]
              colour: {type: string, enum: [red]}
              list: {type: array, items: {type: string}}
              sparse: {type: array, items: {type: string, nullable: true}}
              labels: {type: object, additionalProperties: {type: string}}
              empty: {type: object}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: object}}}
              inner: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
              either:
                type: object
                oneOf: [{required: [x]}, {required: [y]}]
                properties: {x: {type: string}, y: {type: string}}
  - name: v1beta1
    served: true
    deprecated: true
    deprecationWarning: use v1
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1alpha1
    served: false
    schema: {openAPIV3Schema: {type: object}}
`

func TestCRDVersions(t *testing.T) {
	versions := convert(t, sampleCRD)
	got := slices.Sorted(maps.Keys(versions))
	if want := []string{"example.com/v1/Widget", "example.com/v1beta1/Widget"}; !slices.Equal(got, want) {
		t.Fatalf("versions are %v, want %v", got, want)
	}
	if v := versions["example.com/v1beta1/Widget"]; !v.Deprecated || v.Warning != "use v1" {
		t.Errorf("v1beta1: deprecated is %v, warning is %q", v.Deprecated, v.Warning)
	}
	if versions["example.com/v1/Widget"].Deprecated {
		t.Error("v1 is deprecated")
	}
	if versions["example.com/v1/Widget"].Structural == nil || versions["example.com/v1beta1/Widget"].Structural != nil {
		t.Error("v1 alone has a default to fill in")
	}
}

// The verdicts are those of the API server with fieldValidation=Strict.
func TestCRDVerdicts(t *testing.T) {
	schema := compileSchema(t, convert(t, sampleCRD)["example.com/v1/Widget"].Schema)
	tests := []struct {
		name, fields string
		valid        bool
	}{
		{"least", "spec: {size: 1}", true}, // mode has a default
		{"required field missing", "spec: {mode: a}", false},
		{"required object missing", "{}", false},
		{"null for a required field", "spec: {size: null}", false},
		{"null for a required field with a default", "spec: {size: 1, mode: null}", true},
		{"null for an optional field", "spec: {size: 1, list: null, labels: null, port: null}", true},
		{"null for an optional enumeration", "spec: {size: 1, colour: null}", true},
		{"not in the enumeration", "spec: {size: 1, colour: blue}", false},
		{"below the minimum", "spec: {size: 0}", false},
		{"wrong type", "spec: {size: big}", false},
		{"unknown field", "spec: {size: 1, sise: 2}", false},
		{"unknown field at the top", "spek: {}\nspec: {size: 1}", false},
		{"unknown field in an object without fields", "spec: {size: 1, empty: {a: 1}}", false},
		{"port as a number", "spec: {size: 1, port: 80}", true},
		{"port as a string", "spec: {size: 1, port: http}", true},
		{"port as a boolean", "spec: {size: 1, port: true}", false},
		{"pattern of an int or string", "spec: {size: 1, limit: 5m}", true},
		{"pattern of an int or string broken", "spec: {size: 1, limit: 5x}", false},
		{"null in a list", "spec: {size: 1, list: [null]}", false},
		{"null in a list of nullable items", "spec: {size: 1, sparse: [null]}", true},
		{"null in a map", "spec: {size: 1, labels: {a: null}}", true},
		{"number in a map of strings", "spec: {size: 1, labels: {a: 1}}", false},
		{"preserved unknown field", "spec: {size: 1, free: {anything: [1]}}", true},
		{"unknown field below a preserving object", "spec: {size: 1, free: {known: {a: 1}}}", false},
		{"embedded object", "spec: {size: 1, inner: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}}", true},
		{"embedded object without kind", "spec: {size: 1, inner: {apiVersion: v1}}", false},
		{"embedded object with bad metadata", "spec: {size: 1, inner: {apiVersion: v1, kind: Pod, metadata: {nam: a}}}", false},
		{"one of two", "spec: {size: 1, either: {x: a}}", true},
		{"both of two", "spec: {size: 1, either: {x: a, y: b}}", false},
		{"ignored status", "spec: {size: 1}\nstatus: {}", true},
		{"metadata", "metadata: {name: a, labels: {b: c}, annotations: {}}\nspec: {size: 1}", true},
		{"metadata with a typo", "metadata: {name: a, labls: {b: c}}\nspec: {size: 1}", false},
		{"label that is a boolean", "metadata: {name: a, labels: {b: true}}\nspec: {size: 1}", false},
		{"name narrowed by the definition", "metadata: {name: abcdef}\nspec: {size: 1}", false},
		{"another kind", "kind: Gadget\nspec: {size: 1}", false},
	}
	for _, tt := range tests {
		object := map[string]any{"apiVersion": "example.com/v1", "kind": "Widget"}
		maps.Copy(object, decodeMap(t, tt.fields))
		if err := schema.Validate(object); (err == nil) != tt.valid {
			t.Errorf("%s: valid is %v, want %v: %v", tt.name, err == nil, tt.valid, err)
		}
	}
}

// v1beta1 has one schema for all versions, and keeps unknown fields by default.
func TestCRDv1beta1(t *testing.T) {
	const crd = `
apiVersion: apiextensions.k8s.io/v1beta1
spec:
  group: example.com
  version: v1
  names: {kind: Old}
  validation: {openAPIV3Schema: {properties: {spec: {type: object, properties: {a: {type: string}}}}}}
`
	for text, closed := range map[string]bool{crd: false, crd + "  preserveUnknownFields: false\n": true} {
		schema := compileSchema(t, convert(t, text)["example.com/v1/Old"].Schema)
		for fields, valid := range map[string]bool{
			"spec: {a: x}": true, "spec: {a: 1}": false, "spec: {b: x}": !closed, "metadata: {nam: a}": false,
		} {
			object := map[string]any{"apiVersion": "example.com/v1", "kind": "Old"}
			maps.Copy(object, decodeMap(t, fields))
			if err := schema.Validate(object); (err == nil) != valid {
				t.Errorf("closed %v, %s: valid is %v, want %v: %v", closed, fields, err == nil, valid, err)
			}
		}
	}
}

func TestCRDWithoutSchema(t *testing.T) {
	versions := convert(t, "spec: {group: example.com, names: {kind: Any}, versions: [{name: v1, served: true}]}")
	schema := compileSchema(t, versions["example.com/v1/Any"].Schema)
	object := map[string]any{"apiVersion": "example.com/v1", "kind": "Any", "anything": []any{"goes"}}
	if err := schema.Validate(object); err != nil {
		t.Error(err)
	}
}

func TestCRDErrors(t *testing.T) {
	tests := map[string]string{
		"{}":                                 "spec is missing",
		"spec: {names: {kind: A}}":           "spec.group or spec.names.kind",
		"spec: {group: example.com}":         "spec.group or spec.names.kind",
		"spec: {group: g, names: {kind: A}}": "spec.versions is missing",
		"spec: {group: g, names: {kind: A}, versions: [{served: true}]}": "spec.versions[0].name",
		"spec: {group: g, names: {kind: A}, versions: [text]}":           "spec.versions[0].name",
	}
	for text, want := range tests {
		if _, err := crdSchemas(decodeMap(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %s", text, err, want)
		}
	}
}

// A definition of a repository may hold anything: the conversion neither
// crashes on it nor changes it.
func TestCRDHostile(t *testing.T) {
	const crd = `
spec:
  group: example.com
  names: {kind: Odd}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: [object]
        required: {a: b}
        properties: {a: 1, b: [], c: {items: [], properties: 3, not: 5, anyOf: [1], enum: {}}, metadata: 7}
        additionalProperties: 4
`
	before := decodeMap(t, crd)
	convert(t, crd)
	if _, err := crdSchemas(before); err != nil {
		t.Fatal(err)
	}
	after, _ := yaml.Marshal(before)
	want, _ := yaml.Marshal(decodeMap(t, crd))
	if string(after) != string(want) {
		t.Errorf("the definition was changed to\n%s", after)
	}
}

func convert(t *testing.T, crd string) map[string]crdVersion {
	t.Helper()
	versions, err := crdSchemas(decodeMap(t, crd))
	if err != nil {
		t.Fatal(err)
	}
	return versions
}

func decodeMap(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}
