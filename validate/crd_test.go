package validate

import (
	"reflect"
	"strings"
	"testing"
)

// TestDefaultsComeFirst says that a condition sees the defaults, as in the
// server, and that the object stays as it is.
func TestDefaultsComeFirst(t *testing.T) {
	c := newCRD(decode(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: routes.example.com}
spec:
  group: example.com
  names: {kind: Route, plural: routes}
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
              wildcard: {type: string, default: None}
              rules: {type: array, items: {type: object, properties: {weight: {type: integer, default: 1}}}}
            anyOf: [{not: {properties: {wildcard: {enum: [Subdomain]}}}}]
`))
	s, err := c.shape("example.com/v1/Route")
	if err != nil {
		t.Fatal(err)
	}
	const text = "{apiVersion: example.com/v1, kind: Route, metadata: {name: a}, spec: {rules: [{}, {weight: 2}], wildcard: null}}"
	for _, wildcard := range []string{"wildcard: null", "wildcard: None", ""} {
		if got := say(s.check(decode(t, strings.Replace(text, "wildcard: null", wildcard, 1)))); len(got) > 0 {
			t.Errorf("%q is refused: %q", wildcard, got)
		}
	}
	object := decode(t, text)
	if !reflect.DeepEqual(object, decode(t, text)) {
		t.Errorf("the object was changed: %v", object)
	}
	filled := withDefaults(s.defaults, object).(map[string]any)
	if want := decode(t, "{wildcard: None, rules: [{weight: 1}, {weight: 2}]}"); !reflect.DeepEqual(filled["spec"], any(want)) {
		t.Errorf("filled in: %v", filled["spec"])
	}
	if got := say(s.check(decode(t, strings.Replace(text, "wildcard: null", "wildcard: Subdomain", 1)))); len(got) != 1 {
		t.Errorf("a forbidden value: %q", got)
	}
}

const widgetCRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {FIELD: {type: integer}}}}}}}
`

func widgetCRDWith(field string) string { return strings.Replace(widgetCRD, "FIELD", field, 1) }

const widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: gear}\nspec: {teeth: 12}\n"

// TestSeveralDefinitions says which of several definitions in a repository
// speaks: any may accept an object, else the nearest explains.
func TestSeveralDefinitions(t *testing.T) {
	near, far := widgetCRDWith("spokes"), widgetCRDWith("teeth")
	tree := memory{
		"clusters/a/app/widget.yaml": widget, "clusters/a/crds/widget.yaml": near, "clusters/b/crds/widget.yaml": far,
	}
	if result := check(t, tree, Options{}); len(result.Findings) > 0 {
		t.Errorf("one definition accepts the object: %v", result.Findings)
	}
	tree["clusters/b/crds/widget.yaml"] = widgetCRDWith("wheels")
	result := check(t, tree, Options{})
	if len(result.Findings) != 1 || !strings.Contains(result.Findings[0].Help, "judged by clusters/a/crds/widget.yaml") {
		t.Errorf("the nearest definition should explain: %v", result.Findings)
	}
}

// TestBrokenDefinition says that a definition that cannot be used is an error
// at its file and not a missing schema.
func TestBrokenDefinition(t *testing.T) {
	tree := memory{
		"app/widget.yaml": widget,
		"docs/crd.yaml":   strings.Replace(widgetCRDWith("teeth"), "type: integer", "type: integer, pattern: '(canary'", 1),
	}
	result := check(t, tree, Options{})
	if len(result.NotChecked) != 1 || !strings.Contains(result.NotChecked[0].Reason, "docs/crd.yaml cannot be used") {
		t.Errorf("not checked: %v", result.NotChecked)
	}
	found := false
	for _, f := range result.Findings {
		found = found || f.Location.File == "docs/crd.yaml" && strings.Contains(f.Message, "must be a regular expression")
		if strings.Contains(f.Message, "canary") {
			t.Errorf("a value is quoted: %s", f.Message)
		}
	}
	if !found {
		t.Errorf("findings: %v", result.Findings)
	}
}

// TestUnreadableDefinition names the file that may hold the definition.
func TestUnreadableDefinition(t *testing.T) {
	tree := memory{"app/widget.yaml": widget, "chart/templates/crd.yaml": "{{- if .Values.crds }}\n" + widgetCRDWith("teeth") + "{{- end }}\n"}
	v, err := New(tree, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := v.files.find("example.com", "Widget", "app")
	if len(all.found) != 0 || len(all.unreadable) != 1 || all.unreadable[0] != "chart/templates/crd.yaml" {
		t.Errorf("%+v", all)
	}
}

// TestDefinitionInList finds a definition inside a List.
func TestDefinitionInList(t *testing.T) {
	indented := "  - " + strings.ReplaceAll(strings.TrimSpace(widgetCRDWith("teeth")), "\n", "\n    ")
	crds, err := parseCRDs("list.yaml", []byte("apiVersion: v1\nkind: List\nitems:\n"+indented+"\n"))
	if err != nil || len(crds) != 1 || crds[0].kind != "Widget" {
		t.Errorf("%v, %v", crds, err)
	}
}

// TestEmbeddedDefinitionOnlyWarns uses a project whose definitions are embedded.
func TestEmbeddedDefinitionOnlyWarns(t *testing.T) {
	tree := memory{"app/issuer.yaml": "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: ca}\nspec: {selfsigned: {}}\n"}
	result := check(t, tree, Options{})
	if len(result.Findings) != 1 || result.Checked != 1 {
		t.Fatalf("%+v", result)
	}
	f := result.Findings[0]
	if f.Severity.String() != "warning" || !strings.Contains(f.Help, "did you mean selfSigned?; judged by the embedded definition of cert-manager") {
		t.Errorf("%s %s [%s]", f.Severity, f.Message, f.Help)
	}
}
