package policy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/sallyport/sallyport/finding"
)

// conftest's names of rules that judge, and of rules that lift a judgement.
var (
	warnName = regexp.MustCompile(`^warn(_[a-zA-Z0-9]+)*$`)
	denyName = regexp.MustCompile(`^(deny|violation)(_[a-zA-Z0-9]+)*$`)
)

const exceptionName = "exception"

// verdict is something to ask about every object: one definition of a partial
// set such as `deny contains msg if …`, so that each definition can carry its
// own METADATA; or all definitions of a complete rule such as `deny := [...]`,
// which only have a value together.
type verdict struct {
	namespace string
	name      string  // deny, warn_latest, …
	ref       ast.Ref // where its value is: data.main["deny#0"]
	excepted  bool    // the namespace has exceptions
	loc       *ast.Location
	bundled   bool
	dir       string // directory of the bundled rule's files
	meta      metadata
}

func isVerdict(r *ast.Rule) bool {
	name := r.Head.Name.String()
	return len(r.Head.Args) == 0 && (warnName.MatchString(name) || denyName.MatchString(name))
}

// exception returns the name that an exception lifts this verdict by: the
// rule's name without its prefix.
func (v verdict) exception() string {
	_, suffix, _ := strings.Cut(v.name, "_")
	return suffix
}

func (v verdict) severity() finding.Severity {
	switch {
	case v.meta.severity != 0:
		return v.meta.severity
	case strings.HasPrefix(v.name, "warn"):
		return finding.Warning
	}
	return finding.Error
}

// id is the rule's name in findings.
func (v verdict) id() string {
	if v.meta.id != "" {
		return v.meta.id
	}
	return v.namespace + "/" + v.name
}

// collect finds the verdicts of the chosen namespaces and of the bundled rules,
// in the order of files and lines. Each definition of a partial set is given a
// twin under a name of its own in its module, which is what gets asked.
func collect(modules []module, opts Options) ([]verdict, error) {
	chosen, err := matcher(opts.Namespaces)
	if err != nil {
		return nil, err
	}
	notes, errs := ast.BuildAnnotationSet(asts(modules))
	if len(errs) > 0 {
		return nil, configError(errs)
	}
	c := collector{notes: notes, complete: completeRules(modules), excepted: exceptions(modules)}
	for _, m := range modules {
		if !m.bundled && !chosen(namespace(m.Module)) {
			continue
		}
		if err := c.module(m); err != nil {
			return nil, err
		}
	}
	if err := somethingChosen(c.verdicts, modules, opts.Namespaces); err != nil {
		return nil, err
	}
	return choose(c.verdicts, opts)
}

type collector struct {
	notes    *ast.AnnotationSet
	complete map[string]bool // rules that are no partial set, by path
	excepted map[string]bool // namespaces with exceptions
	verdicts []verdict
}

func (c *collector) module(m module) error {
	for _, rule := range slices.Clone(m.Rules) {
		if err := checkShape(rule); err != nil {
			return err
		}
		if !isVerdict(rule) {
			continue
		}
		meta, err := readMetadata(c.notes.Chain(rule))
		if err != nil {
			return err
		}
		v := verdict{
			namespace: namespace(m.Module),
			name:      rule.Head.Name.String(),
			ref:       rule.Ref().GroundPrefix(),
			excepted:  c.excepted[namespace(m.Module)],
			loc:       rule.Location,
			bundled:   m.bundled,
			dir:       path.Dir(strings.TrimPrefix(m.file, bundledName)),
			meta:      meta,
		}
		switch complete := c.complete[v.ref.String()]; {
		case complete && c.has(v.ref):
			continue
		case !complete:
			v.ref = twin(m.Module, rule, len(c.verdicts))
		}
		c.verdicts = append(c.verdicts, v)
	}
	return nil
}

func (c *collector) has(ref ast.Ref) bool {
	return slices.ContainsFunc(c.verdicts, func(v verdict) bool { return v.ref.Equal(ref) })
}

// twin adds a copy of a partial set's definition to its module and returns
// where its value is. The copy's name cannot be written in Rego, so it clashes
// with nothing.
func twin(m *ast.Module, rule *ast.Rule, n int) ast.Ref {
	copied := rule.Copy()
	copied.Annotations = nil
	name := fmt.Sprintf("%s#%d", rule.Head.Name, n)
	copied.Head.Name = ast.Var(name)
	copied.Head.Reference = ast.Ref{ast.VarTerm(name)}
	m.Rules = append(m.Rules, copied)
	return m.Package.Path.Append(ast.StringTerm(name))
}

// checkShape refuses rules that look like verdicts and can never report: a gate
// must not pass an object because its policy is mute. conftest passes them,
// except `deny[msg] if` (open-policy-agent/opa#6509), which it refuses too.
func checkShape(rule *ast.Rule) error {
	head := rule.Head
	first := head.Name.String()
	if first == "" && len(head.Reference) > 0 {
		first = strings.Trim(head.Reference[0].Value.String(), `"`)
	}
	if len(head.Args) > 0 || !warnName.MatchString(first) && !denyName.MatchString(first) {
		return nil
	}
	if len(head.Reference) > 1 && head.Value != nil {
		return configErrorAt(rule.Location, "%s must be a set of messages: write `%s contains msg if { … }`", first, first)
	}
	if len(head.Reference) > 1 {
		return configErrorAt(rule.Location, "%s is not asked: write `%s_suffix contains msg if { … }`", head.Reference, first)
	}
	if value := head.Value; value != nil && head.Key == nil && value.Equal(ast.BooleanTerm(true)) {
		return configErrorAt(rule.Location, "%s yields true, not messages: write `%s contains msg if { … }`", first, first)
	}
	return nil
}

func asts(modules []module) []*ast.Module {
	out := make([]*ast.Module, len(modules))
	for i, m := range modules {
		out[i] = m.Module
	}
	return out
}

// completeRules returns the paths of verdicts with at least one definition that
// is no partial set.
func completeRules(modules []module) map[string]bool {
	out := map[string]bool{}
	for _, m := range modules {
		for _, rule := range m.Rules {
			if isVerdict(rule) && rule.Head.RuleKind() != ast.MultiValue {
				out[rule.Ref().GroundPrefix().String()] = true
			}
		}
	}
	return out
}

// exceptions returns the namespaces that have exceptions.
func exceptions(modules []module) map[string]bool {
	out := map[string]bool{}
	for _, m := range modules {
		for _, rule := range m.Rules {
			if rule.Head.Name == exceptionName && len(rule.Head.Args) == 0 {
				out[namespace(m.Module)] = true
			}
		}
	}
	return out
}
