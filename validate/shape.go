package validate

import (
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

// shape is one compiled schema. It is safe for concurrent use.
type shape struct {
	schema   *jsonschema.Schema
	index    func() map[string]*jsonschema.Schema // by location, for explanations
	defaults map[string]any                       // a structural schema whose defaults apply first, or nil
}

func newShape(schema *jsonschema.Schema) *shape {
	return &shape{schema: schema, index: sync.OnceValue(func() map[string]*jsonschema.Schema {
		seen := map[string]*jsonschema.Schema{}
		walk(schema, seen)
		return seen
	})}
}

// check returns what the schema does not accept about value, in a fixed order.
func (s *shape) check(value any) []problem {
	if s.defaults != nil {
		value = withDefaults(s.defaults, value)
	}
	err := s.schema.Validate(value)
	if err == nil {
		return nil
	}
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return []problem{{message: "the object cannot be judged by its schema"}}
	}
	return sortProblems(explainer{root: value, schemas: s.index()}.explain(failed))
}

// walk records every schema below s by its location. An error names the
// location of the schema that failed; what that schema lists helps to explain.
func walk(s *jsonschema.Schema, seen map[string]*jsonschema.Schema) {
	if s == nil || seen[s.Location] != nil {
		return
	}
	seen[s.Location] = s
	walk(s.Ref, seen)
	walk(s.Not, seen)
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		for _, member := range list {
			walk(member, seen)
		}
	}
	for _, member := range s.Properties {
		walk(member, seen)
	}
	for _, member := range s.PatternProperties {
		walk(member, seen)
	}
	for _, member := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems, s.Items2020} {
		switch member := member.(type) {
		case *jsonschema.Schema:
			walk(member, seen)
		case []*jsonschema.Schema:
			for _, m := range member {
				walk(m, seen)
			}
		}
	}
}

// newCompiler returns a compiler with kubeconform's settings: draft 4 unless a
// schema says otherwise, and Kubernetes durations. Beyond kubeconform it checks
// the format "byte", which the API server decodes as base64. References go
// through load, which decides what may be read.
func newCompiler(load loader) *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.RegisterFormat(&jsonschema.Format{Name: "duration", Validate: checkDuration})
	c.RegisterFormat(&jsonschema.Format{Name: "byte", Validate: checkBase64})
	c.UseLoader(load)
	return c
}

// loader is how a schema's references are read; nothing else is.
type loader func(url string) (any, error)

// Load implements jsonschema.URLLoader.
func (l loader) Load(url string) (any, error) { return l(url) }

// refuse is the loader of schemas that have no business with other documents.
func refuse(string) (any, error) {
	return nil, errors.New("a $ref leads out of the schema")
}

// compile compiles one document on its own. The error says what is wrong with
// it and quotes no value.
func compile(url string, doc any, load loader) (*shape, error) {
	if doc == nil {
		return nil, errors.New("the schema is empty")
	}
	c := newCompiler(load)
	if err := c.AddResource(url, doc); err != nil {
		return nil, errors.New("the schema has no usable address")
	}
	s, err := c.Compile(url)
	if err != nil {
		return nil, compileError(err)
	}
	return newShape(s), nil
}

// compileError says why a schema does not compile, in our own words where the
// engine's would quote the schema's text.
func compileError(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var failed *jsonschema.ValidationError
	var regex *jsonschema.InvalidRegexError
	var load *jsonschema.LoadURLError
	switch {
	case errors.As(err, &invalid) && errors.As(invalid.Err, &failed):
		problems := sortProblems(explainer{}.explain(failed))
		if len(problems) > 0 {
			return fmt.Errorf("the schema is invalid: %s", problems[0].message)
		}
	case errors.As(err, &regex):
		return errors.New("the schema has a pattern that is no regular expression")
	case errors.As(err, &load):
		return fmt.Errorf("the schema cannot be put together: %w", load.Err)
	}
	return errors.New("the schema is invalid")
}

// checkBase64 accepts what the API server decodes into a []byte field.
func checkBase64(value any) error {
	s, ok := value.(string)
	if !ok {
		return nil
	}
	_, err := base64.StdEncoding.DecodeString(s)
	return err
}

// checkDuration accepts Go's durations, as Kubernetes does, and ISO 8601's, as
// kubeconform does.
func checkDuration(value any) error {
	s, ok := value.(string)
	if !ok {
		return nil
	}
	if _, err := strfmt.ParseDuration(s); err == nil {
		return nil
	}
	return checkISODuration(s)
}
