// Package policy judges rendered objects by rules written in Rego.
//
// It follows conftest's conventions, so that a policy directory that works with
// conftest gives the same verdicts here: in the chosen namespaces every rule
// called deny, violation or warn (also with a suffix, as in deny_latest) yields
// a set of messages, a rule called exception lifts others, and the input is one
// object. Beyond conftest, the METADATA annotations of a rule name and document
// it, so that a finding carries the rule's own id rather than main/deny.
//
// A [Set] is compiled once and asked once for each object. Policies are part of
// what is reviewed, so they cannot reach the network, the clock, the environment
// or random numbers: a verdict depends on the object, the policy and its data.
//
// It is the only package that knows OPA.
package policy

import (
	"context"
	"io/fs"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"

	"github.com/sallyport/sallyport/finding"
)

// DefaultNamespace is where rules are looked for when Options names no
// namespace, as in conftest.
const DefaultNamespace = "main"

// reserved is the first package name of everything that is bundled. Other
// modules and data documents may read below it but not add to it: a policy
// under review must not be able to soften a bundled rule.
const reserved = "sallyport"

// evalTimeout bounds the evaluation of one object. The whole bundled set takes
// under a millisecond; ten seconds is far beyond any honest policy on the
// largest object that the API server accepts, and stops an endless one.
const evalTimeout = 10 * time.Second

// Options says what to load. The zero value loads nothing.
type Options struct {
	// Bundled holds the rules that ship with the program; every rule in it is
	// on unless Disable names it or it is an opt-in rule (custom.optin) that
	// Enable does not name. "*" in Enable takes all of them.
	Bundled fs.FS
	Disable []string
	Enable  []string

	// Sources are the Rego modules of policy directories. Files that do not end
	// in .rego are passed over; so are _test.rego files without verdicts.
	Sources []Source
	// Data are the JSON and YAML documents that policies read below `data`, as
	// conftest's --data.
	Data []Source
	// Namespaces are the packages of Sources whose rules count, as conftest's
	// --namespace: literal, or patterns with *, ? and [ ]. "*" is conftest's
	// --all-namespaces. Empty means DefaultNamespace. They do not concern the
	// bundled rules.
	Namespaces []string
}

// Source is one file, read from the repository by the caller. Path is relative
// to the repository root. Mount, used for data only, is the file's directory
// relative to the directory that --data named: the document appears below
// `data` at that path, at the root if it is empty.
type Source struct {
	Path  string
	Data  []byte
	Mount string
}

// Set is a compiled set of policies. It is safe for concurrent use.
type Set struct {
	query    rego.PreparedEvalQuery
	verdicts []verdict
	rules    []finding.Rule
	timeout  time.Duration
}

// Load parses, checks and compiles policies. What is wrong with them is a
// *ConfigError.
func Load(ctx context.Context, opts Options) (*Set, error) {
	modules, err := parseAll(opts)
	if err != nil {
		return nil, err
	}
	store, err := loadData(opts.Data)
	if err != nil {
		return nil, err
	}
	set := &Set{timeout: evalTimeout}
	if set.verdicts, err = collect(modules, opts); err != nil {
		return nil, err
	}
	set.rules = documentation(set.verdicts, opts.Bundled)
	if err := set.prepare(ctx, modules, store); err != nil {
		return nil, err
	}
	return set, nil
}

// Len returns how many rules are loaded, by name.
func (s *Set) Len() int { return len(s.rules) }

// Rules returns the documentation of the loaded rules, sorted by name. The
// caller must not change it.
func (s *Set) Rules() []finding.Rule { return s.rules }

// prepare compiles the modules with the entry point that asks every verdict at
// once.
func (s *Set) prepare(ctx context.Context, modules []module, store storage.Store) error {
	entry, err := entryPoint(s.verdicts)
	if err != nil {
		return err
	}
	compiler, err := compile(append(modules, entry), ast.NewCompiler())
	if err != nil {
		return err
	}
	s.query, err = rego.New(
		rego.Query("data."+entryPackage),
		rego.Compiler(compiler),
		rego.Capabilities(capabilities()),
		rego.Store(store),
		parseConfig(),
	).PrepareForEval(ctx)
	if err != nil {
		return configError(err)
	}
	return nil
}
