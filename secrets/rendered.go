package secrets

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
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
	c := s.follow(r)
	for _, f := range c.masks {
		// The pointer comes from the same walk, so it exists.
		_ = f.object.Replace(f.pointer, f.with)
	}
	return c.out
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

// course is the state of following the tokens of one target.
type course struct {
	sealed   *Sealed
	rendered *render.Rendered
	tokens   map[string]*value // of the files that the target read
	parts    partIndex
	object   *render.Object
	path     []string
	out      []finding.Finding
	flows    []Flow
	masks    []mask
	plain    map[*value]bool // plaintext values that were reported
	typed    bool            // a file holds placeholders
}

type mask struct {
	object        *render.Object
	pointer, with string
}

func (s *Sealed) follow(r *render.Rendered) *course {
	c := &course{sealed: s, rendered: r, tokens: map[string]*value{}, plain: map[*value]bool{}}
	for _, file := range r.Reads.Files {
		_, sh, err := s.read(file)
		if err != nil || sh == nil {
			continue
		}
		for _, v := range sh.values {
			if v.token != "" {
				c.tokens[v.token] = v
				continue
			}
			c.typed = true
			c.untoken(v)
		}
	}
	c.parts = newPartIndex(c.tokens)
	for _, o := range r.Objects {
		c.object, c.path = o, c.path[:0]
		c.walk(o.Value)
	}
	return c
}

// untoken reports a value that a placeholder stands for. Nobody can follow a
// placeholder, so an encrypted one is refused wherever it goes.
func (c *course) untoken(v *value) {
	if v.rule != "" {
		c.plaintext(v)
	}
	if !v.encrypted {
		return
	}
	c.out = append(c.out, finding.Finding{
		Rule: ruleLeak, Severity: finding.Error, Object: v.object, Pointer: v.pointer, Location: v.span,
		Message: fmt.Sprintf("encrypted value %q is of type %s, which cannot be followed into a Secret", v.name, v.kind),
		Help:    "make it a string before it is encrypted: Secrets hold nothing else",
		Targets: []string{c.rendered.Target.Path},
	})
}

// plaintext repeats the finding about a file for this target.
func (c *course) plaintext(v *value) {
	if !c.plain[v] {
		c.plain[v] = true
		f := v.finding()
		f.Targets = []string{c.rendered.Target.Path}
		c.out = append(c.out, f)
	}
}

func (c *course) walk(node any) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range sortedKeys(node) {
			c.path = append(c.path, key)
			c.key(key, node[key])
			c.walk(node[key])
			c.path = c.path[:len(c.path)-1]
		}
	case []any:
		for i, item := range node {
			c.path = append(c.path, strconv.Itoa(i))
			c.walk(item)
			c.path = c.path[:len(c.path)-1]
		}
	case string:
		c.text(node)
	case nil:
	default:
		c.scalar(node)
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

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
	c.scanText(text)
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
	case !v.encrypted && c.atHome(v):
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
	if isReferenceIn(c.path[0], text) || isPublic(c.path[0], text) {
		return
	}
	c.reportPlain(fmt.Sprintf("Secret value %q is in plaintext in the render", c.path[1]))
}

// scalar judges a number or a boolean in a Secret.
func (c *course) scalar(node any) {
	if !c.isSecret() || c.path[0] != "data" && c.path[0] != "stringData" {
		return
	}
	if c.typed && slices.Contains([]string{placeholderInt, placeholderFloat, placeholderBool}, fmt.Sprint(node)) {
		return
	}
	c.reportPlain(fmt.Sprintf("Secret value %q is in plaintext in the render", c.path[len(c.path)-1]))
}

func (c *course) reportPlain(message string) {
	f := c.place(finding.Finding{Rule: rulePlaintext, Severity: finding.Error, Message: message, Help: helpEncrypt})
	c.mask(plainToken(c.rendered.Target.Path, c.object.String()+f.Pointer))
}

// scanText looks for keys and credentials in a string outside Secrets. What a
// file shows as well is reported there.
func (c *course) scanText(text string) {
	if len(text) < minRun/2 {
		return
	}
	hits := scan([]byte(text))
	if len(hits) == 0 {
		return
	}
	for _, h := range hits {
		f := finding.Finding{Rule: h.rule, Severity: finding.Error, Message: h.message, Help: "take it out of the repository and rotate it"}
		placed := c.at(f)
		if !c.sealed.scannedFile(placed.Location.File, h.rule) {
			c.out = append(c.out, placed)
			c.sealed.hide(placed.Location)
		}
	}
	slices.Reverse(hits)
	masked := text
	for _, h := range hits {
		masked = masked[:h.from] + dots + masked[min(h.to, len(masked)):]
	}
	c.mask(masked)
}

// dots mask a value, whatever its length.
const dots = "••••••••"

func (c *course) mask(with string) {
	c.masks = append(c.masks, mask{c.object, source.Pointer(c.path...), with})
}

// place puts a finding where the field is set, and hides the lines that set it.
func (c *course) place(f finding.Finding) finding.Finding {
	f = c.at(f)
	c.sealed.hide(f.Location)
	for _, r := range f.Related {
		c.sealed.hide(r.Location)
	}
	c.out = append(c.out, f)
	return f
}

// at places a finding at the field that the walk has reached.
func (c *course) at(f finding.Finding) finding.Finding {
	return c.rendered.At(c.object, source.Pointer(c.path...), f)
}

// report says that a secret would leak at the path.
func (c *course) report(message, help string, v *value) {
	f := c.at(finding.Finding{Rule: ruleLeak, Severity: finding.Error, Message: message, Help: help})
	if v != nil && v.span != f.Location {
		f.Related = append(f.Related, finding.Related{Message: "the secret value", Location: v.span})
	}
	c.out = append(c.out, f)
}
