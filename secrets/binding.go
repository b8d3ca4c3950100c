package secrets

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// CheckBinding judges where the encrypted values of a target arrive: whether the
// Secret is in a namespace that their file is bound to, by e or by a plaintext
// [BindKey] in the file; whether its metadata, set from outside that file, would
// make a controller copy it; whether one value arrives in several namespaces; and
// whether the clusters of the target's environment, and no others, can open its
// files.
func (s *Sealed) CheckBinding(r *render.Rendered, e Expectations) []finding.Finding {
	b := &bound{sealed: s, rendered: r, e: e, files: map[string][]block{}}
	b.arrive()
	b.inNamespaces()
	b.inIdentity()
	b.inMany()
	b.metadata()
	b.lent()
	b.environments()
	return b.out
}

// UncheckedBindings lists the Secrets of a target whose [BindKey] is encrypted:
// only who can decrypt it can compare it, which the apply job does.
func (s *Sealed) UncheckedBindings(r *render.Rendered) []finding.NotChecked {
	b := &bound{sealed: s, rendered: r, files: map[string][]block{}}
	b.arrive()
	var out []finding.NotChecked
	for _, a := range b.arrivals {
		if a.value.encrypted && strings.HasPrefix(a.value.name, BindKey) {
			out = append(out, finding.NotChecked{
				Target: r.Target.Path, Object: a.object.Object, Check: "secrets",
				Reason: "its " + BindKey + " is encrypted: it is compared when the target is applied",
			})
		}
	}
	return out
}

// bound is the state of judging one target.
type bound struct {
	sealed   *Sealed
	rendered *render.Rendered
	e        Expectations
	arrivals []arrival
	sealedIn []string           // encrypted files that the target read
	files    map[string][]block // read on demand
	out      []finding.Finding
}

// An arrival is one encrypted value in a Secret of the target.
type arrival struct {
	value  *value
	object *render.Object
}

// doc is the index of the document that the value is from.
func (a arrival) doc() int {
	digits, _, _ := strings.Cut(a.value.path, "/")
	n, _ := strconv.Atoi(digits)
	return n
}

// arrive finds the encrypted values in the Secrets of the target.
func (b *bound) arrive() {
	c := &course{tokens: map[string]*value{}}
	for _, file := range b.rendered.Reads.Files {
		_, sh, err := b.sealed.read(file)
		if err != nil || sh == nil {
			continue
		}
		if sh.meta != nil {
			b.sealedIn = append(b.sealedIn, file)
		}
		for _, v := range sh.values {
			if v.encrypted && v.token != "" {
				c.tokens[v.token] = v
			}
		}
	}
	if len(c.tokens) == 0 {
		return
	}
	for _, o := range b.rendered.Objects {
		if o.Kind != "Secret" || o.APIVersion != "v1" {
			continue
		}
		for _, field := range []string{"data", "stringData"} {
			values, _ := o.Value[field].(map[string]any)
			for _, key := range sortedKeys(values) {
				text, _ := values[key].(string)
				if v := c.whole(text); v != nil {
					b.arrivals = append(b.arrivals, arrival{v, o})
				}
			}
		}
	}
}

// blocks reads a file of the target again, with its sops blocks.
func (b *bound) blocks(file string) []block {
	found, ok := b.files[file]
	if !ok {
		if data, err := b.sealed.tree.ReadFile(file); err == nil {
			found = blocks(file, data)
		}
		b.files[file] = found
	}
	return found
}

// each calls do once for every file and object that a value flows between.
func (b *bound) each(do func(a arrival)) {
	type way struct {
		file   string
		doc    int
		object *render.Object
	}
	seen := map[way]bool{}
	for _, a := range b.arrivals {
		if w := (way{a.value.file, a.doc(), a.object}); !seen[w] {
			seen[w] = true
			do(a)
		}
	}
}

const helpMoved = "put the Secret back, or change the binding if it belongs there"

