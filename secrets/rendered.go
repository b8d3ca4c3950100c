package secrets

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// CheckRendered follows the tokens through a target and judges its Secrets.
//
// Each token must sit whole, as it is or in base64, in data or stringData of a
// v1 Secret. Anything else is a secret-leak, and so are a ciphertext, a sops
// block and an encrypted value that no token can stand for. Plaintext of a
// Secret that came from a file gives the finding that CheckFiles gives; plaintext
// that only the render shows is reported where it was set.
//
// It also masks: what is still secret in r is replaced by a token, so it must run
// before anything prints r, and alone.
func (s *Sealed) CheckRendered(r *render.Rendered) []finding.Finding {
	findings, _ := s.JudgeRendered(r)
	return findings
}

// JudgeRendered is CheckRendered, and returns as well which places it found to
// hold secrets that no file shows by itself: see [Sealed.Hide].
func (s *Sealed) JudgeRendered(r *render.Rendered) (findings []finding.Finding, hidden []finding.Span) {
	c := s.follow(r)
	for _, f := range c.masks {
		// The pointer comes from the same walk, so it exists.
		_ = f.object.Replace(f.pointer, f.with)
	}
	return append(c.out, s.checkSealedSecrets(r)...), c.hidden
}

// Flow is one way of a secret through a render: from a key in a file to a field
// of an object.
type Flow struct {
	File      string // the file that holds the value
	Key       string // its key in the file; the file's path where it is one secret
	Span      finding.Span
	Encrypted bool
	Object    finding.Object
	Pointer   string
	Permitted bool // data or stringData of a v1 Secret
}

// Flows lists how the secrets of a target flow, in the order of the objects.
func (s *Sealed) Flows(r *render.Rendered) []Flow { return s.follow(r).flows }

// key judges a key: a sops block that is left over, a secret used as a name.
func (c *course) key(key string, value any) {
	if key == "sops" {
		if block, ok := value.(map[string]any); ok && (len(c.path) == 1 || block["mac"] != nil) {
			c.report("a sops block is left in the render", "build the target from a file that is intact", nil)
		}
		return
	}
	if v, part := c.find(key); v != nil || part {
		c.report("a key is made from a secret value", helpLeak, v)
	}
}

const helpLeak = "take away the replacement, patch or generator that copies the value; read it from the Secret where it is needed"

// text judges one string of an object.
func (c *course) text(text string) {
	inSecret := c.inSecret()
	if v := c.whole(text); v != nil {
		c.token(v, inSecret)
		return
	}
	if v, part := c.find(text); v != nil || part {
		c.report("part of a secret value, or more than the value, would be rendered", helpLeak, v)
		return
	}
	if strings.Contains(text, "ENC[AES256_GCM") {
		c.report("a ciphertext is left in the render: the file it comes from was not sealed", "keep encrypted values in files that sops wrote, unchanged", nil)
		return
	}
	if inSecret {
		c.secretText(text)
		return
	}
	if !c.sealedText(text) && !c.credential(text) {
		c.scanText(text)
	}
}

// inSecret reports whether the path is a value of a v1 Secret.
func (c *course) inSecret() bool {
	return c.isSecret() && len(c.path) == 2 && (c.path[0] == "data" || c.path[0] == "stringData")
}

func (c *course) isSecret() bool { return c.object.Kind == "Secret" && c.object.APIVersion == "v1" }

// whole returns the value whose token a text is, as it is or in base64, which
// kustomize breaks into lines.
func (c *course) whole(text string) *value {
	if len(text) < tokenSize || len(text) > maxWrapped {
		return nil
	}
	if v := c.tokens[text]; v != nil {
		return v
	}
	if decoded, err := base64.StdEncoding.Strict().DecodeString(strings.ReplaceAll(text, "\n", "")); err == nil {
		return c.tokens[string(decoded)]
	}
	return nil
}

// maxWrapped is the longest text that base64 of a token can be: 88 characters
// and some line breaks.
const maxWrapped = 96

func (c *course) token(v *value, inSecret bool) {
	c.flows = append(c.flows, Flow{
		File: v.file, Key: v.name, Span: v.span, Encrypted: v.encrypted,
		Object: c.object.Object, Pointer: source.Pointer(c.path...), Permitted: inSecret,
	})
	if v.rule != "" {
		c.plaintext(v)
	}
	switch {
	case inSecret:
	case !v.encrypted && (c.atHome(v) || c.isSealedHome(v)):
	case v.encrypted:
		c.report(fmt.Sprintf("encrypted value %q would be rendered outside a Secret", v.name), helpLeak, v)
	default:
		c.report(fmt.Sprintf("secret value %q would be rendered outside a Secret", v.name), helpLeak, v)
	}
}

// atHome reports whether a plaintext value is where its author wrote it: in a
// Secret inside another object, or in the last-applied annotation.
func (c *course) atHome(v *value) bool {
	pointer := source.Pointer(c.path...)
	return v.object != nil && v.object.Kind == "Secret" && strings.HasSuffix(pointer, v.pointer) &&
		(len(pointer) > len(v.pointer) || c.isSecret())
}

// secretText judges a string of a Secret that no token covers.
func (c *course) secretText(text string) {
	if isReferenceIn(c.path[0], text) || isPublic(c.path[0], text) || c.typed && text == placeholderTime {
		return
	}
	c.reportPlain(fmt.Sprintf("Secret value %q is in plaintext in the render", c.path[1]))
}

// scalar judges a number or a boolean in a Secret.
func (c *course) scalar(node any) {
	if !c.isSecret() || c.path[0] != "data" && c.path[0] != "stringData" {
		c.credential(fmt.Sprint(node))
		return
	}
	if c.typed && slices.Contains([]string{placeholderInt, placeholderFloat, placeholderBool}, fmt.Sprint(node)) {
		return
	}
	c.reportPlain(fmt.Sprintf("Secret value %q is in plaintext in the render", c.path[len(c.path)-1]))
}
