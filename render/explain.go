package render

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// cause is an error of kustomize's, taken apart as far as its text allows.
// The text itself is never shown: it quotes whatever kustomize stumbled over,
// the values of Secrets included. What is shown is one of our own sentences,
// with names and paths that are looked up in the text.
type cause struct {
	text  string // without the escapes of nested quoting
	plan  *plan
	layer *layer // the innermost kustomization that the text names
	tree  *recorder
}

// explanation turns the errors that match a pattern into a fault.
type explanation struct {
	pattern *regexp.Regexp
	explain func(c *cause, match []string) *fault
}

// explain turns an error of kustomize's into one sentence with a place.
func explain(err error, tree *recorder, p *plan) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	c := &cause{text: unescape(err.Error()), plan: p, tree: tree}
	c.layer = c.innermost()
	if errors.Is(err, errPanicked) {
		return c.fault("kustomize panicked while it built this target", "report this with the files that the target reads")
	}
	if f := c.malformed(); f != nil {
		return f
	}
	for _, e := range explanations() {
		if m := e.pattern.FindStringSubmatch(c.text); m != nil {
			return e.explain(c, m)
		}
	}
	return c.fault("kustomize cannot build this target", "run `kustomize build "+p.root.Dir+"` to see its own words; they are not repeated here, because they may quote a secret")
}

var escapes = regexp.MustCompile(`\\+(["'])`)

// unescape undoes the %q that kustomize wraps around the errors of components.
func unescape(text string) string {
	return escapes.ReplaceAllString(strings.ReplaceAll(text, `\n`, "\n"), "$1")
}

var recursed = regexp.MustCompile(`(?:recursed accumulation of path|recursed merging from path|couldn't make target for path) '` + mount + `/?([^']*)'`)

// innermost finds the layer of the last directory that the text names.
func (c *cause) innermost() *layer {
	all := recursed.FindAllStringSubmatch(c.text, -1)
	for i := len(all) - 1; i >= 0; i-- {
		if l := c.plan.layerAt(path.Clean(all[i][1])); l != nil {
			return l
		}
	}
	return c.plan.root
}

// layerAt finds a layer by its directory.
func (p *plan) layerAt(dir string) *layer {
	for _, l := range layersOf(p.root) {
		if l.Dir == dir {
			return l
		}
	}
	return nil
}

// fault places a sentence at the innermost kustomization.
func (c *cause) fault(message, help string) *fault {
	return &fault{Rule: ruleRenderError, Message: message, Help: help, Span: finding.Span{File: c.layer.Path}}
}

// at places a sentence at the first reference that qualifies, looked for in the
// innermost layer first and then in all of them.
func (c *cause) at(message, help string, qualifies func(l *layer, ref *reference) bool) *fault {
	f := c.fault(message, help)
	for _, l := range append([]*layer{c.layer}, layersOf(c.plan.root)...) {
		for i := range l.Refs {
			if qualifies(l, &l.Refs[i]) {
				f.Span = l.Refs[i].Span
				return f
			}
		}
	}
	return f
}

// atField places a sentence at a top-level field of the innermost layer that
// has it.
func (c *cause) atField(message, help, field string) *fault {
	f := c.fault(message, help)
	for _, l := range append([]*layer{c.layer}, layersOf(c.plan.root)...) {
		if key, _ := l.fieldPair(field); key != nil {
			f.Span = l.File.Span(key)
			return f
		}
	}
	return f
}

var aboutSyntax = regexp.MustCompile(`(?i)yaml|json|pars|metadata`)

// malformed finds the first file of the target that is not YAML, or whose
// documents are not all objects.
func (c *cause) malformed() *fault {
	if !aboutSyntax.MatchString(c.text) {
		return nil
	}
	for _, l := range layersOf(c.plan.root) {
		for i := range l.Refs {
			ref := &l.Refs[i]
			if ref.Path == "" || ref.Role == roleData || ref.Role == roleEnv {
				continue
			}
			if f := c.parseFault(ref); f != nil {
				return f
			}
		}
	}
	return nil
}
