package secrets

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// A layer is text that YAML nodes were parsed from: a file, or a patch that a
// kustomization holds as a string.
type layer struct {
	*text
	sheet   *sheet
	name    string // where in the file the layer lies; empty for the file itself
	span    func(*yaml.Node) finding.Span
	edits   []edit
	exposed []exposed
	shown   map[*yaml.Node]int  // which of exposed a scalar is
	what    string              // all of it is a chart's values or settings, or empty
	done    map[*yaml.Node]bool // scalars that are replaced, so that aliases are not twice
	// mayHoldEnc says that a ciphertext may be in any of the documents: a look at
	// the whole text, which must not be taken once for each of them.
	mayHoldEnc bool
}

// documents seals every document. patch is set where the layer is a patch for
// that Secret, whatever it says itself.
func (l *layer) documents(f *source.File, patch *finding.Object) {
	l.done, l.shown = map[*yaml.Node]bool{}, map[*yaml.Node]int{}
	l.mayHoldEnc = bytes.Contains(l.data, []byte("ENC[AES256_GCM"))
	for i, doc := range f.Docs {
		d := &document{layer: l, index: i, root: deref(doc.Root), patch: patch}
		d.seal()
	}
	if l.sheet.text == l.text {
		l.sheet.edits = append(l.sheet.edits, l.edits...)
		l.sheet.exposed = append(l.sheet.exposed, l.exposed...)
	}
}

// replace puts a value into the place of a scalar.
func (l *layer) replace(n *yaml.Node, with string, quoted bool) {
	if l.done[n] {
		return
	}
	l.done[n] = true
	if n.Tag == "!!binary" {
		l.untag(n)
	}
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

// untag blanks the tag that makes readers decode a scalar: what takes its place is
// text.
func (l *layer) untag(n *yaml.Node) {
	from := l.offset(n.Line, n.Column)
	to := l.skipProperties(from)
	for i := from; i < to; i++ {
		if l.data[i] != '!' {
			continue
		}
		end := i
		for end < to && !isSpace(l.data[end]) {
			end++
		}
		l.edits = append(l.edits, edit{extent{i, end}, strings.Repeat(" ", end-i)})
		return
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
		d.configLiterals()
		d.inlinePatches()
	}
	d.credentials()
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
