package secrets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// lastApplied is the annotation in which kubectl apply keeps a copy of the whole
// object, a Secret's values included.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// secrets seals the plaintext values of every Secret at or below n: a document,
// an item of a List, an object inside a Template or a Policy. Siblings share the
// array of their tokens: nobody may keep them.
func (d *document) secrets(n *yaml.Node, tokens []string) {
	switch n = deref(n); n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			d.secrets(item, append(tokens, strconv.Itoa(i)))
		}
	case yaml.MappingNode:
		if d.isSecret(n, tokens) {
			d.secret(n, tokens)
			return
		}
		if isSecretList(n) {
			for i, item := range items(get(n, "items")) {
				d.secret(item, slices.Concat(tokens, []string{"items", fmt.Sprint(i)}))
			}
			return
		}
		if isSealedSecretNode(n) {
			d.sealedSecret(n, tokens)
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if child := deref(n.Content[i+1]); child.Kind != yaml.ScalarNode {
				d.secrets(child, append(tokens, deref(n.Content[i]).Value))
			}
		}
	}
}

// isSecret reports whether a mapping is a v1 Secret, or a patch for one. Old and
// careless manifests leave apiVersion out.
func (d *document) isSecret(n *yaml.Node, tokens []string) bool {
	if len(tokens) == 0 && d.patch != nil {
		return true
	}
	version := getText(n, "apiVersion")
	return getText(n, "kind") == "Secret" && (version == "v1" || version == "")
}

// isSecretList reports whether a mapping is a list whose items are Secrets, of
// which kubectl takes the kind for granted.
func isSecretList(n *yaml.Node) bool {
	version := getText(n, "apiVersion")
	return getText(n, "kind") == "SecretList" && (version == "v1" || version == "")
}

func (d *document) secret(n *yaml.Node, tokens []string) {
	object := d.identity(n)
	if object == nil || d.patch != nil && object.Kind != "Secret" {
		object = d.patch
	}
	if object == nil {
		metadata := get(n, "metadata")
		object = &finding.Object{APIVersion: "v1", Kind: "Secret", Namespace: getText(metadata, "namespace"), Name: getText(metadata, "name")}
	}
	for _, field := range []string{"data", "stringData"} {
		if v := get(n, field); v != nil {
			d.fields(v, field, object, tokens)
		}
	}
	annotations := get(get(n, "metadata"), "annotations")
	if v := get(annotations, lastApplied); v != nil && strings.Contains(deref(v).Value, `ata":{`) {
		at := leaf{node: deref(v), tokens: []string{"metadata", "annotations", lastApplied}, keys: []string{lastApplied}}
		d.plain(at, "metadata", object, tokens)
	}
}

// fields seals what is under data or stringData, however deep: a value that is
// no string is as secret as one that is.
func (d *document) fields(v *yaml.Node, field string, object *finding.Object, tokens []string) {
	start := []string{field}
	leaves(v, leaf{tokens: start, keys: start}, func(at leaf) {
		if at.name() != "$patch" {
			d.plain(at, field, object, tokens)
		}
	})
}

// plain seals one plaintext value of a Secret. tokens lead to the Secret.
func (d *document) plain(at leaf, field string, object *finding.Object, tokens []string) {
	text := at.node.Value
	if isEnc(text) || at.node.Tag == "!!null" || isReferenceIn(field, text) || isPublic(field, text) {
		return
	}
	v := &value{
		file: d.path, path: d.name + place(d.index, source.Pointer(slices.Concat(tokens, at.tokens)...)),
		name: at.name(), object: object, pointer: source.Pointer(at.tokens...), span: d.span(at.node),
		rule: rulePlaintext, message: "Secret value " + quoteName(at) + " is committed in plaintext",
	}
	if d.encrypted {
		v.rule = ruleIncomplete
		v.message = "Secret value " + quoteName(at) + " is in plaintext in a file that sops encrypted"
	}
	d.take(v, at.node)
}

// take seals a plaintext value at its scalar.
func (d *document) take(v *value, n *yaml.Node) {
	if d.done[n] {
		return
	}
	d.sheet.values = append(d.sheet.values, v)
	v.kind = kindOf(n)
	if stand := placeholder(v.kind); stand != "" {
		d.replace(n, stand, false)
		return
	}
	v.token = plainToken(v.file, v.path)
	d.replace(n, v.token, true)
}

// kindOf names a scalar's type as sops would.
func kindOf(n *yaml.Node) string {
	switch n.Tag {
	case "!!int":
		return "int"
	case "!!float":
		return "float"
	case "!!bool":
		return "bool"
	case "!!timestamp":
		return "time"
	}
	return "str"
}

// jsonPatch seals the values of a JSON patch (RFC 6902) that go into a Secret:
// into stringData, which nothing else has, or into data where the patch is known
// to be for a Secret.
func (d *document) jsonPatch() {
	if d.root.Kind != yaml.SequenceNode {
		return
	}
	for i, op := range items(d.root) {
		v := get(op, "value")
		target := source.Split(getText(op, "path"))
		if v == nil || len(target) == 0 {
			continue
		}
		if target[0] != "stringData" && (target[0] != "data" || d.patch == nil) {
			continue
		}
		object := d.patch
		if object == nil {
			object = &finding.Object{APIVersion: "v1", Kind: "Secret"}
		}
		leaves(v, leaf{tokens: target, keys: target}, func(at leaf) {
			d.plain(at, target[0], object, []string{fmt.Sprint(i)})
		})
	}
}
