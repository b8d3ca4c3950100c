package policy

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/types"
	"github.com/open-policy-agent/opa/v1/util"
)

const parseConfigName = "parse_config"

func parseConfigType() *types.Function {
	return types.NewFunction(types.Args(types.S, types.S), types.NewObject(nil, types.NewDynamicProperty(types.S, types.A)))
}

// parseConfigBuiltin declares conftest's parse_config(parser, text).
func parseConfigBuiltin() *ast.Builtin {
	return &ast.Builtin{Name: parseConfigName, Decl: parseConfigType()}
}

// parseConfig implements conftest's parse_config for the formats of Kubernetes
// manifests. Another format stops the evaluation: an undefined value would let
// the rule pass.
func parseConfig() func(*rego.Rego) {
	decl := &rego.Function{Name: parseConfigName, Decl: parseConfigType()}
	return rego.Function2(decl, func(_ rego.BuiltinContext, parser, text *ast.Term) (*ast.Term, error) {
		name, _ := parser.Value.(ast.String)
		if name != "yaml" && name != "json" {
			return nil, rego.NewHaltError(fmt.Errorf("reads yaml and json, not %s", string(name)))
		}
		config, _ := text.Value.(ast.String)
		var doc any
		if err := util.Unmarshal([]byte(config), &doc); err != nil {
			return nil, fmt.Errorf("not valid %s", string(name))
		}
		value, err := ast.InterfaceToValue(doc)
		if err != nil {
			return nil, err
		}
		return ast.NewTerm(value), nil
	})
}
