package secrets

import (
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// plaintext reports values that were encrypted and are so no longer. What the
// file as it is now shows by itself is reported there.
func (c *comparison) plaintext(old, now []block) {
	for _, o := range old {
		at := slices.IndexFunc(now, func(n block) bool { return sameDocument(o, n) })
		if at < 0 {
			at = slices.IndexFunc(now, func(n block) bool { return o.doc == n.doc })
		}
		if at < 0 {
			continue
		}
		encrypted := map[string]bool{}
		for _, v := range o.values {
			encrypted[v.pointer()] = isEnc(v.text)
		}
		for _, v := range now[at].values {
			if encrypted[v.pointer()] && isPlain(v) && !c.known(v.span) {
				c.decrypted(now[at], v)
			}
		}
	}
}

// contents reads the values of a file, whether it is encrypted or not.
func contents(path string, data []byte, flat bool) []block {
	t := newText(path, toUTF8(data))
	if flat {
		return []block{t.flatBlock(func(assignment) (string, bool) { return "", false })}
	}
	f, err := source.Parse(path, t.data)
	if err != nil {
		return nil
	}
	var out []block
	for i, doc := range f.Docs {
		d := &document{layer: &layer{text: t, span: f.Span}, index: i, root: deref(doc.Root)}
		out = append(out, block{doc: i, object: d.identity(d.root), values: valuesOf(d)})
	}
	return out
}

func isPlain(v scalar) bool {
	return !isEnc(v.text) && v.node.Tag != "!!null" && !IsReference(v.text) && !isPublic("stringData", v.text)
}

// known reports whether the file by itself gives a finding at a place.
func (c *comparison) known(at finding.Span) bool {
	return c.sheet != nil &&
		(slices.ContainsFunc(c.sheet.values, func(v *value) bool { return v.rule != "" && v.span == at }) ||
			slices.ContainsFunc(c.sheet.findings, func(f finding.Finding) bool { return f.Location == at }))
}

func (c *comparison) decrypted(now block, v scalar) {
	rule := rulePlaintext
	if c.sheet != nil && c.sheet.meta != nil {
		rule = ruleIncomplete
	}
	c.sealed.Hide(v.span)
	c.out = append(c.out, finding.Finding{
		Rule: rule, Severity: finding.Error, Location: v.span, Object: now.object, Pointer: v.pointer(),
		Message: "the value of " + quoteName(v.leaf) + " was encrypted and is in plaintext now", Help: helpEncrypt,
	})
}
