package validate

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// judge checks one object as the only one of a target.
func judge(t *testing.T, opts Options, text string) (Result, error) {
	t.Helper()
	v, err := New(memory{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	value := decode(t, text)
	o := &render.Object{Value: value}
	o.Object = finding.Object{APIVersion: value["apiVersion"].(string), Kind: value["kind"].(string), Name: "gear"}
	return v.Check(t.Context(), &render.Rendered{Objects: []*render.Object{o}})
}

func writeSchema(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(decode(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

const teeth = "{type: object, properties: {spec: {type: object, additionalProperties: false, properties: {wheels: {type: integer}}}}}"

// TestLocation finds a custom kind through a template, and through a plain
// directory in kubeconform's layout.
func TestLocation(t *testing.T) {
	dir := t.TempDir()
	writeSchema(t, dir, "example.com/widget_v1.json", teeth)
	writeSchema(t, dir, "v1.35.0-standalone-strict/widget-example-v1.json", teeth)
	for _, location := range []string{dir + "/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json", dir} {
		result, err := judge(t, Options{Versions: []string{"1.35"}, Locations: []string{location}}, widget)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Findings) != 1 || result.Findings[0].Message != `unknown field "teeth" in spec` || result.Checked != 1 {
			t.Errorf("%s: %+v", location, result)
		}
	}
}

// TestLocationOverridesBuiltin says that the place of "default" decides.
func TestLocationOverridesBuiltin(t *testing.T) {
	dir := t.TempDir()
	writeSchema(t, dir, "configmap.json", "{type: object, required: [owner]}")
	location := dir + "/{{.ResourceKind}}.json"
	const object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: gear}}"
	for _, test := range []struct {
		locations []string
		want      int
	}{{[]string{location}, 1}, {[]string{location, "default"}, 1}, {[]string{"default", location}, 0}, {[]string{"default"}, 0}} {
		result, err := judge(t, Options{Locations: test.locations}, object)
		if err != nil || len(result.Findings) != test.want {
			t.Errorf("%v: %+v, %v", test.locations, result, err)
		}
	}
}

// TestLocationPerVersion names the versions for which a location disagrees.
func TestLocationPerVersion(t *testing.T) {
	dir := t.TempDir()
	writeSchema(t, dir, "v1.34.0/widget.json", "{required: [old]}")
	writeSchema(t, dir, "v1.35.0/widget.json", "{required: [old]}")
	writeSchema(t, dir, "v1.36.0/widget.json", "{}")
	opts := Options{Versions: []string{"1.34", "1.35", "1.36"}, Locations: []string{dir + "/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}.json"}}
	result, err := judge(t, opts, widget)
	if err != nil || len(result.Findings) != 1 || result.Findings[0].Message != "old is required for Kubernetes 1.34, 1.35" {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestBrokenLocation says that a schema that is there and cannot be used is an
// error that names it.
func TestBrokenLocation(t *testing.T) {
	for name, content := range map[string]string{
		"no json": "{", "null": "null", "a type that is none": `{"type": "canary"}`, "a missing reference": `{"$ref": "gone.json"}`,
		"a remote reference": `{"$ref": "https://example.invalid/x.json"}`, "a directory": `{"$ref": "."}`,
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "widget.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := judge(t, Options{Locations: []string{dir + "/{{.ResourceKind}}.json"}}, widget)
		if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "a remote reference" && !errors.Is(err, ErrNetwork) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnknownKind says that a kind without any schema is not checked, or missing
// where that is asked for, and that its metadata only gives warnings.
func TestUnknownKind(t *testing.T) {
	const object = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: gear, labels: {a: 1}}}"
	result, err := judge(t, Options{}, object)
	if err != nil || result.Checked != 0 || len(result.NotChecked) != 1 || len(result.Findings) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	if reason := result.NotChecked[0].Reason; reason != "no schema for example.com/v1 Widget" {
		t.Errorf("reason: %s", reason)
	}
	if f := result.Findings[0]; f.Severity != finding.Warning || f.Pointer != "/metadata/labels/a" {
		t.Errorf("%+v", f)
	}
	result, err = judge(t, Options{Strict: true}, object)
	if err != nil || len(result.NotChecked) != 0 || len(result.Findings) != 2 {
		t.Fatalf("strict: %+v, %v", result, err)
	}
}

// TestNetwork asks for a URL with and without permission.
func TestNetwork(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/widget.json":
			w.Write([]byte(`{"properties": {"spec": {"$ref": "spec.json"}}}`))
		case "/spec.json":
			w.Write([]byte(`{"required": ["wheels"]}`))
		case "/page.json":
			w.Write([]byte("<html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	location := server.URL + "/{{.ResourceKind}}.json"
	if _, err := New(memory{}, Options{Locations: []string{location}}); !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), location) {
		t.Errorf("without the network: %v", err)
	}
	if asked.Load() != 0 {
		t.Error("the server was asked all the same")
	}
	cache := filepath.Join(t.TempDir(), "cache")
	opts := Options{Locations: []string{location}, AllowNetwork: true, CacheDir: cache}
	for range 2 {
		result, err := judge(t, opts, widget)
		if err != nil || len(result.Findings) != 1 || result.Findings[0].Message != "spec.wheels is required" {
			t.Fatalf("%+v, %v", result, err)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times: the cache was not used", n)
	}
	if result, err := judge(t, opts, strings.Replace(widget, "Widget", "Gadget", 1)); err != nil || len(result.NotChecked) != 1 {
		t.Errorf("a schema that is not there: %+v, %v", result, err)
	}
	if _, err := judge(t, opts, strings.Replace(widget, "Widget", "Page", 1)); err == nil || !strings.Contains(err.Error(), "/page.json") {
		t.Errorf("a page that is no schema: %v", err)
	}
}

// TestLocationCannotBeLeft keeps names from the repository out of paths.
func TestLocationCannotBeLeft(t *testing.T) {
	dir := t.TempDir()
	writeSchema(t, dir, "secret.json", "{required: [a]}")
	inner := filepath.Join(dir, "inner")
	l, err := newLocations([]string{inner + "/{{.ResourceKind}}.json"}, false, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"../secret", "..", "a/../../secret", "a b", ""} {
		if s, err := l.lookup("example.com/v1", kind, release{"1.35", "1.35.0"}); s != nil || err != nil {
			t.Errorf("%q: %v, %v", kind, s, err)
		}
	}
}

// TestBadOptions names what is wrong.
func TestBadOptions(t *testing.T) {
	for want, opts := range map[string]Options{
		`"1.12"`:        {Versions: []string{"1.12"}},
		"{{.Nonsense}}": {Locations: []string{"x/{{.Nonsense}}.json"}},
	} {
		if _, err := New(memory{}, opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