// inNamespaces compares with the bindings of the configuration. A file that
// several of them name must keep all.
func (b *bound) inNamespaces() {
	b.each(func(a arrival) {
		for _, binding := range b.e.Bind {
			if ok, err := doublestar.Match(binding.Files, a.value.file); !ok || err != nil {
				continue
			}
			if !slices.ContainsFunc(binding.Namespaces, func(pattern string) bool { return matchName(pattern, a.object.Namespace) }) {
				b.moved(a, fmt.Sprintf("a secret of %s would reach %s, but the file is bound to %s",
					a.value.file, namespaceOf(a.object), strings.Join(binding.Namespaces, ", ")))
			}
		}
	})
}

// matchName fits a namespace; none is fitted by nothing, since only who applies
// the target knows which one it becomes.
func matchName(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil && name != ""
}

func namespaceOf(o *render.Object) string {
	if o.Namespace == "" {
		return "no namespace that is known"
	}
	return strconv.Quote(o.Namespace)
}

// moved places a finding at what decides where the Secret is.
func (b *bound) moved(a arrival, message string) {
	f := b.rendered.At(a.object, "/metadata/namespace", finding.Finding{
		Rule: ruleMoved, Severity: finding.Error, Message: message, Help: helpMoved,
	})
	relate(&f, "the secret value", a.value.span)
	b.out = append(b.out, f)
}

// BindKey is the key in stringData of an encrypted Secret that says which object
// its values are for: "v1/Secret/prod/db". The apply job compares it with the
// object and drops it. Where it is in plaintext, which the file's rule must allow
// (unencrypted_suffix), [Sealed.CheckBinding] compares it too.
const BindKey = "sops-bind"

// inIdentity compares with the identity that the document of a value names. It
// is taken from the file: a patch may have changed it in the render.
func (b *bound) inIdentity() {
	b.each(func(a arrival) {
		for _, wanted := range b.identities(a) {
			o := a.object
			if got := "v1/Secret/" + o.Namespace + "/" + o.Name; got != wanted {
				b.moved(a, fmt.Sprintf("a secret of %s would reach %s, but its %s is for %s", a.value.file, got, BindKey, wanted))
			}
		}
	})
}

// identities returns the plaintext values of BindKey beside a value.
func (b *bound) identities(a arrival) []string {
	data, err := b.sealed.tree.ReadFile(a.value.file)
	if err != nil || !bytes.Contains(data, []byte(BindKey)) {
		return nil
	}
	var out []string
	for _, block := range b.blocks(a.value.file) {
		for _, v := range block.values {
			if block.doc == a.doc() && len(v.tokens) == 2 && isBindKey(v.tokens[1], block.meta.Selection) && isIdentity(v.text) {
				out = append(out, v.text)
			}
		}
	}
	return out
}

func isBindKey(key string, s Selection) bool {
	return key == BindKey || s.UnencryptedSuffix != "" && key == BindKey+s.UnencryptedSuffix
}

// isIdentity reports whether a text names a Secret in the form of BindKey. It is
// no secret.
func isIdentity(text string) bool {
	rest, ok := strings.CutPrefix(text, "v1/Secret/")
	namespace, name, both := strings.Cut(rest, "/")
	return ok && both && isName(namespace) && isName(name)
}

// maxName is the longest name of a Kubernetes object (RFC 1123 subdomain).
const maxName = 253

func isName(text string) bool {
	return text != "" && len(text) <= maxName && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}

// inMany reports a value that arrives in Secrets of several namespaces.
func (b *bound) inMany() {
	first := map[*value]*render.Object{}
	reported := map[*render.Object]bool{}
	for _, a := range b.arrivals {
		before, ok := first[a.value]
		if !ok {
			first[a.value] = a.object
			continue
		}
		if before.Namespace == a.object.Namespace || reported[a.object] {
			continue
		}
		reported[a.object] = true
		f := b.rendered.At(a.object, source.Pointer("metadata", "namespace"), finding.Finding{
			Rule: ruleReused, Severity: finding.Warning, Help: helpReused,
			Message: fmt.Sprintf("one secret of %s reaches the namespaces %s and %s",
				a.value.file, namespaceOf(before), namespaceOf(a.object)),
		})
		b.out = append(b.out, f)
	}
}
