package secrets

import (
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// at places a finding at the field that the walk has reached.
func (c *course) at(f finding.Finding) finding.Finding {
	f.Object, f.Pointer = &c.object.Object, source.Pointer(c.path...)
	f.Unplaced, f.Targets = "not known", []string{c.rendered.Target.Path}
	return f
}
