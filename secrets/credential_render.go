package secrets

import (
	"strconv"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// credential reports and masks a credential in the open at the path.
func (c *course) credential(text string) bool {
	f := field{kind: c.object.Kind, path: c.path, text: text, named: c.nameBeside}
	if f.holdsValues() {
		return c.credentialValues(text)
	}
	what, name, ok := f.credential()
	if !ok {
		return false
	}
	c.exposed(exposureOf(what, name), false)
	c.mask(dots)
	return true
}

// nameBeside is the name in the mapping that holds the field at the path.
func (c *course) nameBeside() string {
	at := any(c.object.Value)
	for _, token := range c.path[:len(c.path)-1] {
		switch node := at.(type) {
		case map[string]any:
			at = node[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i >= len(node) {
				return ""
			}
			at = node[i]
		}
	}
	around, _ := at.(map[string]any)
	name, _ := around["name"].(string)
	return name
}

// credentialValues judges a text with the values of a chart.
func (c *course) credentialValues(text string) bool {
	if !mayHoldCredential("values.yaml", []byte(text)) {
		return false
	}
	f, err := source.Parse("values.yaml", []byte(text))
	if err != nil {
		return false
	}
	l := &layer{text: newText("", []byte(text)), sheet: &sheet{}, values: true, span: f.Span}
	l.documents(f, nil)
	if len(l.exposed) == 0 {
		return false
	}
	masks := make([]edit, len(l.exposed))
	for i, e := range l.exposed {
		c.exposed(e.finding, true)
		masks[i] = maskOf([]byte(text), e.extent)
	}
	c.mask(string(apply([]byte(text), mergeMasks([]byte(text), masks))))
	return true
}

// exposed reports a credential at the path, where the file shows it if it does.
// inside says that the field is a text that holds it.
func (c *course) exposed(f finding.Finding, inside bool) {
	f.Location, f.Object, f.Pointer = finding.Span{}, nil, ""
	f = c.at(f)
	places := []finding.Span{f.Location}
	for _, r := range f.Related {
		places = append(places, r.Location)
	}
	known := false
	for i, place := range places {
		at, ok := c.sealed.exposedAt(place, f.Message, inside)
		switch {
		case ok && i == 0:
			f.Location, known = at, true
		case !ok:
			c.hide(place)
		}
	}
	if at, ok := c.exposedIn(f.Message); inside && !known && ok {
		f.Location = at
	}
	c.out = append(c.out, f)
}

// exposedIn finds the file of the target that shows a credential.
func (c *course) exposedIn(message string) (finding.Span, bool) {
	if c.exposures == nil {
		c.exposures = map[string]finding.Span{}
		for _, file := range c.rendered.Reads.Files {
			_, sh, err := c.sealed.read(file)
			if err != nil || sh == nil {
				continue
			}
			for _, e := range sh.exposed {
				if _, known := c.exposures[e.finding.Message]; !known {
					c.exposures[e.finding.Message] = e.finding.Location
				}
			}
		}
	}
	at, ok := c.exposures[message]
	return at, ok
}

// exposedAt returns where a file shows the credential that a message is about: at
// the line of place, or with below set behind it.
func (s *Sealed) exposedAt(place finding.Span, message string, below bool) (finding.Span, bool) {
	if place.File == "" {
		return place, false
	}
	_, sh, err := s.read(place.File)
	if err != nil || sh == nil {
		return place, false
	}
	if at, ok := sh.places.at(message, place.Start.Line, below); ok {
		return at, true
	}
	return place, false
}
