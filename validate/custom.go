package validate

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// custom checks an object of a custom kind by the first schema of: a
// CustomResourceDefinition of the render, one in the repository, the given
// locations, the embedded ones.
func (p *pass) custom(o *render.Object) error {
	if p.byRender(o) {
		return nil
	}
	done, reasons := p.byRepository(o)
	if done {
		return nil
	}
	if done, err := p.byLocation(o, p.v.before); done || err != nil {
		return err
	}
	if done, err := p.byEmbedded(o); done || err != nil {
		return err
	}
	if done, err := p.byLocation(o, p.v.after); done || err != nil {
		return err
	}
	p.notChecked(o, strings.Join(append([]string{"no schema for " + spoken(gvkOf(o))}, reasons...), "; "))
	metadata, err := p.metadataOnly()
	if err == nil {
		metadata.severity = finding.Warning // it may be no object of a cluster at all
		p.judge(o, []judgement{metadata})
	}
	return err
}

// byRepository judges by a definition somewhere in the repository. It may hold
// several (one for each cluster, or copies): an object that one of them accepts
// is valid, and otherwise the one nearest to the target speaks. A definition
// that lacks the version, or does not parse, is a reason that the caller may
// need.
func (p *pass) byRepository(o *render.Object) (done bool, reasons []string) {
	gvk := gvkOf(o)
	all := p.v.files.find(groupOf(gvk), o.Kind, p.r.Target.Path)
	var usable []*crd
	var broken []finding.Finding
	for _, c := range all.found {
		switch s, err := c.shape(gvk); {
		case err != nil:
			broken = append(broken, c.broken(err))
			reasons = append(reasons, c.file+" cannot be used")
		case s == nil:
			reasons = append(reasons, fmt.Sprintf("%s does not serve this version", c.file))
		default:
			usable = append(usable, c)
		}
	}
	for _, path := range all.unreadable {
		reasons = append(reasons, path+" may define it and does not parse")
	}
	if len(usable) == 0 {
		for _, f := range broken {
			f.Targets = []string{p.r.Target.Path}
			p.result.Findings = append(p.result.Findings, f)
		}
		return false, reasons
	}
	p.result.Checked++
	p.judgeAny(o, usable)
	return true, nil
}

// judgeAny reports what the first definition finds, unless another accepts the
// object.
func (p *pass) judgeAny(o *render.Object, usable []*crd) {
	gvk := gvkOf(o)
	for _, c := range usable {
		if s, _ := c.shape(gvk); s != nil && len(s.check(o.Value)) == 0 {
			p.outdated(o, c)
			return
		}
	}
	nearest := usable[0]
	s, _ := nearest.shape(gvk)
	p.judge(o, []judgement{{shape: s, severity: finding.Error, note: "judged by " + nearest.file}})
}

// outdated warns about a version that its definition marks as deprecated.
func (p *pass) outdated(o *render.Object, c *crd) {
	versions, err := c.versions()
	if err != nil || !versions[gvkOf(o)].Deprecated {
		return
	}
	p.reportOutdated(o, "its CustomResourceDefinition serves "+strings.Join(c.served(), ", "))
}

func (p *pass) reportOutdated(o *render.Object, help string) {
	p.report(o, "/apiVersion", finding.Finding{
		Rule: ruleDeprecated, Severity: finding.Warning,
		Message: spoken(gvkOf(o)) + " is deprecated by its CustomResourceDefinition",
		Help:    help,
	})
}

// byLocation judges by the schemas of given locations, which may differ from
// one Kubernetes version to the next.
func (p *pass) byLocation(o *render.Object, l *locations) (bool, error) {
	var judgements []judgement
	for _, k := range p.v.releases {
		s, err := l.lookup(o.APIVersion, o.Kind, k)
		if err != nil {
			return false, err
		}
		if s != nil {
			judgements = append(judgements, judgement{shape: s, releases: []string{k.minor}, severity: finding.Error})
		}
	}
	if len(judgements) == 0 {
		return false, nil
	}
	judgements = fuse(judgements)
	if len(judgements) == 1 && len(judgements[0].releases) == len(p.v.releases) {
		judgements[0].releases = nil // one schema whatever the version
	}
	metadata, err := p.metadataOnly()
	if err != nil {
		return false, err
	}
	p.result.Checked++
	p.judge(o, append(judgements, metadata))
	return true, nil
}

// byEmbedded judges by the schemas that ship with this program. The cluster
// may have another version of the project, so what they find is a warning.
func (p *pass) byEmbedded(o *render.Object) (bool, error) {
	c, err := p.v.engine.custom(gvkOf(o))
	if c == nil || err != nil {
		return false, err
	}
	p.result.Checked++
	note := "judged by the embedded definition of " + c.source + ", the cluster's may be newer"
	p.judge(o, []judgement{{shape: c.shape, severity: finding.Warning, note: note}})
	if c.deprecated {
		help := "see the documentation of " + c.source
		if successors := p.v.engine.successors(gvkOf(o)); len(successors) > 0 {
			help = "use " + spoken(successors[len(successors)-1])
		}
		p.reportOutdated(o, help)
	}
	return true, nil
}

// metadataOnly judges what all objects have in common. It stands in for a
// schema that is missing, and beside one that, as the published ones of custom
// kinds do, says nothing about metadata.
func (p *pass) metadataOnly() (judgement, error) {
	s, err := p.v.metadata()
	return judgement{shape: s, severity: finding.Error}, err
}
