package validate

import (
	"fmt"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// builtin checks an object of one of Kubernetes' own groups against each
// version that was asked for.
//
// Where none of them serves the kind any more, api-removed says so and the
// shape is judged by the newest version that still knew it, if that one is
// embedded: what is wrong there has to be put right for the replacement too.
func (p *pass) builtin(o *render.Object) error {
	gvk := gvkOf(o)
	var judgements []judgement
	absent := map[presence]absence{}
	for _, k := range p.v.releases {
		status, since := p.v.kinds.in(k.minor, gvk)
		s, err := p.shapeFor(o, k, status)
		if err != nil {
			return err
		}
		if s != nil {
			judgements = append(judgements, judgement{shape: s, releases: []string{k.minor}, severity: finding.Error})
		}
		if s == nil {
			absent[status] = absence{append(absent[status].minors, k.minor), since}
		}
	}
	p.absent(o, absent)
	gone := len(absent[removed].minors) > 0
	if !gone {
		p.deprecated(o)
	}
	if gone && len(judgements) == 0 {
		last, err := p.lastShape(gvk)
		if err != nil {
			return err
		}
		judgements = append(judgements, last...)
	}
	p.result.Checked++
	p.judge(o, fuse(judgements))
	return nil
}

// shapeFor finds the schema of a built-in kind: a location that overrides it,
// the embedded definition, a location that adds what that lacks.
func (p *pass) shapeFor(o *render.Object, k release, status presence) (*shape, error) {
	if status == removed {
		return nil, nil
	}
	s, err := p.v.before.lookup(o.APIVersion, o.Kind, k)
	if s != nil || err != nil {
		return s, err
	}
	if s, err = p.v.engine.builtin(k.minor, gvkOf(o)); s != nil || err != nil {
		return s, err
	}
	return p.v.after.lookup(o.APIVersion, o.Kind, k)
}

// lastShape is the schema of the newest version that knows a removed kind.
func (p *pass) lastShape(gvk string) ([]judgement, error) {
	_, last := p.v.kinds.span(gvk)
	if last == "" {
		return nil, nil
	}
	s, err := p.v.engine.builtin(last, gvk)
	if s == nil || err != nil {
		return nil, err
	}
	return []judgement{{shape: s, releases: []string{last}, severity: finding.Error}}, nil
}

// fuse joins judgements by the same schema, so that an object is held against
// it once for all the versions that share it.
func fuse(in []judgement) []judgement {
	var out []judgement
	at := map[*shape]int{}
	for _, j := range in {
		if i, ok := at[j.shape]; ok {
			out[i].releases = append(out[i].releases, j.releases...)
			continue
		}
		at[j.shape] = len(out)
		out = append(out, j)
	}
	return out
}

// absence is a list of versions that do not serve a kind for one reason, and
// the version that removed or introduced it.
type absence struct {
	minors []string
	since  string
}

// absent reports the versions that do not serve the object's kind.
func (p *pass) absent(o *render.Object, absent map[presence]absence) {
	gvk := gvkOf(o)
	if gone := absent[removed]; len(gone.minors) > 0 {
		p.report(o, "/apiVersion", finding.Finding{
			Rule: ruleRemoved, Severity: finding.Error,
			Message: fmt.Sprintf("%s was removed in Kubernetes %s", spoken(gvk), gone.since),
			Help:    p.replacement(gvk),
		})
	}
	if later := absent[future]; len(later.minors) > 0 {
		p.report(o, "/apiVersion", finding.Finding{
			Rule: ruleInvalid, Severity: finding.Error,
			Message: fmt.Sprintf("%s is new in Kubernetes %s, and not known%s", spoken(gvk), later.since, forReleases(later.minors)),
		})
	}
	if len(absent[unknown].minors) > 0 {
		f := finding.Finding{
			Rule: ruleInvalid, Severity: finding.Error,
			Message: fmt.Sprintf("no kind %s in %s", o.Kind, o.APIVersion),
		}
		if guess := p.v.kinds.meant(gvk); guess != "" {
			f.Help = fmt.Sprintf("did you mean %s?", spoken(guess))
		}
		p.report(o, "/kind", f)
	}
}

// deprecated warns about a kind that the versions asked for still serve.
func (p *pass) deprecated(o *render.Object) {
	gvk := gvkOf(o)
	life, ok := p.v.kinds.bundle.lifecycle(gvk)
	newest := p.v.releases[len(p.v.releases)-1].minor
	if !ok || life.Deprecated == "" || compareVersions(newest, life.Deprecated) < 0 {
		return
	}
	message := fmt.Sprintf("%s is deprecated since Kubernetes %s", spoken(gvk), life.Deprecated)
	if life.Removed != "" {
		message += ", which removes it in " + life.Removed
	}
	p.report(o, "/apiVersion", finding.Finding{
		Rule: ruleDeprecated, Severity: finding.Warning, Message: message, Help: p.replacement(gvk),
	})
}

// replacement says what to write instead of an API version that goes or went.
func (p *pass) replacement(gvk string) string {
	life, known := p.v.kinds.bundle.lifecycle(gvk)
	successor := life.Replacement
	if guess := p.v.kinds.meant(gvk); successor == "" && groupOf(guess) == groupOf(gvk) {
		successor = guess
	}
	switch {
	case successor != "":
		return "use " + spoken(successor)
	case known:
		return "there is no replacement"
	}
	return ""
}
