package secrets

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// A layer is text that YAML nodes were parsed from: a file, or a patch that a
// kustomization holds as a string.
type layer struct {
	*text
	sheet *sheet
	name  string // where in the file the layer lies; empty for the file itself
	span  func(*yaml.Node) finding.Span
	edits []edit
	done  map[*yaml.Node]bool // scalars that are replaced, so that aliases are not twice
}

// documents seals every document. patch is set where the layer is a patch for
// that Secret, whatever it says itself.
func (l *layer) documents(f *source.File, patch *finding.Object) {
	l.done = map[*yaml.Node]bool{}
	for i, doc := range f.Docs {
		d := &document{layer: l, index: i, root: deref(doc.Root), patch: patch}
		d.seal()
	}
	if l.sheet.text == l.text {
		l.sheet.edits = append(l.sheet.edits, l.edits...)
	}
}

// replace puts a value into the place of a scalar.
func (l *layer) replace(n *yaml.Node, with string, quoted bool) {
	if l.done[n] {
		return
	}
	l.done[n] = true
	e, ok := l.scalar(n)
	if !ok {
		l.sheet.refuse("yaml-unsafe", l.span(n).Start, "holds a secret value whose end is not clear")
		return
	}
	if quoted {
		l.edits = append(l.edits, rewrite(n, e, with))
	} else {
		l.edits = append(l.edits, edit{e, with})
	}
}

// A document is one YAML document while it is sealed.
type document struct {
	*layer
	index     int
	root      *yaml.Node
	patch     *finding.Object
	encrypted bool
	meta      Metadata
}

func (d *document) seal() {
	key, block := d.metadata()
	if d.encrypted = block != nil; d.encrypted {
		d.decode(key, block)
	}
	d.secrets(d.root, nil)
	d.jsonPatch()
	if d.encrypted {
		d.ciphertexts()
	} else if d.holdsEnc() {
		d.orphans()
	}
	if d.isKustomization() {
		d.generatorLiterals()
		d.inlinePatches()
	}
}

// metadata returns the sops block of the document.
func (d *document) metadata() (key, block *yaml.Node) {
	key, block = member(d.root, "sops")
	if block == nil || !isMetadata(block) {
		return nil, nil
	}
	return key, block
}

// decode judges the sops block and blanks it out.
func (d *document) decode(key, block *yaml.Node) {
	meta, problems := decodeMetadata(key, block, d.span)
	for _, p := range problems {
		d.sheet.report(ruleMetadata, p.span, d.identity(d.root), "", p.message, helpMetadata)
	}
	d.meta = meta
	if d.sheet.meta == nil {
		d.sheet.meta, d.sheet.format = &meta, YAML
	}
	d.blankBlock(key, block)
}

const helpMetadata = "take the file from the last good commit, or encrypt it again with sops"

// identity is the object that a mapping describes, nil where it is none.
func (d *document) identity(n *yaml.Node) *finding.Object {
	kind := getText(n, "kind")
	if kind == "" || isEnc(kind) {
		return nil
	}
	metadata := get(n, "metadata")
	return &finding.Object{
		APIVersion: getText(n, "apiVersion"), Kind: kind,
		Namespace: getText(metadata, "namespace"), Name: getText(metadata, "name"),
	}
}

// ciphertexts replaces every encrypted value, and reports what is broken or
// missing. Values of Secrets that are not encrypted are left to secrets.
func (d *document) ciphertexts() {
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		key := deref(d.root.Content[i]).Value
		if key == "sops" {
			continue
		}
		leaves(d.root.Content[i+1], leaf{tokens: []string{key}, keys: []string{key}}, d.ciphertext)
	}
}

func (d *document) ciphertext(at leaf) {
	text := at.node.Value
	if !isEnc(text) {
		if !d.done[at.node] && d.meta.Selection.Selects(at.keys) && at.node.Tag != "!!null" && text != "" {
			d.incomplete(at)
		}
		return
	}
	c, reason := parseEnc(text)
	pointer := source.Pointer(at.tokens...)
	if reason == "" && c.kind == "comment" {
		reason = "a value cannot be of type comment"
	}
	if reason != "" {
		d.sheet.report(ruleMetadata, d.span(at.node), d.identity(d.root), pointer,
			"the encrypted value of "+quoteName(at)+" is malformed: "+reason, helpMetadata)
		c.kind = "str"
	}
	v := &value{
		file: d.path, path: place(d.index, pointer), name: at.name(), object: d.identity(d.root),
		pointer: pointer, span: d.span(at.node), encrypted: true, kind: c.kind,
	}
	d.sheet.values = append(d.sheet.values, v)
	if stand := placeholder(c.kind); stand != "" {
		d.replace(at.node, stand, false)
		return
	}
	v.token = sealedToken(d.path, v.path, text)
	d.replace(at.node, v.token, true)
}

// incomplete reports a value that the file's own rule says must be encrypted.
func (d *document) incomplete(at leaf) {
	d.sheet.report(ruleIncomplete, d.span(at.node), d.identity(d.root), source.Pointer(at.tokens...),
		"the value of "+quoteName(at)+" is not encrypted, although the sops block of the file says so", helpEncrypt)
}

// holdsEnc reports whether any value claims to be encrypted.
func (d *document) holdsEnc() bool {
	if !strings.Contains(string(d.data), "ENC[AES256_GCM") {
		return false
	}
	found := false
	leaves(d.root, leaf{}, func(at leaf) { found = found || isEnc(at.node.Value) })
	return found
}

// orphans seals encrypted values in a document that has no sops block: nobody
// can open them.
func (d *document) orphans() {
	leaves(d.root, leaf{}, func(at leaf) {
		if isEnc(at.node.Value) {
			d.ciphertext(at)
		}
	})
	if !d.patched() {
		d.sheet.report(ruleMetadata, d.span(d.root), d.identity(d.root), "",
			"values are encrypted, but the document has no sops block", helpMetadata)
	}
}

// patched reports whether the layer is a patch inside another file.
func (d *document) patched() bool { return d.sheet.text != d.text }

// name is the key that leads to a leaf, without list indexes.
func (at leaf) name() string {
	if len(at.keys) == 0 {
		return strings.Join(at.tokens, ".")
	}
	return at.keys[len(at.keys)-1]
}

func quoteName(at leaf) string { return `"` + at.name() + `"` }

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
