package validate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explainer turns what the schema engine says about one value into problems
// with messages of our own: the engine's quote the offending value.
type explainer struct {
	root    any
	schemas map[string]*jsonschema.Schema // by location
}

// explain returns the problems below one engine error. Wrappers (a reference,
// a group, allOf) are looked through; alternatives are folded into one.
func (x explainer) explain(e *jsonschema.ValidationError) []problem {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		var all []problem
		for _, cause := range e.Causes {
			all = append(all, x.explain(cause)...)
		}
		return all
	case *kind.AnyOf:
		return x.fold(e)
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return x.tooMany(e)
		}
		return x.fold(e)
	case *kind.AdditionalProperties:
		return x.unknownFields(e, k.Properties)
	case *kind.Required:
		return x.required(e, k.Missing, "")
	case *kind.Dependency:
		return x.required(e, k.Missing, k.Prop)
	case *kind.DependentRequired:
		return x.required(e, k.Missing, k.Prop)
	case *kind.Not:
		return x.forbidden(e)
	case *kind.PropertyNames:
		return x.one(e, "propertyNames", fmt.Sprintf("%q is not allowed as a key of %s", k.Property, x.name(e)), "")
	case *kind.Type:
		return x.wrongType(e, k.Got, k.Want)
	}
	message, help := limit(e.ErrorKind)
	return x.one(e, keyword(e.ErrorKind), x.name(e)+" "+message, help)
}

// name is the place of an error as a field path.
func (x explainer) name(e *jsonschema.ValidationError) string {
	return fieldPath(x.root, e.InstanceLocation)
}

func (x explainer) one(e *jsonschema.ValidationError, keyword, message, help string) []problem {
	return []problem{{path: e.InstanceLocation, message: message, help: help, keyword: keyword}}
}

// unknownFields points at each key that the schema does not list.
func (x explainer) unknownFields(e *jsonschema.ValidationError, keys []string) []problem {
	var known []string
	if s := x.schemas[e.SchemaURL]; s != nil {
		for name := range s.Properties {
			known = append(known, name)
		}
	}
	var all []problem
	for _, key := range keys {
		p := problem{path: append(slices.Clone(e.InstanceLocation), key), keyword: "additionalProperties"}
		p.message = fmt.Sprintf("unknown field %q", key)
		if len(e.InstanceLocation) > 0 {
			p.message += " in " + x.name(e)
		}
		if guess := nearest(key, known); guess != "" {
			p.help = fmt.Sprintf("did you mean %s?", guess)
		}
		all = append(all, p)
	}
	return all
}

// required names each missing field with its full path; its place is the
// mapping that lacks it. Where another field demands it, that one is named.
func (x explainer) required(e *jsonschema.ValidationError, missing []string, because string) []problem {
	var all []problem
	for _, field := range missing {
		path := append(slices.Clone(e.InstanceLocation), field)
		message := fieldPath(x.root, path) + " is required"
		if because != "" {
			message += " where " + because + " is set"
		}
		all = append(all, problem{path: e.InstanceLocation, message: message, keyword: "required"})
	}
	return all
}

func (x explainer) wrongType(e *jsonschema.ValidationError, got string, want []string) []problem {
	message := fmt.Sprintf("%s must be %s, not %s", x.name(e), alternatives(want), article(got))
	return x.one(e, "type", message, typeHelp(at(x.root, e.InstanceLocation), want))
}

// typeHelp tells about the two ways in which YAML surprises people: a scalar
// that is no string without quotes, and a number that is one with them.
func typeHelp(value any, want []string) string {
	switch value := value.(type) {
	case bool, int64, float64:
		if slices.Contains(want, "string") {
			return "put the value in quotes, so that YAML reads it as a string"
		}
	case string:
		_, notNumber := strconv.ParseInt(value, 10, 64)
		_, notBool := strconv.ParseBool(value)
		number := slices.Contains(want, "integer") || slices.Contains(want, "number")
		if (number && notNumber == nil) || (slices.Contains(want, "boolean") && notBool == nil) {
			return "leave out the quotes"
		}
	}
	return ""
}

// article says JSON's types as people who write YAML know them.
func article(typ string) string {
	switch typ {
	case "array":
		return "a list"
	case "object":
		return "a mapping"
	case "integer":
		return "an integer"
	case "null":
		return "null"
	}
	return "a " + typ
}

// alternatives joins types: "an integer or null", "a string, an integer or
// null". Null comes last, the others as they come.
func alternatives(types []string) string {
	var names []string
	null := false
	for _, t := range types {
		switch name := article(t); {
		case t == "null":
			null = true
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	if null {
		names = append(names, "null")
	}
	return either(names)
}

// either joins names with commas and a last "or".
func either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// keyword names the schema keyword of an error; a format keeps its name, as it
// decides what is checked.
func keyword(k jsonschema.ErrorKind) string {
	if f, ok := k.(*kind.Format); ok {
		return "format:" + f.Want
	}
	if path := k.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	return "schema"
}
