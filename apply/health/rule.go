package health

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// maxCost bounds the evaluation of one expression. It is the bound that the API
// server sets to one validation rule of a CRD (KEP-2876), about a tenth of a
// second.
const maxCost = 10_000_000

// Rule says by CEL expressions when objects of a kind are healthy. The object
// is `self`; its `metadata`, `spec` and `status` are there by name too, as in
// Flux's healthCheckExprs. An expression that asks for a field that is not there
// yet is false.
type Rule struct {
	Group   string // "" is the core group
	Kind    string
	Healthy string // when it is healthy
	Failed  string // when waiting longer does not help; may be empty
}

func (r Rule) kind() string { return kindOf(r.Group, r.Kind) }

func kindOf(group, kind string) string {
	if group == "" {
		return kind
	}
	return kind + "." + group
}

// program is a compiled rule; failed may be nil.
type program struct {
	healthy, failed cel.Program
}

func (r Rule) compile() (program, error) {
	if r.Kind == "" || r.Healthy == "" {
		return program{}, errors.New("a kind and an expression for healthy are needed")
	}
	env, err := cel.NewEnv(
		cel.Variable("self", cel.DynType), cel.Variable("metadata", cel.DynType),
		cel.Variable("spec", cel.DynType), cel.Variable("status", cel.DynType),
		ext.Strings(), cel.OptionalTypes(),
	)
	if err != nil {
		return program{}, err
	}
	var p program
	if p.healthy, err = compile(env, r.Healthy); err != nil {
		return program{}, fmt.Errorf("healthy: %w", err)
	}
	if r.Failed != "" {
		if p.failed, err = compile(env, r.Failed); err != nil {
			return program{}, fmt.Errorf("failed: %w", err)
		}
	}
	return p, nil
}

func compile(env *cel.Env, expression string) (cel.Program, error) {
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("gives %s, not a bool", t)
	}
	return env.Program(ast, cel.CostLimit(maxCost))
}

// judge evaluates failed before healthy: a rule that says both means failed.
func (p program) judge(u *unstructured.Unstructured) Verdict {
	in := map[string]any{"self": u.Object}
	for _, part := range []string{"metadata", "spec", "status"} {
		in[part] = u.Object[part]
		if in[part] == nil {
			in[part] = map[string]any{}
		}
	}
	if p.failed != nil && holds(p.failed, in) {
		return Verdict{Failed, "the rule of its kind says that it has failed"}
	}
	if holds(p.healthy, in) {
		return Verdict{Phase: Healthy}
	}
	return Verdict{Progressing, "the rule of its kind does not hold yet"}
}

// holds takes an error for false: a status is filled field by field.
func holds(p cel.Program, in map[string]any) bool {
	out, _, err := p.Eval(in)
	if err != nil {
		return false
	}
	is, ok := out.Value().(bool)
	return ok && is
}
