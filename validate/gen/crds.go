package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// crdSource is a project whose custom resource definitions are embedded.
type crdSource struct {
	Project string
	Licence string // SPDX identifier
	Module  pin
	Files   []string // patterns in the module
	Skip    string   // an API version whose schema is not the whole truth
	Notice  string   // a file whose text goes along with what is taken, up to a line of dashes
	// Past marks an older release, which only adds API versions that the
	// project has since dropped. They count as deprecated.
	Past bool
}

// customResource is the schema of one API version.
type customResource struct {
	Source     crdSource
	Deprecated bool
	Schema     map[string]any
}

// loadCRDs reads all sources, by "group/version/Kind". Of two sources with the
// same API version the first in the list wins.
func loadCRDs(sources []crdSource) (map[string]customResource, error) {
	all := map[string]customResource{}
	for _, s := range sources {
		found, err := loadSource(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Project, err)
		}
		for gvk, r := range found {
			if _, ok := all[gvk]; !ok {
				all[gvk] = r
			}
		}
	}
	return all, nil
}

func loadSource(s crdSource) (map[string]customResource, error) {
	dir, err := fetch(s.Module)
	if err != nil {
		return nil, err
	}
	found := map[string]customResource{}
	for _, pattern := range s.Files {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no file matches %s", pattern)
		}
		for _, file := range files {
			if err := readCRDs(file, s, found); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
		}
	}
	return found, nil
}

// crd is a CustomResourceDefinition, v1.
type crd struct {
	Kind string
	Spec struct {
		Group    string
		Names    struct{ Kind string }
		Versions []struct {
			Name       string
			Served     bool
			Deprecated bool
			Schema     struct {
				OpenAPIV3Schema map[string]any `yaml:"openAPIV3Schema"`
			}
			Subresources struct{ Status map[string]any }
		}
	}
}

// readCRDs adds the served versions of the definitions in a file.
func readCRDs(file string, s crdSource, found map[string]customResource) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var d crd
		if err := decoder.Decode(&d); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if d.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, v := range d.Spec.Versions {
			if !v.Served || v.Schema.OpenAPIV3Schema == nil {
				continue
			}
			schema := strip(v.Schema.OpenAPIV3Schema)
			if properties, ok := schema["properties"].(map[string]any); ok && v.Subresources.Status != nil {
				properties["status"] = openObject() // the server ignores what an author puts there
			}
			gvk := d.Spec.Group + "/" + v.Name + "/" + d.Spec.Names.Kind
			if _, ok := found[gvk]; ok || gvk == s.Skip {
				continue // an earlier pattern is the preferred one
			}
			found[gvk] = customResource{Source: s, Deprecated: v.Deprecated || s.Past, Schema: schema}
		}
	}
}

func openObject() map[string]any {
	return map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
}

// kept are the keywords with plain values that package validate converts.
var kept = []string{
	"type", "format", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
	"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
	"nullable", "default", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource",
}

// strip copies a schema without documentation and without what only the server
// evaluates (rules in CEL, list types).
func strip(in map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range in {
		switch {
		case slices.Contains(kept, key):
			out[key] = value
		case key == "properties":
			out[key] = stripProperties(value)
		case key == "items" || key == "additionalProperties" || key == "not":
			if m, ok := value.(map[string]any); ok {
				value = strip(m)
			}
			out[key] = value
		case key == "allOf" || key == "anyOf" || key == "oneOf":
			out[key] = stripList(value)
		}
	}
	return out
}

func stripProperties(value any) map[string]any {
	out := map[string]any{}
	properties, _ := value.(map[string]any)
	for name, property := range properties {
		m, _ := property.(map[string]any)
		out[name] = strip(m)
	}
	return out
}

func stripList(value any) []any {
	list, _ := value.([]any)
	out := make([]any, 0, len(list))
	for _, item := range list {
		m, _ := item.(map[string]any)
		out = append(out, strip(m))
	}
	return out
}

// writeCRDs writes crds.txt, "kind project version [deprecated]", and for each
// project a file with its schemas: a run needs those of a few projects.
func writeCRDs(dir string, all map[string]customResource) error {
	var table bytes.Buffer
	projects := map[string]*bytes.Buffer{}
	for _, gvk := range slices.Sorted(maps.Keys(all)) {
		r := all[gvk]
		project := r.Source.Project
		fmt.Fprintf(&table, "%s %s %s", gvk, project, r.Source.Module.Version)
		if r.Deprecated {
			table.WriteString(" deprecated")
		}
		table.WriteString("\n")
		text, err := encode(r.Schema)
		if err != nil {
			return fmt.Errorf("%s: %w", gvk, err)
		}
		if projects[project] == nil {
			projects[project] = &bytes.Buffer{}
		}
		fmt.Fprintf(projects[project], "%s %s\n", gvk, text)
	}
	if err := write(filepath.Join(dir, "crds.txt"), table.Bytes()); err != nil {
		return err
	}
	return writeProjects(filepath.Join(dir, "crds"), projects)
}

// writeProjects replaces the directory of compressed schemas.
func writeProjects(dir string, projects map[string]*bytes.Buffer) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, project := range slices.Sorted(maps.Keys(projects)) {
		if err := writeCompressed(filepath.Join(dir, project+".zst"), projects[project].Bytes()); err != nil {
			return err
		}
	}
	return nil
}
