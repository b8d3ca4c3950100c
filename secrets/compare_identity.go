package secrets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
)

// identity compares what an encrypted Secret is, and who acts on it, while its
// values stay the same: with mac_only_encrypted the mac covers none of that, and
// Flux does not look at the mac of any file. Under another name the values take the
// place of another Secret's, for all who read that.
func (c *comparison) identity(old, now block) {
	if old.object == nil || now.object == nil || old.object.Kind != "Secret" || !sameValues(old, now) {
		return
	}
	before, after := plainFields(old), plainFields(now)
	for _, v := range now.values {
		if _, known := before[v.pointer()]; !known {
			c.acted(old, now, v)
		}
	}
	if !untouched(old, now) {
		return // whoever wrote the file anew holds its key
	}
	if v := after["/kind"]; v.text != "Secret" {
		c.became(finding.Error, now, v, "the kind of an encrypted Secret was changed to "+now.object.Kind+", and its values were not")
	}
	if v, ok := after["/type"]; typeOf(before) != typeOf(after) {
		if !ok {
			v = after["/kind"]
		}
		c.became(finding.Error, now, v, "the type of an encrypted Secret, on which its readers depend, was changed, and its values were not")
	}
	if v, ok := after["/metadata/namespace"]; ok && old.object.Namespace != now.object.Namespace && !c.bound() {
		c.became(finding.Warning, now, v, fmt.Sprintf("an encrypted Secret was moved to the namespace %q, and its values stayed the same", v.text))
	}
	if v, ok := after["/metadata/name"]; ok && old.object.Name != now.object.Name {
		c.renamed(old, now, v)
	}
}

// renamed judges a new name. A file that the configuration binds is bound to the
// name that it has at the base, too: who writes it anew may give it another.
func (c *comparison) renamed(old, now block, v scalar) {
	message := fmt.Sprintf("an encrypted Secret was renamed from %q to %q, and its values stayed the same", old.object.Name, v.text)
	if !c.bound() {
		c.became(finding.Warning, now, v, message)
		return
	}
	c.out = append(c.out, finding.Finding{
		Rule: ruleMoved, Severity: finding.Error, Location: v.span, Object: now.object, Pointer: v.pointer(),
		Message: message + ", but its file is bound", Help: "put the name back; to rename it, change the file with sops",
	})
}

// acted judges a label or an annotation that was added. Where sops wrote the file
// anew, somebody who holds a key has done it, and others should know.
func (c *comparison) acted(old, now block, v scalar) {
	if len(v.tokens) != 3 || v.tokens[0] != "metadata" || v.tokens[1] != "annotations" && v.tokens[1] != "labels" {
		return
	}
	effect, severity := effectOf(v.tokens[2]), finding.Warning
	if effect == "" || c.e.allows(v.tokens[2]) {
		return
	}
	if untouched(old, now) {
		severity = finding.Error
	}
	c.became(severity, now, v, fmt.Sprintf("%s %q was added to an encrypted Secret: it makes a controller %s the Secret",
		strings.TrimSuffix(v.tokens[1], "s"), v.tokens[2], effect))
}

func (c *comparison) became(severity finding.Severity, now block, v scalar, message string) {
	c.out = append(c.out, finding.Finding{
		Rule: ruleMetadata, Severity: severity, Location: v.span, Object: now.object, Pointer: v.pointer(), Message: message,
		Help: "put it back; if it is meant, run `sops rotate -i FILE` in the same commit, so that a holder of the key answers for it",
	})
}

// bound reports whether the configuration says where the secrets of the file
// belong. Then the render shows whether they still get there.
func (c *comparison) bound() bool { return c.e.binds(c.path) }

// binds reports whether a file is bound.
func (e Expectations) binds(file string) bool {
	return slices.ContainsFunc(e.Bind, func(b Binding) bool {
		ok, err := doublestar.Match(b.Files, file)
		return ok && err == nil
	})
}

// sameValues reports whether all ciphertexts of a document stayed.
func sameValues(old, now block) bool { return slices.Equal(ciphertexts(old), ciphertexts(now)) }

func ciphertexts(b block) []string {
	var out []string
	for _, v := range b.values {
		if isEnc(v.text) {
			out = append(out, v.pointer()+"\x00"+v.text)
		}
	}
	slices.Sort(out)
	return out
}

// plainFields are the values of a document by their pointers.
func plainFields(b block) map[string]scalar {
	out := map[string]scalar{}
	for _, v := range b.values {
		out[v.pointer()] = v
	}
	return out
}

// typeOf is the type of a Secret; one that says none is Opaque.
func typeOf(fields map[string]scalar) string {
	if v, ok := fields["/type"]; ok && v.text != "" {
		return v.text
	}
	return "Opaque"
}
