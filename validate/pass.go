package validate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// pass is the check of one target.
type pass struct {
	v      *Validator
	r      *render.Rendered
	crds   []*crd // of the render
	listed bool   // whether crds is complete
	result Result
}

// judgement is one schema to hold an object against. Releases are the minor
// versions for which it speaks, empty for schemas that have nothing to do with
// the version of Kubernetes. Note goes into the help of what it finds.
type judgement struct {
	shape    *shape
	releases []string
	severity finding.Severity
	note     string
}

// object checks one object: what it is called, whether its kind is served, and
// its shape.
func (p *pass) object(o *render.Object) error {
	if o.APIVersion == "" || o.Kind == "" {
		p.identity(o)
		p.result.Checked++
		return nil
	}
	p.identity(o)
	if p.v.kinds.builtin(gvkOf(o)) {
		return p.builtin(o)
	}
	return p.custom(o)
}

func gvkOf(o *render.Object) string { return o.APIVersion + "/" + o.Kind }

// report adds a finding at a place of an object.
func (p *pass) report(o *render.Object, pointer string, f finding.Finding) {
	p.result.Findings = append(p.result.Findings, p.r.At(o, pointer, f))
}

// notChecked records an object that has no schema, and why.
func (p *pass) notChecked(o *render.Object, reason string) {
	if p.v.strict {
		p.report(o, "/kind", finding.Finding{
			Rule: ruleMissing, Severity: finding.Error, Message: reason,
			Help: "add the CustomResourceDefinition to the repository, or name a schema location that has it",
		})
		return
	}
	p.result.NotChecked = append(p.result.NotChecked, finding.NotChecked{
		Target: p.r.Target.Path, Object: o.Object, Check: "schema", Reason: reason,
	})
}

// place is what makes two problems of one object the same.
type place struct {
	pointer, message, help string
	severity               finding.Severity
}

// judge holds an object against schemas and reports each problem once, with
// the versions in which it is one.
func (p *pass) judge(o *render.Object, judgements []judgement) {
	versions := map[place][]string{}
	for _, problem := range binary(o) {
		versions[place{problem.pointer(), problem.message, problem.help, finding.Error}] = nil
	}
	for _, j := range judgements {
		for _, problem := range j.shape.check(o.Value) {
			at := place{problem.pointer(), problem.message, join(problem.help, j.note), j.severity}
			versions[at] = append(versions[at], j.releases...)
		}
	}
	order := slices.SortedFunc(maps.Keys(versions), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.pointer, b.pointer), cmp.Compare(a.message, b.message), cmp.Compare(a.help, b.help))
	})
	for _, at := range order {
		f := finding.Finding{Rule: ruleInvalid, Severity: at.severity, Message: at.message, Help: at.help}
		if p.v.multiples {
			f.Message += forReleases(versions[at])
		}
		p.report(o, at.pointer, f)
	}
}

// forReleases is " for Kubernetes 1.33, 1.35", or nothing without versions.
func forReleases(minors []string) string {
	if len(minors) == 0 {
		return ""
	}
	minors = slices.Clone(minors)
	slices.SortFunc(minors, compareVersions)
	return " for Kubernetes " + strings.Join(slices.Compact(minors), ", ")
}

// join puts two parts of a help text together; either may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// nameless are the groups whose objects are requests, which need no name.
var nameless = []string{"authentication.k8s.io", "authorization.k8s.io"}

// identity checks that the object says what it is. Types are the schema's
// business.
func (p *pass) identity(o *render.Object) {
	invalid := func(pointer, message, help string) {
		p.report(o, pointer, finding.Finding{Rule: ruleInvalid, Severity: finding.Error, Message: message, Help: help})
	}
	if o.APIVersion == "" {
		invalid("", "apiVersion is required", "")
	}
	if o.Kind == "" {
		invalid("", "kind is required", "")
	}
	metadata, ok := o.Value["metadata"].(map[string]any)
	if (ok && (isSet(metadata["name"]) || isSet(metadata["generateName"]))) || slices.Contains(nameless, groupOf(gvkOf(o))) {
		return
	}
	pointer := ""
	if ok {
		pointer = "/metadata"
	}
	invalid(pointer, "metadata.name is required", "name the object, or set metadata.generateName where it is only ever created")
}

// isSet reports whether a field has a value; one of a wrong type counts, since
// the schema speaks about that.
func isSet(value any) bool { return value != nil && value != "" }

// duplicates reports objects that the target holds twice: applied one after
// the other, the last would silently win.
func (p *pass) duplicates() {
	first := map[[4]string]*render.Object{}
	for _, o := range p.r.Objects {
		key := [4]string{groupOf(gvkOf(o)), o.Kind, o.Namespace, o.Name}
		if o.Name == "" || o.Kind == "" {
			continue
		}
		earlier, ok := first[key]
		if !ok {
			first[key] = o
			continue
		}
		f := p.r.At(o, "/metadata/name", finding.Finding{
			Rule: ruleDuplicate, Severity: finding.Error,
			Message: fmt.Sprintf("%s is in this target twice", o),
			Help:    "remove or rename one of them; applied together, the last one wins",
		})
		if where := p.r.Place(earlier, "/metadata/name").Span; !where.IsZero() {
			f.Related = append(f.Related, finding.Related{Message: "the first one", Location: where})
		}
		p.result.Findings = append(p.result.Findings, f)
	}
}
