package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// lifecycle says in which release an API version came, was deprecated and went,
// and what replaces it. Releases are minors, "1.25".
type lifecycle struct {
	Introduced, Deprecated, Removed string
	Replacement                     string // "group/version/Kind"
}

// loadLifecycles reads the APILifecycle… methods of the API types, by
// "group/version/Kind". They are what the server itself acts on: it stops to
// serve a type in the release that APILifecycleRemoved names. The first module
// that has a type wins.
func loadLifecycles(pins []pin) (map[string]lifecycle, error) {
	all := maps.Clone(goneKinds)
	for _, p := range pins {
		dir, err := fetch(p)
		if err != nil {
			return nil, err
		}
		found, err := readLifecycles(dir)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", p.Path, p.Version, err)
		}
		for gvk, l := range found {
			if _, ok := all[gvk]; !ok {
				all[gvk] = l
			}
		}
	}
	for gvk := range all { // a list lives as long as what it lists
		if _, ok := all[strings.TrimSuffix(gvk, "List")]; ok && strings.HasSuffix(gvk, "List") {
			delete(all, gvk)
		}
	}
	return all, nil
}

// readLifecycles reads a module. Packages without a group are no API.
func readLifecycles(dir string) (map[string]lifecycle, error) {
	found := map[string]lifecycle{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "zz_generated.prerelease-lifecycle.go" {
			return err
		}
		pkg := filepath.Dir(name)
		group, err := groupName(filepath.Join(pkg, "register.go"))
		if err != nil {
			return err
		}
		types, err := readMethods(name)
		for kind, l := range types {
			found[apiVersion(group, filepath.Base(pkg))+"/"+kind] = l
		}
		return err
	})
	return found, err
}

// groupName reads `const GroupName = "…"`.
func groupName(file string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	for _, decl := range parsed.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if v.Names[0].Name == "GroupName" {
				return strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			}
		}
	}
	return "", fmt.Errorf("%s has no GroupName", file)
}

// readMethods reads the methods of a generated file, by the name of the type.
// Each has one statement that returns literals.
func readMethods(file string) (map[string]lifecycle, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	types := map[string]lifecycle{}
	for _, decl := range parsed.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		kind := f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name
		result := f.Body.List[0].(*ast.ReturnStmt).Results
		l := types[kind]
		switch f.Name.Name {
		case "APILifecycleIntroduced":
			l.Introduced = minor(result)
		case "APILifecycleDeprecated":
			l.Deprecated = minor(result)
		case "APILifecycleRemoved":
			l.Removed = minor(result)
		case "APILifecycleReplacement":
			l.Replacement = replacement(result[0].(*ast.CompositeLit))
		}
		types[kind] = l
	}
	return types, nil
}

// minor reads `1, 25`.
func minor(results []ast.Expr) string {
	return results[0].(*ast.BasicLit).Value + "." + results[1].(*ast.BasicLit).Value
}

// replacement reads `schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}`.
func replacement(literal *ast.CompositeLit) string {
	fields := map[string]string{}
	for _, element := range literal.Elts {
		kv := element.(*ast.KeyValueExpr)
		fields[kv.Key.(*ast.Ident).Name] = strings.Trim(kv.Value.(*ast.BasicLit).Value, `"`)
	}
	return apiVersion(fields["Group"], fields["Version"]) + "/" + fields["Kind"]
}

// writeLifecycles writes "kind introduced deprecated removed replacement".
func writeLifecycles(dir string, all map[string]lifecycle) error {
	var out bytes.Buffer
	for _, gvk := range slices.Sorted(maps.Keys(all)) {
		l := all[gvk]
		fmt.Fprintf(&out, "%s %s %s %s %s\n", gvk, dash(l.Introduced), dash(l.Deprecated), dash(l.Removed), dash(l.Replacement))
	}
	return write(filepath.Join(dir, "lifecycle.txt"), out.Bytes())
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
