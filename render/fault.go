package render

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// fault is an error that knows its rule and its place.
type fault struct {
	Rule     string
	Severity finding.Severity // the rule's where it is zero
	Message  string
	Help     string
	Span     finding.Span // without a line it means the first one
	Related  []finding.Related
}

func (f *fault) Error() string {
	if f.Span.IsZero() {
		return f.Message
	}
	return lined(f.Span).String() + ": " + f.Message
}

// finding turns the fault into a finding about a target; target may be empty.
func (f *fault) finding(target string) finding.Finding {
	out := finding.Finding{
		Rule: f.Rule, Severity: cmp.Or(f.Severity, severityOf(f.Rule)), Message: f.Message, Help: f.Help,
		Location: lined(f.Span), Related: f.Related,
	}
	if f.Span.IsZero() {
		out.Unplaced = "kustomize does not say which file is the cause"
	}
	if target != "" {
		out.Targets = []string{target}
	}
	return out
}

// lined gives a span that names a whole file the file's first line: whatever
// shows findings beside text needs a line to put them at.
func lined(s finding.Span) finding.Span {
	if s.File != "" && s.Start.Line == 0 {
		s.Start = finding.Position{Line: 1, Column: 1}
		s.End = s.Start
	}
	return s
}

// unreadable is the fault for a file that exists and cannot be read.
func unreadable(file string, err error) *fault {
	var refused *repo.RefusedError
	if errors.As(err, &refused) {
		at := finding.Position{Line: refused.Line, Column: refused.Column}
		return &fault{Rule: refused.Rule, Message: refused.Reason, Span: finding.Span{File: refused.Path, Start: at, End: at}}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &fault{Rule: ruleRenderError, Message: "the file does not exist", Span: finding.Span{File: file}}
	}
	return &fault{Rule: ruleRenderError, Message: "the file cannot be read", Span: finding.Span{File: file}}
}

// unparsable is the fault for a file that is not safe, or not YAML.
func unparsable(file string, err error) *fault {
	var bad *source.Error
	if !errors.As(err, &bad) {
		return &fault{Rule: ruleRenderError, Message: "the file cannot be parsed", Span: finding.Span{File: file}}
	}
	rule := ruleRenderError
	if bad.Unsafe {
		rule = ruleYAMLUnsafe
	}
	return &fault{Rule: rule, Message: bad.Message, Span: bad.Span}
}

var (
	unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)
	wrongType    = regexp.MustCompile(`cannot unmarshal (\w+)(?: \S+)? into Go struct field \w+\.([\w.]+) of type (\S+)`)
)

// decodeFault places the error of kustomize's decoder, which names a field but
// no line.
func (k *kustomization) decodeFault(err error) *fault {
	f := &fault{Rule: ruleRenderError, Message: "this is not a valid kustomization", Span: finding.Span{File: k.Path}}
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		f.Message = fmt.Sprintf("a kustomization has no field %s", m[1])
		if key := findKey(k.Root, m[1]); key != nil {
			f.Span = k.File.Span(key)
		}
		return f
	}
	if odd := k.oddKey(); odd != nil && strings.Contains(err.Error(), "map key") {
		return odd
	}
	if m := wrongType.FindStringSubmatch(err.Error()); m != nil {
		f.Message = fmt.Sprintf("%s holds %s where kustomize expects %s", m[2], jsonKind(m[1]), goKind(m[3]))
		if node := findMisfit(k.Root, strings.Split(m[2], "."), m[1]); node != nil {
			f.Span = k.File.Span(node)
		}
	}
	return f
}

// typeFault is for an apiVersion or kind that no kustomization has.
func (k *kustomization) typeFault(kind string) *fault {
	f := &fault{Rule: ruleRenderError, Span: finding.Span{File: k.Path}}
	field := "apiVersion"
	switch kind {
	case "Kustomization", "":
		f.Message = "apiVersion of a Kustomization must be kustomize.config.k8s.io/v1beta1"
	case "Component":
		f.Message = "apiVersion of a Component must be kustomize.config.k8s.io/v1alpha1"
	default:
		f.Message, field = "kind must be Kustomization or Component", "kind"
	}
	if key, value := k.fieldPair(field); key != nil {
		f.Span = k.File.Span(value)
	}
	return f
}
