package secrets

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// isKustomization reports whether the document is one that kustomize reads for
// itself. The kind may be left out in a file of the right name.
func (d *document) isKustomization() bool {
	if d.patched() {
		return false
	}
	switch getText(d.root, "kind") {
	case "Kustomization", "Component", "":
		return isKustomization(d.path) || strings.HasPrefix(getText(d.root, "apiVersion"), "kustomize.config.k8s.io/")
	case "SecretGenerator":
		return true
	}
	return false
}

// generatorLiterals seals the literals of every secretGenerator.
func (d *document) generatorLiterals() {
	if getText(d.root, "kind") == "SecretGenerator" {
		d.literals(d.root, []string{"literals"})
		return
	}
	for i, entry := range items(get(d.root, "secretGenerator")) {
		d.literals(entry, []string{"secretGenerator", fmt.Sprint(i), "literals"})
	}
}

func (d *document) literals(entry *yaml.Node, tokens []string) {
	metadata := entry
	if m := get(entry, "metadata"); m != nil {
		metadata = m
	}
	object := finding.Object{
		APIVersion: "v1", Kind: "Secret",
		Namespace: getText(metadata, "namespace"), Name: getText(metadata, "name"),
	}
	for i, n := range items(get(entry, "literals")) {
		key, text, ok := strings.Cut(n.Value, "=")
		if n.Kind == yaml.ScalarNode && !ok && n.Value != "" {
			// kustomize refuses it; whatever it is, it is not shown.
			d.replace(n, plainToken(d.path, d.name+place(d.index, source.Pointer(with(tokens, fmt.Sprint(i))...))), true)
		}
		if n.Kind != yaml.ScalarNode || !ok || IsReference(strings.Trim(text, `"'`)) {
			continue
		}
		v := &value{
			file: d.path, path: d.name + place(d.index, source.Pointer(with(tokens, fmt.Sprint(i))...)),
			name: key, object: &object, pointer: source.Pointer("data", key), span: d.span(n), kind: "str",
			rule: rulePlaintext, message: fmt.Sprintf("secretGenerator literal %q is committed in plaintext", key),
		}
		v.token = plainToken(v.file, v.path)
		d.sheet.values = append(d.sheet.values, v)
		d.replace(n, key+"="+v.token, true)
	}
}

// inlinePatches seals the patches that a kustomization holds as text.
func (d *document) inlinePatches() {
	for i, n := range items(get(d.root, "patchesStrategicMerge")) {
		d.embed(n, nil, source.Pointer("patchesStrategicMerge", fmt.Sprint(i)))
	}
	for _, field := range []string{"patches", "patchesJson6902"} {
		for i, entry := range items(get(d.root, field)) {
			n := get(entry, "patch")
			if n == nil {
				continue
			}
			var patch *finding.Object
			if object, ok := secretTarget(entry); ok {
				patch = &object
			}
			d.embed(deref(n), patch, source.Pointer(field, fmt.Sprint(i), "patch"))
		}
	}
}

// embed seals the YAML inside a scalar, and puts the result back in the same
// lines.
func (d *document) embed(n *yaml.Node, patch *finding.Object, pointer string) {
	if n.Kind != yaml.ScalarNode || patch == nil && !mayHoldSecret([]byte(n.Value)) && !mayHoldCredential(d.path, []byte(n.Value)) {
		return
	}
	inner := []byte(n.Value)
	f, err := source.Parse(d.path, inner)
	if err != nil {
		return
	}
	l := &layer{
		text: newText(d.path, inner), sheet: d.sheet, name: place(d.index, pointer) + "#",
		span: func(*yaml.Node) finding.Span { return d.span(n) },
	}
	up := d.inside(n, l.text)
	if up != nil {
		l.span = func(m *yaml.Node) finding.Span { return d.spanInside(l.text, m, up) }
	}
	l.documents(f, patch)
	if up == nil {
		if len(l.edits) > 0 {
			d.replace(n, string(apply(inner, l.edits)), true)
		}
		if whole, ok := d.scalar(n); ok {
			for _, e := range l.exposed {
				d.exposed = append(d.exposed, exposed{whole, e.finding})
			}
		}
		return
	}
	for _, e := range l.edits {
		d.edits = append(d.edits, edit{extent{up(e.from), up(e.to)}, e.with})
	}
	for _, e := range l.exposed {
		d.exposed = append(d.exposed, exposed{extent{up(e.from), up(e.to)}, e.finding})
	}
}

// inside maps bytes of a literal block's value to bytes of the text around it.
// It is nil for other scalars, whose text is not there one to one.
func (d *document) inside(n *yaml.Node, inner *text) func(int) int {
	if n.Style&yaml.LiteralStyle == 0 {
		return nil
	}
	e, ok := d.scalar(n)
	if !ok {
		return nil
	}
	first := d.nextLine(d.lineEnd(e.from))
	indent := -1
	for at := first; at < e.to && indent < 0; at = d.nextLine(d.lineEnd(at)) {
		line := string(d.data[at:d.lineEnd(at)])
		if strings.TrimSpace(line) != "" {
			indent = len(line) - len(strings.TrimLeft(line, " ")) - leading(n.Value)
		}
	}
	top := d.position(first).Line
	return func(at int) int {
		p := inner.position(at)
		start := d.lines[min(top+p.Line-2, len(d.lines)-1)]
		end := d.lineEnd(start)
		return min(start+indent+at-inner.lines[p.Line-1], end)
	}
}

// spanInside places a node of an inner text in the file.
func (d *document) spanInside(inner *text, n *yaml.Node, up func(int) int) finding.Span {
	from := inner.skipProperties(inner.offset(n.Line, n.Column))
	to := inner.lineEnd(from)
	if e, ok := inner.scalar(n); ok && n.Kind == yaml.ScalarNode {
		from, to = e.from, min(e.to, inner.lineEnd(e.from))
	}
	return d.text.span(up(from), up(to))
}
