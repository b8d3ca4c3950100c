package secrets

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// blankBlock takes the sops block out of the text.
func (d *document) blankBlock(key, block *yaml.Node) {
	from := d.offset(key.Line, key.Column)
	if d.root.Style&yaml.FlowStyle != 0 || block.Style&yaml.FlowStyle != 0 && block.Kind == yaml.MappingNode {
		open := d.skipProperties(d.offset(block.Line, block.Column))
		e, ok := d.flow(open)
		if !ok {
			d.sheet.refuse("yaml-unsafe", d.span(key).Start, "holds a sops block whose end is not clear")
			return
		}
		d.blank(from, e.to, d.root.Style&yaml.FlowStyle != 0)
		return
	}
	d.blank(from, d.blockEnd(key, from), false)
}

// blockEnd is the end of the value of a key in block style: the lines that are
// deeper than the key, with comments between them.
func (d *document) blockEnd(key *yaml.Node, from int) int {
	end := d.lineEnd(from)
	for next := d.nextLine(end); next < len(d.data); next = d.nextLine(d.lineEnd(next)) {
		stop := d.lineEnd(next)
		line := string(d.data[next:stop])
		text := strings.TrimLeft(line, " ")
		switch {
		case strings.TrimSpace(text) == "" || text[0] == '#' && len(line)-len(text) < key.Column:
			continue
		case len(line)-len(text) < key.Column:
			return end
		}
		end = stop
	}
	return end
}

// blank takes a stretch out; in a flow collection, with the comma that becomes
// one too many.
func (d *document) blank(from, to int, inFlow bool) {
	d.edits = append(d.edits, edit{extent{from, to}, ""})
	if !inFlow {
		return
	}
	for i := from - 1; i >= 0; i-- {
		if d.data[i] == ',' {
			d.edits = append(d.edits, edit{extent{i, i + 1}, ""})
			return
		}
		if !isSpace(d.data[i]) {
			break
		}
	}
	for i := to; i < len(d.data); i++ {
		if d.data[i] == ',' {
			d.edits = append(d.edits, edit{extent{i, i + 1}, ""})
			return
		}
		if !isSpace(d.data[i]) {
			return
		}
	}
}

// encryptedComments blanks out comments that sops encrypted.
func (s *sheet) encryptedComments() {
	for _, e := range encryptedComments(s.data) {
		if !slices.ContainsFunc(s.edits, func(o edit) bool { return o.from <= e.from && e.from < o.to }) {
			s.edits = append(s.edits, edit{e, ""})
		}
	}
}
