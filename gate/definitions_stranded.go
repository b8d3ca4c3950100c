package gate

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/validate"
)

var ruleDefinitionRemoved = finding.Rule{
	Name:     "crd-removed",
	Severity: finding.Error,
	Title:    "A change takes away the definition of an object that stays",
	Doc: "Compared with the state before the change (`--changed-since`, `--policy-from`), no target delivers the " +
		"CustomResourceDefinition of this object any more, or it has stopped to serve the object's version. " +
		"When the definition is deleted, as a prune does, the API server deletes every object of the kind in the whole " +
		"cluster, also those that are in no repository, and what their controller keeps for them may go too; it comes back empty. " +
		"A version that is not served is refused. " +
		"A definition that some target delivers counts as delivered: which cluster a target is for is not known. " +
		"A warning is a definition that no target delivered: it lay in the repository, and its objects are not checked any more. " +
		"Where something else delivers the definition from now on, a chart for example, take care that the prune leaves it alone, and waive the finding.",
	Fix: "keep the definition; or remove the objects first, in a change of their own; move them to a version that is served before the old one goes",
	Bad: finding.Example{"crds/kustomization.yaml": "resources: []\n", "widget.yaml": exampleWidget},
	Good: finding.Example{
		"crds/kustomization.yaml": "resources: [widgets.yaml]\n", "crds/widgets.yaml": exampleDefinition, "widget.yaml": exampleWidget,
	},
}

const (
	exampleWidget     = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: gear, namespace: shop}\n"
	exampleDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`
)

// escaped matches text that may have a name of a kind without showing it.
var escaped = regexp.MustCompile(`\\[xuU\n]`)

// stranded finds the objects of the run's targets that are of a lost version.
func (x *definitions) stranded(ctx context.Context, lost map[string]loss) ([]finding.Finding, error) {
	targets, err := x.targetsOf(ctx, x.now)
	if err != nil {
		return nil, err
	}
	mentions := map[string]bool{} // by file
	mention := func(file string) bool {
		found, known := mentions[file]
		if !known {
			data, _ := x.now.sealed.ReadFile(file) // what cannot be read does not render
			found = escaped.Match(data)
			for _, l := range lost {
				found = found || bytes.Contains(data, []byte(l.was.Kind))
			}
			mentions[file] = found
		}
		return found
	}
	targets = slices.DeleteFunc(targets, func(t render.Target) bool { return !x.now.reads(t, mention) })
	found := make([][]finding.Finding, len(targets))
	err = x.each(ctx, len(targets), func(i int) error {
		r, err := x.now.builder.Build(ctx, targets[i])
		if err != nil {
			return err
		}
		found[i] = x.strandedIn(r, lost)
		return nil
	})
	return slices.Concat(found...), err
}

// strandedIn finds them in one target. Where the target has the definition itself,
// the schema check says that it does not serve the version.
func (x *definitions) strandedIn(r *render.Rendered, lost map[string]loss) []finding.Finding {
	own := map[string]bool{}
	for _, o := range offersOf(r) {
		own[o.Group+"/"+o.Kind] = true
	}
	var out []finding.Finding
	for _, o := range r.Objects {
		l, ok := lost[kindOf(o.Object)]
		switch {
		case !ok || own[l.was.Group+"/"+l.was.Kind]:
		case l.left != nil:
			out = append(out, x.unserved(r, o, l))
		default:
			out = append(out, x.undefined(r, o, l))
		}
	}
	return out
}

func (x *definitions) undefined(r *render.Rendered, o *render.Object, l loss) finding.Finding {
	return r.At(o, "/kind", finding.Finding{
		Rule: ruleDefinitionRemoved.Name, Severity: finding.Error,
		Message: fmt.Sprintf("the change removes CustomResourceDefinition %s and leaves this %s: with a definition the API server deletes every object of its kind",
			l.was.Name, o.Kind),
		Help: "keep the definition" + x.where(l.was.place()) + " or remove its objects first, in a change of their own",
	})
}

func (x *definitions) unserved(r *render.Rendered, o *render.Object, l loss) finding.Finding {
	f := finding.Finding{
		Rule: ruleDefinitionRemoved.Name, Severity: finding.Error,
		Message: fmt.Sprintf("the change stops CustomResourceDefinition %s from serving %s and leaves this %s in it: the API server refuses it",
			l.was.Name, o.APIVersion, o.Kind),
		Help: "keep the version" + x.where(l.was.place()) + " until nothing uses it",
	}
	if left := l.left.Versions; len(left) > 0 {
		f.Help = "move the object to " + strings.Join(left, " or ") + " first; " + f.Help
	}
	if place := l.left.place(); !place.IsZero() {
		f.Related = []finding.Related{{Message: "the definition as it is now", Location: place}}
	}
	return r.At(o, "/apiVersion", f)
}

// where says where the base has something.
func (x *definitions) where(at finding.Span) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf(", %s at the merge base with %s,", at, x.since)
}

// unchecked warns about objects that no schema speaks of any more, because the
// definition is gone by which they were judged.
func (x *definitions) unchecked(ctx context.Context, d *done, lost map[string]loss) ([]finding.Finding, error) {
	had := map[string]validate.Definition{}
	for _, def := range validate.Definitions(x.old.sealed) {
		for _, version := range def.Versions {
			at := version + "/" + def.Kind
			if _, known := had[at]; !known {
				had[at] = def
			}
		}
	}
	var out []finding.Finding
	for _, o := range d.outcomes {
		gone := map[finding.Object]bool{}
		for _, n := range o.notChecked {
			_, is := lost[kindOf(n.Object)]
			_, was := had[kindOf(n.Object)]
			gone[n.Object] = n.Check == checkSchema && was && !is
		}
		if !slices.ContainsFunc(o.notChecked, func(n finding.NotChecked) bool { return gone[n.Object] }) {
			continue
		}
		r, err := x.now.builder.Build(ctx, o.target)
		if err != nil {
			return nil, err
		}
		for _, object := range r.Objects {
			if !gone[object.Object] {
				continue
			}
			def := had[kindOf(object.Object)]
			out = append(out, r.At(object, "/kind", finding.Finding{
				Rule: ruleDefinitionRemoved.Name, Severity: finding.Warning,
				Message: fmt.Sprintf("the change takes away CustomResourceDefinition %s, by which this %s was checked: it is checked no longer", def.Name, object.Kind),
				Help:    "keep the definition" + x.where(def.Location) + " or name a schema location that has it",
			}))
		}
	}
	return out, nil
}
