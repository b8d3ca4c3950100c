package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The assets are what the pinned modules give, byte for byte. The test needs
// those modules in the module cache (about 1.5 GB) and looks nowhere else.
func TestAssetsAreCurrent(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Skipf("the pinned modules are not all in the module cache: %v", err)
	}
	fresh, current := readAll(t, dir), readAll(t, assets)
	for name, data := range fresh {
		if current[name] != data {
			t.Errorf("%s is out of date: run go generate ./validate", name)
		}
		delete(current, name)
	}
	for name := range current {
		t.Errorf("%s is no longer made", name)
	}
}

func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		relative, _ := filepath.Rel(dir, name)
		files[relative] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The forms that yannh/kubernetes-json-schema publishes as standalone-strict.
func TestDefinition(t *testing.T) {
	tests := map[string]struct{ name, in, want string }{
		"fields": {"a.B", `{"type":"object","required":["b"],"properties":{
			"a":{"type":"string","description":"x"},"b":{"type":"integer","format":"int32"},
			"c":{"type":"array","items":{"type":"string"}},
			"d":{"type":"object","additionalProperties":{"type":"string"}},
			"e":{"$ref":"#/definitions/a.C"},"f":{"type":"string","format":"date-time"}}}`,
			`{"type":["object","null"],"required":["b"],"additionalProperties":false,"properties":{
			"a":{"type":["string","null"]},"b":{"type":"integer"},
			"c":{"type":["array","null"],"items":{"type":["string","null"]}},
			"d":{"type":["object","null"],"additionalProperties":{"type":["string","null"]}},
			"e":{"$ref":"a.C"},"f":{"type":["string","null"],"format":"date-time"}}}`},
		"identity": {"io.k8s.api.apps.v1.B", `{"type":"object","properties":{"apiVersion":{"type":"string"},"kind":{"type":"string"}},
			"x-kubernetes-group-version-kind":[{"group":"apps","version":"v1","kind":"B"}]}`,
			`{"type":["object","null"],"additionalProperties":false,"properties":{
			"apiVersion":{"type":["string","null"],"enum":["apps/v1"]},"kind":{"type":["string","null"],"enum":["B"]}}}`},
		"any object": {"a.B", `{"type":"object"}`, `{"type":["object","null"]}`},
		"anything":   {"a.B", `{"description":"x"}`, `{}`},
		"int or string": {"io.k8s.apimachinery.pkg.util.intstr.IntOrString", `{"type":"string","format":"int-or-string"}`,
			`{"type":["integer","string"]}`},
		"quantity": {"io.k8s.apimachinery.pkg.api.resource.Quantity", `{"type":"string"}`, `{"type":["number","string"]}`},
	}
	for name, tt := range tests {
		var in openAPI
		if err := json.Unmarshal([]byte(tt.in), &in); err != nil {
			t.Fatal(err)
		}
		text, err := encode(definition(tt.name, &in))
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %s, want %s", name, text, tt.want)
		}
	}
}

// A definition has another name as soon as something that it refers to differs,
// and its old name again when it is as before.
func TestFindVariants(t *testing.T) {
	ref := func(name string) map[string]any { return map[string]any{"items": map[string]any{"$ref": name}} }
	text := func(format string) map[string]any { return map[string]any{"type": "string", "format": format} }
	with := func(minor, format string) release {
		return release{Minor: minor, Definitions: map[string]map[string]any{
			"Top": ref("Middle"), "Middle": ref("Leaf"), "Leaf": text(format), "Self": ref("Self"), "Other": text("z"),
		}}
	}
	named, err := findVariants([]release{with("1.1", "x"), with("1.2", "y"), with("1.3", "x")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Leaf@1.1 Middle@1.1 Other@1.1 Self@1.1 Top@1.1",
		"Leaf@1.2 Middle@1.2 Other@1.1 Self@1.1 Top@1.2",
		"Leaf@1.1 Middle@1.1 Other@1.1 Self@1.1 Top@1.1",
	}
	for i, names := range named {
		got := []string{names["Leaf"], names["Middle"], names["Other"], names["Self"], names["Top"]}
		if strings.Join(got, " ") != want[i] {
			t.Errorf("release %d: %v, want %s", i, got, want[i])
		}
	}
}

func TestComplete(t *testing.T) {
	kinds := func(names ...string) map[string]kind {
		m := map[string]kind{}
		for _, name := range names {
			m[name] = kind{Definition: name}
		}
		return m
	}
	releases := []release{
		{Minor: "1.1", Kinds: kinds("g/v1alpha1/A", "g/v1alpha1/AList", "g/v1/B")},
		{Minor: "1.2", Kinds: kinds("g/v1beta1/A", "g/v1/B", "g/v2/C")},
	}
	all := map[string]lifecycle{
		"g/v1beta1/A":  {Introduced: "1.2", Deprecated: "1.5", Removed: "1.8"},
		"g/v1beta1/B":  {Deprecated: "1.0", Removed: "1.1", Replacement: "g/v1/BList"},
		"g/v0/C":       {Removed: "1.0", Replacement: "g/v1/C"},
		"g/v1/C":       {Removed: "1.1", Replacement: "g/v2/C"},
		"g/v1/Options": {Introduced: "1.0"},
	}
	if err := complete(all, releases); err != nil {
		t.Fatal(err)
	}
	want := map[string]lifecycle{
		"g/v1alpha1/A": {Removed: "1.2", Replacement: "g/v1beta1/A"}, // seen to go
		"g/v1beta1/A":  {Introduced: "1.2", Deprecated: "1.5", Removed: "1.8"},
		"g/v1beta1/B":  {Deprecated: "1.0", Removed: "1.1", Replacement: "g/v1/B"}, // not the list
		"g/v0/C":       {Removed: "1.0", Replacement: "g/v2/C"},                    // by way of v1
		"g/v1/C":       {Removed: "1.1", Replacement: "g/v2/C"},
		"g/v2/C":       {Introduced: "1.2"}, // seen to come
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got  %+v\nwant %+v", all, want)
	}
	contradiction := map[string]lifecycle{"g/v1/B": {Removed: "1.2"}}
	if err := complete(contradiction, releases); err == nil {
		t.Error("a removed kind that is still there was accepted")
	}
}

func TestStrip(t *testing.T) {
	in := map[string]any{
		"description": "x", "type": "object", "x-kubernetes-validations": []any{},
		"properties": map[string]any{"description": map[string]any{"type": "string", "description": "x", "default": "y"}},
		"anyOf":      []any{map[string]any{"required": []any{"a"}, "title": "x"}},
		"not":        map[string]any{"example": 1},
	}
	want := map[string]any{
		"type":       "object",
		"properties": map[string]any{"description": map[string]any{"type": "string", "default": "y"}},
		"anyOf":      []any{map[string]any{"required": []any{"a"}}},
		"not":        map[string]any{},
	}
	if got := strip(in); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
