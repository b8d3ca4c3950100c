package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// defaultBetas returns the beta kinds that a release serves by default, by
// "group/version/Kind". The server lists them by resource in a variable; since
// 1.32 there are none, and no variable.
func defaultBetas(dir string) (map[string]bool, error) {
	name := filepath.Join(dir, "pkg/controlplane/instance.go")
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	packages := importedPackages(file)
	betas := map[string]bool{}
	var bad error
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "legacyBetaEnabledByDefaultResources" || len(spec.Values) != 1 {
			return true
		}
		for _, element := range spec.Values[0].(*ast.CompositeLit).Elts {
			gvk, err := betaKind(element, packages)
			if err != nil {
				bad = err
			}
			betas[gvk] = true
		}
		return false
	})
	return betas, bad
}

// importedPackages maps the names of a file's named imports to their paths.
func importedPackages(file *ast.File) map[string]string {
	packages := map[string]string{}
	for _, imported := range file.Imports {
		if imported.Name != nil {
			packages[imported.Name.Name], _ = strconv.Unquote(imported.Path.Value)
		}
	}
	return packages
}

// betaResources are the resources that a release since 1.29 lists, and their
// kinds and groups. A new one is an error, so that it is added here.
var betaResources = map[string]struct{ group, kind string }{
	"flowschemas":                 {"flowcontrol.apiserver.k8s.io", "FlowSchema"},
	"prioritylevelconfigurations": {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"},
}

// betaKind reads `alias.SchemeGroupVersion.WithResource("resource")`.
func betaKind(element ast.Expr, packages map[string]string) (string, error) {
	call, ok := element.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", fmt.Errorf("beta resource is no call: %T", element)
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", fmt.Errorf("beta resource is no literal: %T", call.Args[0])
	}
	resource := strings.Trim(literal.Value, `"`)
	known, ok := betaResources[resource]
	if !ok {
		return "", fmt.Errorf("beta resource %s is not known", resource)
	}
	var alias string
	ast.Inspect(call.Fun, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && alias == "" {
			alias = id.Name
		}
		return true
	})
	return known.group + "/" + path.Base(packages[alias]) + "/" + known.kind, nil
}
