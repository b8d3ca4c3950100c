package validate

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// definitions returns the CustomResourceDefinitions of the render for a kind.
func (p *pass) definitions(group, kind string) []*crd {
	if !p.listed {
		for _, o := range p.r.Objects {
			if o.Kind != crdKind {
				continue
			}
			if c := newCRD(o.Value); c != nil {
				p.crds = append(p.crds, c)
			}
		}
		p.listed = true
	}
	var out []*crd
	for _, c := range p.crds {
		if c.group == group && c.kind == kind {
			out = append(out, p.v.remember(c))
		}
	}
	return out
}

// remember returns the definition that another target rendered with the same
// bytes, so that a shared base is converted and compiled once.
func (v *Validator) remember(c *crd) *crd {
	data, err := json.Marshal(c.value)
	if err != nil {
		return c // not a number, for example: the definition's own check says so
	}
	known, _ := v.rendered.LoadOrStore(sha256.Sum256(data), c)
	return known.(*crd)
}

// byRender judges by a definition that is applied together with the object. It
// is what the cluster will have, so a version that it lacks is an error.
func (p *pass) byRender(o *render.Object) bool {
	gvk := gvkOf(o)
	found := p.definitions(groupOf(gvk), o.Kind)
	if len(found) == 0 {
		return false
	}
	c := found[0]
	s, err := c.shape(gvk)
	switch {
	case err != nil:
		p.brokenInRender(o, c, err)
	case s == nil:
		p.result.Checked++
		p.report(o, "/apiVersion", finding.Finding{
			Rule: ruleInvalid, Severity: finding.Error,
			Message: fmt.Sprintf("the CustomResourceDefinition in this target does not serve %s", spoken(gvk)),
			Help:    "it serves " + strings.Join(c.served(), ", "),
		})
	default:
		p.result.Checked++
		p.judge(o, []judgement{{shape: s, severity: finding.Error}})
		p.outdated(o, c)
	}
	return true
}

// brokenInRender reports a definition of the render at its own place.
func (p *pass) brokenInRender(o *render.Object, c *crd, err error) {
	for _, holder := range p.r.Objects {
		if holder.Kind == crdKind && holder.Name == c.name {
			p.report(holder, "/spec", c.broken(err))
			break
		}
	}
	p.notChecked(o, "the CustomResourceDefinition "+c.name+" in this target cannot be used")
}
