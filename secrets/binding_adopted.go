package secrets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

const helpAdopted = "take it away; if it is meant, allow it: secrets: {metadata: {allow: [KEY]}}"

// lent judges a Secret that a replacement or a patch put the values of another
// one into. Its own file is no decision of whoever encrypted them: a key there
// that makes a controller copy or use the Secret gives them away.
func (b *bound) lent() {
	b.each(func(a arrival) {
		home := b.rendered.Place(a.object, "").Span.File
		if !b.lends(a, home) {
			return
		}
		for _, key := range actedKeys(a.object) {
			if b.e.allows(key.name) || b.rendered.Place(a.object, key.pointer).Span.File != home {
				continue // metadata judges what is set elsewhere
			}
			b.act(a, finding.Error, key, fmt.Sprintf("%s %q makes a controller %s the Secret, and a secret of %s was put into it",
				key.field, key.name, effectOf(key.name), a.value.file))
		}
	})
}

// lends reports whether a value is that of a Secret in another file than home.
func (b *bound) lends(a arrival, home string) bool {
	owner := a.value.object
	return owner != nil && owner.Kind == "Secret" && a.value.file != home && !b.patches(a, home)
}

// patches reports whether a file has a Secret of the name that the file of a value
// gives its own: the skeleton that an encrypted patch completes.
func (b *bound) patches(a arrival, home string) bool {
	data, err := b.sealed.tree.ReadFile(home)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(contents(home, data, false), func(doc block) bool {
		return doc.object != nil && doc.object.Kind == "Secret" && doc.object.Name == a.value.object.Name
	})
}

// adopted compares the keys of the metadata that controllers act on. A generator,
// a skeleton that an encrypted patch completes: such files have no mac, and whoever
// edits them needs no key. What the encrypted file sets itself is for
// [Sealed.Compare].
func (b *bound) adopted(before *bound) {
	had := map[documentOf][]string{}
	before.each(func(a arrival) {
		from := documentOf{a.value.file, a.doc()}
		had[from] = append(had[from], typeNamed(a.object))
		for _, key := range actedKeys(a.object) {
			had[from] = append(had[from], key.pointer)
		}
	})
	b.each(func(a arrival) {
		if known := had[documentOf{a.value.file, a.doc()}]; len(known) > 0 { // else a new secret, by whoever knows it
			b.turned(a, known)
		}
	})
}

// turned judges the metadata that one Secret has by itself. known are the keys and
// types of the Secrets that its values reached at the base.
func (b *bound) turned(a arrival, known []string) {
	home := b.rendered.Place(a.object, "").Span.File
	if home == a.value.file || b.lends(a, home) {
		return
	}
	at := func(pointer string) bool { return b.rendered.Place(a.object, pointer).Span.File == home }
	for _, key := range actedKeys(a.object) {
		if slices.Contains(known, key.pointer) || b.e.allows(key.name) || !at(key.pointer) {
			continue
		}
		b.act(a, finding.Error, key, fmt.Sprintf("%s %q makes a controller %s the Secret, and did not at the base; its values come from another file",
			key.field, key.name, effectOf(key.name)))
	}
	if !slices.Contains(known, typeNamed(a.object)) && at("/type") {
		b.act(a, finding.Warning, actedKey{pointer: "/type"},
			"the type of the Secret, on which its readers depend, is not that of the base, and its values come from "+a.value.file)
	}
}

// act reports a key of the metadata of the Secret that a value arrived in, once.
func (b *bound) act(a arrival, severity finding.Severity, key actedKey, message string) {
	f := b.rendered.At(a.object, key.pointer, finding.Finding{
		Rule: ruleMetadata, Severity: severity, Message: message, Help: helpAdopted,
	})
	if slices.ContainsFunc(b.out, func(o finding.Finding) bool {
		return o.Rule == f.Rule && o.Location == f.Location && o.Pointer == f.Pointer && *o.Object == *f.Object
	}) {
		return
	}
	relate(&f, "the secret value", a.value.span)
	b.out = append(b.out, f)
}

// An actedKey is a label or an annotation that a controller is known to act on.
type actedKey struct{ field, name, pointer string }

// actedKeys lists those of an object.
func actedKeys(o *render.Object) []actedKey {
	var out []actedKey
	metadata, _ := o.Value["metadata"].(map[string]any)
	for _, field := range []string{"annotations", "labels"} {
		values, _ := metadata[field].(map[string]any)
		for _, name := range sortedKeys(values) {
			if effectOf(name) != "" {
				out = append(out, actedKey{strings.TrimSuffix(field, "s"), name, source.Pointer("metadata", field, name)})
			}
		}
	}
	return out
}

// typeNamed is the type of a Secret in a form that no pointer has.
func typeNamed(o *render.Object) string {
	if name, _ := o.Value["type"].(string); name != "" {
		return "type " + name
	}
	return "type Opaque"
}
