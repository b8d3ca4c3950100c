package validate

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// fold turns the errors of all branches of an anyOf or oneOf into what a person
// can act on:
//
//   - every branch wants another type: one sentence with all the types;
//   - one branch has the right type: that branch's problems;
//   - the branches differ in the field they require: one sentence with them;
//   - else the branch that comes closest speaks for all.
func (x explainer) fold(e *jsonschema.ValidationError) []problem {
	var types []string
	var got string
	var fitting []*jsonschema.ValidationError
	for _, branch := range e.Causes {
		if t := typeError(branch, e); t != nil {
			types, got = append(types, t.Want...), t.Got
		} else {
			fitting = append(fitting, branch)
		}
	}
	switch {
	case len(fitting) == 0 && len(types) > 0:
		return x.wrongType(e, got, types)
	case len(fitting) == 1:
		return x.explain(fitting[0])
	}
	if fields := requiredOnly(fitting, e); fields != nil {
		return x.one(e, "required", x.name(e)+" needs "+either(fields), "")
	}
	return x.closest(e, fitting)
}

// typeError returns the type error that a branch begins and ends with, nil if
// the value has the branch's type.
func typeError(branch, e *jsonschema.ValidationError) *kind.Type {
	branch = unwrap(branch)
	if t, ok := branch.ErrorKind.(*kind.Type); ok && len(branch.InstanceLocation) == len(e.InstanceLocation) {
		return t
	}
	return nil
}

// unwrap looks through wrappers that hold one error.
func unwrap(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) == 1 {
		switch e.ErrorKind.(type) {
		case *kind.Reference, *kind.Group, *kind.AllOf:
			e = e.Causes[0]
		default:
			return e
		}
	}
	return e
}

// requiredOnly returns what each branch misses, "a" or "a and b", if that is
// all that is wrong with every branch; else nil.
func requiredOnly(branches []*jsonschema.ValidationError, e *jsonschema.ValidationError) []string {
	var fields []string
	for _, branch := range branches {
		branch = unwrap(branch)
		r, ok := branch.ErrorKind.(*kind.Required)
		if !ok || len(branch.InstanceLocation) != len(e.InstanceLocation) {
			return nil
		}
		if field := strings.Join(r.Missing, " and "); !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	return fields
}

// closest lets the branch with the fewest problems speak. One that fails on an
// enumerated value (a discriminator such as "type") is meant less likely.
func (x explainer) closest(e *jsonschema.ValidationError, branches []*jsonschema.ValidationError) []problem {
	const mismatch = 1000 // outweighs any real number of problems
	var best []problem
	bestScore := 0
	for _, branch := range branches {
		problems := sortProblems(x.explain(branch))
		score := len(problems)
		for _, p := range problems {
			if p.keyword == "enum" || p.keyword == "const" {
				score += mismatch
			}
		}
		if best == nil || score < bestScore {
			best, bestScore = problems, score
		}
	}
	if len(best) == 1 {
		return best
	}
	help := ""
	if len(best) > 0 {
		help = "the form that comes closest: " + best[0].message
	}
	return x.one(e, keyword(e.ErrorKind), x.name(e)+" has none of the forms that its schema allows", help)
}

// tooMany explains a oneOf of which several branches accept the value.
func (x explainer) tooMany(e *jsonschema.ValidationError) []problem {
	var types, fields []string
	if s := x.schemas[e.SchemaURL]; s != nil {
		for _, branch := range s.OneOf {
			branch = dereference(branch)
			if branch.Types != nil {
				types = append(types, branch.Types.ToStrings()...)
			}
			fields = append(fields, branch.Required...)
		}
	}
	value := at(x.root, e.InstanceLocation)
	if value == nil && len(types) > 0 {
		types = slices.DeleteFunc(types, func(t string) bool { return t == "null" })
		return x.wrongType(e, "null", types)
	}
	mapping, _ := value.(map[string]any)
	set := slices.DeleteFunc(fields, func(f string) bool { _, ok := mapping[f]; return !ok })
	slices.Sort(set)
	if set = slices.Compact(set); len(set) > 1 {
		return x.one(e, "oneOf", x.name(e)+" may hold only one of "+strings.Join(set, ", "), "")
	}
	return x.one(e, "oneOf", x.name(e)+" has more than one of the forms of which its schema allows one", "")
}

// forbidden explains a schema under "not". The usual one forbids fields that
// exclude each other.
func (x explainer) forbidden(e *jsonschema.ValidationError) []problem {
	message := " has a form that its schema forbids"
	if s := x.schemas[e.SchemaURL]; s != nil && s.Not != nil {
		switch fields := dereference(s.Not).Required; len(fields) {
		case 0:
		case 1:
			message = " must not have " + fields[0]
		default:
			message = " must not have " + strings.Join(fields, " and ") + " together"
		}
	}
	return x.one(e, "not", x.name(e)+message, "")
}

// dereference follows $ref. The bound stops at a schema that refers to itself.
func dereference(s *jsonschema.Schema) *jsonschema.Schema {
	for range 16 {
		if s.Ref == nil {
			break
		}
		s = s.Ref
	}
	return s
}
