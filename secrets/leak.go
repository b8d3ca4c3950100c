package secrets

import (
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

func (c *course) reportPlain(message string) {
	f := c.place(finding.Finding{Rule: rulePlaintext, Severity: finding.Error, Message: message, Help: helpEncrypt})
	c.mask(plainToken(c.rendered.Target.Path, c.object.String()+f.Pointer))
}

// scanText looks for keys and credentials in a string outside Secrets. What a
// file shows as well is reported there.
func (c *course) scanText(text string) {
	if len(text) < minRun/2 {
		return
	}
	hits := scan([]byte(text))
	hidden := besideIn([]byte(text))
	if c.followsFlag() && !isShown(text) {
		hidden = append(hidden, extent{0, len(text)})
	}
	for _, h := range hits {
		hidden = append(hidden, h.extent)
	}
	if len(hidden) == 0 {
		return
	}
	for _, h := range hits {
		f := finding.Finding{Rule: h.rule, Severity: severityOf(h.rule), Message: h.message, Help: "take it out of the repository and rotate it"}
		placed := c.at(f)
		if !c.sealed.scannedFile(placed.Location.File, h.rule) {
			c.out = append(c.out, placed)
			c.hide(placed.Location)
		}
	}
	var edits []edit
	for _, x := range hidden {
		edits = append(edits, edit{extent{x.from, min(x.to, len(text))}, dots})
	}
	c.mask(string(apply([]byte(text), mergeMasks([]byte(text), edits))))
}

// followsFlag reports whether the path is the argument behind one such as
// --token.
func (c *course) followsFlag() bool {
	n := len(c.path)
	return n >= 2 && (c.path[n-2] == "args" || c.path[n-2] == "command") && secretFlag.MatchString(c.itemBefore())
}

// dots mask a value, whatever its length.
const dots = "••••••••"

func (c *course) mask(with string) {
	c.masks = append(c.masks, mask{c.object, source.Pointer(c.path...), with})
}

// place puts a finding where the field is set, and hides the lines that set it.
func (c *course) place(f finding.Finding) finding.Finding {
	f = c.at(f)
	c.hide(f.Location)
	for _, r := range f.Related {
		c.hide(r.Location)
	}
	c.out = append(c.out, f)
	return f
}

// at places a finding at the field that the walk has reached.
func (c *course) at(f finding.Finding) finding.Finding {
	return c.rendered.At(c.object, source.Pointer(c.path...), f)
}

// report says that a secret would leak at the path.
func (c *course) report(message, help string, v *value) {
	f := c.at(finding.Finding{Rule: ruleLeak, Severity: finding.Error, Message: message, Help: help})
	if v != nil {
		relate(&f, "the secret value", v.span)
	}
	c.out = append(c.out, f)
}

// relate adds a place to a finding that does not show it yet.
func relate(f *finding.Finding, message string, at finding.Span) {
	known := func(r finding.Related) bool { return r.Location == at }
	if f.Location != at && !slices.ContainsFunc(f.Related, known) {
		f.Related = append(f.Related, finding.Related{Message: message, Location: at})
	}
}
