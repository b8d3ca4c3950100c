package secrets

import (
	"github.com/sallyport/sallyport/source"
)

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
	if reason == "" && d.meta.Selection.Excludes(at.keys) {
		d.sheet.report(ruleMetadata, d.span(at.node), d.identity(d.root), pointer, unselectedMessage(quoteName(at)), helpMetadata)
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

// unselectedMessage is about a ciphertext where the rule of the sops block has none.
func unselectedMessage(name string) string {
	return "the sops block of the file does not select " + name + ", which is encrypted: sops would leave the ciphertext in its place"
}

// incomplete reports a value that the file's own rule says must be encrypted.
func (d *document) incomplete(at leaf) {
	if !d.patched() {
		d.sheet.hideScalar(at.node)
	}
	d.sheet.report(ruleIncomplete, d.span(at.node), d.identity(d.root), source.Pointer(at.tokens...),
		"the value of "+quoteName(at)+" is not encrypted, although the sops block of the file says so", helpEncrypt)
}

// holdsEnc reports whether any value claims to be encrypted.
func (d *document) holdsEnc() bool {
	if !d.mayHoldEnc {
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
