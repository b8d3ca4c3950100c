package gate

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

type yamlNode = yaml.Node

// decoder fills tagged structs from YAML nodes, strictly: every error says
// file, line and column, and an unknown key says which key was meant.
type decoder struct{ file *source.File }

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) error {
	place := d.file.Path
	if n != nil {
		place = d.file.Span(n).String()
	}
	return &UsageError{fmt.Errorf("configuration: %s: %s", place, fmt.Sprintf(format, args...))}
}

func (d *decoder) decode(n *yaml.Node, into any, name string) error {
	return d.value(n, reflect.ValueOf(into).Elem(), name)
}

func (d *decoder) value(n *yaml.Node, v reflect.Value, name string) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.structure(n, v, name)
	case reflect.Map:
		return d.mapping(n, v, name)
	case reflect.Slice:
		return d.list(n, v, name)
	case reflect.String:
		// A bare 1.35 is a float to YAML and a version to people: the text counts.
		if n.Kind != yaml.ScalarNode {
			return d.errorf(n, "%s must be a string", label(name))
		}
		v.SetString(n.Value)
		return nil
	case reflect.Int:
		number, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || number < 0 {
			return d.errorf(n, "%s must be a whole number, 0 or more", label(name))
		}
		v.SetInt(int64(number))
		return nil
	case reflect.Int64: // time.Duration, the only one
		length, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || length < 0 {
			return d.errorf(n, "%s must be a duration, such as 90s or 5m", label(name))
		}
		v.SetInt(int64(length))
		return nil
	}
	panic("decode: no configuration field has kind " + v.Kind().String())
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, name string) error {
	if n.Kind != yaml.MappingNode {
		return d.errorf(n, "%s must be a mapping", label(name))
	}
	fields := fieldsOf(v.Type())
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, child := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		if at < 0 {
			return d.errorf(key, "unknown key %q%s", key.Value, meant(key.Value, names(fields)))
		}
		if seen[key.Value] {
			return d.errorf(key, "%q is set twice", key.Value)
		}
		seen[key.Value] = true
		f := fields[at]
		full := strings.TrimPrefix(name+"."+f.name, ".")
		if err := d.value(child, v.Field(f.index), full); err != nil {
			return err
		}
		if len(f.enum) > 0 && !slices.Contains(f.enum, v.Field(f.index).String()) {
			return d.errorf(child, "%s must be one of %s", full, strings.Join(f.enum, ", "))
		}
	}
	for _, f := range fields {
		if f.required && v.Field(f.index).IsZero() {
			return d.errorf(n, "%s is required", strings.TrimPrefix(name+"."+f.name, "."))
		}
	}
	return nil
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, name string) error {
	if n.Kind != yaml.MappingNode {
		return d.errorf(n, "%s must be a mapping", label(name))
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(n.Content[i+1], item, name+"."+n.Content[i].Value); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(n.Content[i].Value), item)
	}
	return nil
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, name string) error {
	if n.Kind != yaml.SequenceNode {
		return d.errorf(n, "%s must be a list", label(name))
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, child := range n.Content {
		if err := d.value(child, v.Index(i), fmt.Sprintf("%s[%d]", name, i)); err != nil {
			return err
		}
	}
	return nil
}

func label(name string) string {
	if name == "" {
		return "the configuration"
	}
	return name
}

// field is one tagged struct field.
type field struct {
	index    int
	name     string
	doc      string
	enum     []string
	required bool
}

func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name := tag.Get("yaml")
		if name == "" {
			continue
		}
		f := field{index: i, name: name, doc: tag.Get("doc"), required: tag.Get("required") != ""}
		if enum := tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, ",")
		}
		out = append(out, f)
	}
	return out
}

func names(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

// meant returns "; did you mean X?" for the closest known name, or "".
func meant(got string, known []string) string {
	best, distance := "", len(got)/2+1
	for _, k := range known {
		if n := levenshtein.ComputeDistance(strings.ToLower(got), strings.ToLower(k)); n < distance {
			best, distance = k, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
