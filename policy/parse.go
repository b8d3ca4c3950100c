package policy

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

const (
	regoExt     = ".rego"
	testSuffix  = "_test.rego"
	bundledName = "bundled:" // heads the names of bundled files; no repository path contains it first
)

// module is one parsed Rego file.
type module struct {
	*ast.Module
	file    string
	bundled bool
}

// isTest reports whether the file holds unit tests.
func (m module) isTest() bool { return strings.HasSuffix(m.file, testSuffix) }

// parseAll parses everything that Options names, without unit tests. A test
// file that defines verdicts is kept, as conftest would run them.
func parseAll(opts Options) ([]module, error) {
	modules, err := parseWithTests(opts)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(modules, func(m module) bool {
		return m.isTest() && !slices.ContainsFunc(m.Rules, isVerdict)
	}), nil
}

func parseWithTests(opts Options) ([]module, error) {
	modules, err := parseBundled(opts.Bundled)
	if err != nil {
		return nil, err
	}
	for _, src := range opts.Sources {
		if !strings.HasSuffix(src.Path, regoExt) {
			continue
		}
		m, err := parse(src.Path, src.Data)
		if err != nil {
			return nil, err
		}
		if name := namespace(m.Module); name == reserved || strings.HasPrefix(name, reserved+".") {
			return nil, configErrorAt(m.Package.Location, "package %s is reserved for the bundled rules", name)
		}
		modules = append(modules, module{Module: m.Module, file: src.Path})
	}
	return modules, nil
}

func parseBundled(bundled fs.FS) ([]module, error) {
	if bundled == nil {
		return nil, nil
	}
	var modules []module
	err := fs.WalkDir(bundled, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, regoExt) {
			return err
		}
		data, err := fs.ReadFile(bundled, path)
		if err != nil {
			return err
		}
		m, err := parse(bundledName+path, data)
		if err != nil {
			return err
		}
		m.bundled = true
		modules = append(modules, m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bundled policies: %w", err)
	}
	return modules, nil
}

// parse reads a file as Rego v1, and as v0 where it is no v1. conftest has one
// --rego-version for all files; a repository half way through the migration
// loads here as it is. If neither fits, the error is of the version that got
// further.
func parse(file string, data []byte) (module, error) {
	m, err := parseAs(file, data, ast.RegoV1)
	if err == nil {
		return module{Module: m, file: file}, nil
	}
	m, err0 := parseAs(file, data, ast.RegoV0)
	if err0 == nil {
		return module{Module: m, file: file}, nil
	}
	if firstLine(err0) > firstLine(err) {
		err = err0
	}
	return module{}, configError(err)
}

func parseAs(file string, data []byte, version ast.RegoVersion) (*ast.Module, error) {
	return ast.ParseModuleWithOpts(file, string(data), ast.ParserOptions{
		ProcessAnnotation: true,
		RegoVersion:       version,
	})
}

func firstLine(err error) int {
	if e, ok := configError(err).(*ConfigError); ok {
		return e.Span.Start.Line
	}
	return 0
}

// namespace is the package's name as conftest writes it: without "data.".
func namespace(m *ast.Module) string {
	return strings.Replace(m.Package.Path.String(), "data.", "", 1)
}

// compile compiles the modules with what policies may use.
func compile(modules []module, compiler *ast.Compiler) (*ast.Compiler, error) {
	byFile := make(map[string]*ast.Module, len(modules))
	for _, m := range modules {
		byFile[m.file] = m.Module
	}
	compiler.WithCapabilities(capabilities()).Compile(byFile)
	if compiler.Failed() {
		return nil, configError(compiler.Errors)
	}
	return compiler, nil
}
