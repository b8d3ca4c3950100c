package validate

import "github.com/sallyport/sallyport/finding"

// The rules of this package.
const (
	ruleInvalid    = "schema-invalid"
	ruleMissing    = "schema-missing"
	ruleDeprecated = "api-deprecated"
	ruleRemoved    = "api-removed"
	ruleDuplicate  = "object-duplicate"
	ruleReference  = "reference-missing"
	ruleUnused     = "secret-unused"
)

// Rules documents every rule of this package. The examples are whole
// repositories; that of schema-missing is a finding only with Options.Strict.
func Rules() []finding.Rule {
	return []finding.Rule{invalidRule(), missingRule(), deprecatedRule(), removedRule(), duplicateRule(), referenceRule(), unusedRule()}
}

func invalidRule() finding.Rule {
	deployment := func(spec string) finding.Example {
		return finding.Example{"deploy.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
` + spec + `  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:1.4.2
`}
	}
	return finding.Rule{
		Name:     ruleInvalid,
		Severity: finding.Error,
		Title:    "The object does not have the shape that the API server accepts",
		Doc: "A field is unknown, missing, of a wrong type or outside its limits. The API server refuses such an " +
			"object, or drops the unknown field silently. Built-in kinds are checked against the published API of " +
			"every Kubernetes version asked for. Custom kinds are checked against the CustomResourceDefinition in the " +
			"same render, else in the repository, else from a `--schema-location`, else against an embedded one; as the " +
			"cluster may have another version of that project, an embedded definition gives warnings only.",
		Fix:  "Change the field at the place that the finding names.",
		Bad:  deployment("  replica: 2\n"),
		Good: deployment("  replicas: 2\n"),
	}
}

func missingRule() finding.Rule {
	object := `apiVersion: example.com/v1
kind: Widget
metadata:
  name: gear
spec:
  teeth: 12
`
	definition := `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                teeth: {type: integer}
`
	return finding.Rule{
		Name:     ruleMissing,
		Severity: finding.Error,
		Title:    "No schema is known for the kind of the object",
		Doc: "The object's shape was not checked. Without `--strict` this is no finding: the object is listed as not " +
			"checked.",
		Fix:  "Add the CustomResourceDefinition to the repository, or name a `--schema-location` that has its schema.",
		Bad:  finding.Example{"widget.yaml": object},
		Good: finding.Example{"widget.yaml": object, "crds/widget.yaml": definition},
	}
}

func deprecatedRule() finding.Rule {
	class := func(apiVersion string) finding.Example {
		return finding.Example{"class.yaml": "apiVersion: " + apiVersion + `
kind: DeviceClass
metadata:
  name: gpu
spec:
  selectors:
    - cel:
        expression: device.driver == "gpu.example.com"
`}
	}
	return finding.Rule{
		Name:     ruleDeprecated,
		Severity: finding.Warning,
		Title:    "The API version is deprecated",
		Doc: "A Kubernetes version that was asked for still serves this API version and will stop to. For custom kinds " +
			"the CustomResourceDefinition says so.",
		Fix:  "Move to the replacement that the finding names while both are served.",
		Bad:  class("resource.k8s.io/v1beta1"),
		Good: class("resource.k8s.io/v1"),
	}
}

func removedRule() finding.Rule {
	budget := func(apiVersion string) finding.Example {
		return finding.Example{"budget.yaml": "apiVersion: " + apiVersion + `
kind: PodDisruptionBudget
metadata:
  name: shop
spec:
  minAvailable: 1
  selector:
    matchLabels: {app: shop}
`}
	}
	return finding.Rule{
		Name:     ruleRemoved,
		Severity: finding.Error,
		Title:    "The API version is gone",
		Doc: "A Kubernetes version that was asked for no longer serves this API version: it refuses the object. The " +
			"shape is then checked against the newest version that still knew it, where that is embedded.",
		Fix:  "Change apiVersion to the replacement that the finding names, and the fields that differ.",
		Bad:  budget("policy/v1beta1"),
		Good: budget("policy/v1"),
	}
}

func duplicateRule() finding.Rule {
	settings := func(name string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  greeting: hello\n"
	}
	return finding.Rule{
		Name:     ruleDuplicate,
		Severity: finding.Error,
		Title:    "A target holds the same object twice",
		Doc: "Two objects have the same group, kind, namespace and name. Applied one after the other the last one wins, " +
			"and which that is depends on the tool. kustomize refuses most of these; directories of plain manifests do not.",
		Fix:  "Remove one of the objects or give it another name.",
		Bad:  finding.Example{"a.yaml": settings("shop"), "b.yaml": settings("shop")},
		Good: finding.Example{"a.yaml": settings("shop"), "b.yaml": settings("shop-extra")},
	}
}
