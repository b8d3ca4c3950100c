package secrets

import (
	"strconv"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// credential reports and masks a credential in the open at the path.
func (c *course) credential(text string) bool {
	f := field{kind: c.object.Kind, path: c.path, text: text, named: c.nameBeside, before: c.itemBefore}
	if inner, what, ok := f.innerText(); ok && c.inner(text, inner, what) {
		return true
	}
	what, name, ok := f.credential()
	if !ok {
		return false
	}
	c.exposed(exposureOf(what, name), false)
	if what == whatHeader { // the API server takes nothing but ASCII
		c.mask(plainToken(c.rendered.Target.Path, c.object.String()+source.Pointer(c.path...)))
	} else {
		c.mask(dots)
	}
	return true
}

// around is the mapping or the list that holds the field at the path.
func (c *course) around() any {
	at := any(c.object.Value)
	for _, token := range c.path[:len(c.path)-1] {
		switch node := at.(type) {
		case map[string]any:
			at = node[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i >= len(node) {
				return nil
			}
			at = node[i]
		}
	}
	return at
}

// nameBeside is the name in the mapping that holds the field at the path.
func (c *course) nameBeside() string {
	around, _ := c.around().(map[string]any)
	name, _ := around["name"].(string)
	return name
}

// itemBefore is the text of the item in front of the one at the path.
func (c *course) itemBefore() string {
	list, _ := c.around().([]any)
	i, err := strconv.Atoi(c.path[len(c.path)-1])
	if err != nil || i < 1 || i > len(list) {
		return ""
	}
	text, _ := list[i-1].(string)
	return text
}

// inner judges the text inside a field.
func (c *course) inner(text string, inner []byte, what string) bool {
	found := judgeText(inner, what)
	if len(found) == 0 {
		return false
	}
	var masks []edit
	for _, e := range found {
		if e.finding.Rule != "" {
			c.exposed(e.finding, true)
		}
		masks = append(masks, maskOf(inner, e.extent))
	}
	if text != string(inner) { // it was base64, and must stay such
		c.mask(plainToken(c.rendered.Target.Path, c.object.String()+source.Pointer(c.path...)))
		return true
	}
	c.mask(string(apply(inner, mergeMasks(inner, masks))))
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
