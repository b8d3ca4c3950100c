package secrets

import (
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// A SealedSecret (bitnami.com/v1alpha1) holds values that kubeseal encrypted for
// the controller of one cluster. Nobody else can open one, so its form is all
// that can be judged: pkg/crypto of github.com/bitnami-labs/sealed-secrets,
// HybridEncrypt, writes
//
//	base64( uint16 n, big endian | n bytes of RSA-OAEP | AES-256-GCM with its tag )

// sealedOverhead is what a sealed value has beside the RSA block at the least:
// the length in front and the tag of GCM behind.
const sealedOverhead = 2 + tagSize

// rsaSizes are the lengths in bytes of the RSA block: 512 for the 4096 bits of a
// controller's own certificate, the others for those that users bring along.
var rsaSizes = []int{256, 384, 512, 1024}

// helpSealed goes with every finding about a value of a SealedSecret.
const helpSealed = "seal the value with kubeseal; rotate it if it was pushed in plaintext"

func isSealedSecret(apiVersion, kind string) bool {
	return kind == "SealedSecret" && strings.HasPrefix(apiVersion, "bitnami.com/")
}

func isSealedSecretNode(n *yaml.Node) bool {
	return isSealedSecret(getText(n, "apiVersion"), getText(n, "kind"))
}

// judgeSealed judges one value of encryptedData. The rule is empty where it has
// the form of a ciphertext, or stands for one. The message quotes the key alone.
func judgeSealed(name, text string) (rule, message string) {
	text = strings.Join(strings.Fields(text), "")
	broken := func(why string) (string, string) {
		return ruleMetadata, `the sealed value of "` + name + `" is malformed: ` + why
	}
	plain := func(what string) (string, string) {
		return rulePlaintext, `SealedSecret value "` + name + `" ` + what
	}
	if IsReference(text) {
		return "", ""
	}
	data, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil && isCutSealed(text):
		return broken("it is cut off, or is no base64")
	case err != nil:
		return plain("is committed in plaintext")
	case isText(data):
		return plain("is base64 of plaintext, not a ciphertext")
	}
	n := 0
	if len(data) >= 2 {
		n = int(binary.BigEndian.Uint16(data))
	}
	switch known := slices.Contains(rsaSizes, n); {
	case !known && len(data) < rsaSizes[0]+sealedOverhead:
		return plain("is base64 of something too short to be a ciphertext")
	case !known:
		return broken("it does not begin with the length of an RSA block")
	case len(data) < n+sealedOverhead:
		return broken("it is cut off")
	case isText(data[2:2+n]) || len(data) > n+2*sealedOverhead && isText(data[2+n:]):
		return plain("has the form of a ciphertext around plaintext")
	}
	return "", ""
}

// isCutSealed reports whether a text begins as sealed values do: 2048 to 8192
// bits are 0x0100 to 0x0400 as a length, AQ, AY, AgA to AgD or BA in base64.
func isCutSealed(text string) bool {
	return sealedStart.MatchString(text)
}

var sealedStart = regexp.MustCompile(`^(?:AQ[A-D]|AY[A-D]|Ag[A-D]|BA[A-D])[A-Za-z0-9+/]{13,}`)

// sealedSecret judges the values of a SealedSecret, and seals those that are no
// ciphertext. tokens lead to it.
func (d *document) sealedSecret(n *yaml.Node, tokens []string) {
	object, spec := d.identity(n), get(n, "spec")
	for _, field := range []string{"encryptedData", "data"} {
		d.each(get(spec, field), []string{"spec", field}, func(at leaf) { d.sealedValue(at, object, tokens) })
	}
	template := get(spec, "template")
	for _, field := range []string{"data", "stringData"} {
		d.each(get(template, field), []string{"spec", "template", field}, func(at leaf) {
			if at.node.Tag != "!!null" && !isEnc(at.node.Value) && isPlainTemplate(at.node.Value) {
				d.takeSealed(at, object, tokens, rulePlaintext, `SealedSecret template value `+quoteName(at)+` is committed in plaintext`)
			}
		})
	}
	annotations := get(get(template, "metadata"), "annotations")
	if v := get(annotations, lastApplied); v != nil && strings.Contains(deref(v).Value, `ata":{`) {
		at := leaf{node: deref(v), tokens: []string{"spec", "template", "metadata", "annotations", lastApplied}, keys: []string{lastApplied}}
		d.takeSealed(at, object, tokens, rulePlaintext, "the template of a SealedSecret repeats the Secret in plaintext ("+lastApplied+")")
	}
	d.scopes(n, object)
}

// each visits the scalars below a field, none where the field is not there.
func (d *document) each(v *yaml.Node, tokens []string, visit func(leaf)) {
	if v != nil {
		leaves(v, leaf{tokens: tokens, keys: tokens}, visit)
	}
}

func (d *document) sealedValue(at leaf, object *finding.Object, tokens []string) {
	switch text := at.node.Value; {
	case isEnc(text) && d.encrypted:
		d.sheet.report(ruleMetadata, d.span(at.node), object, source.Pointer(at.tokens...),
			"the sealed value of "+quoteName(at)+" is malformed: it is a ciphertext of sops, which the controller cannot open", helpSealed)
	case isEnc(text), at.node.Tag == "!!null":
	default:
		if rule, message := judgeSealed(at.name(), text); rule != "" {
			d.takeSealed(at, object, tokens, rule, message)
		}
	}
}

func (d *document) takeSealed(at leaf, object *finding.Object, tokens []string, rule, message string) {
	d.take(&value{
		file: d.path, path: d.name + place(d.index, source.Pointer(slices.Concat(tokens, at.tokens)...)),
		name: at.name(), object: object, pointer: source.Pointer(at.tokens...), span: d.span(at.node),
		rule: rule, message: message, help: helpSealed,
	}, at.node)
}

// isPlainTemplate reports whether a value of a SealedSecret's template is a
// secret as it stands: no reference, nothing public, and no Go template that
// takes something from the sealed values.
func isPlainTemplate(text string) bool {
	if IsReference(text) && !strings.ContainsAny(text, "\"`") || isPublic("stringData", text) {
		return false
	}
	for _, action := range templateAction.FindAllString(text, -1) {
		if templateField.MatchString(templateString.ReplaceAllString(action, "")) {
			return false
		}
	}
	return true
}

var (
	templateAction = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	templateString = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	templateField  = regexp.MustCompile(`(?:^|[\s({|])[.$]`)
)
