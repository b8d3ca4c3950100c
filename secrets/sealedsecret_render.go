package secrets

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// sealedText judges a string of a rendered SealedSecret that no token covers, as
// a patch or a generator leaves it. It reports whether the string is one that
// must be a ciphertext or a template.
func (c *course) sealedText(text string) bool {
	if !isSealedSecret(c.object.APIVersion, c.object.Kind) || len(c.path) < 2 || c.path[0] != "spec" {
		return false
	}
	name := c.path[len(c.path)-1]
	rule, message := "", ""
	switch {
	case c.path[1] == "encryptedData" || c.path[1] == "data":
		rule, message = judgeSealed(name, text)
	case len(c.path) > 3 && c.path[1] == "template" && (c.path[2] == "data" || c.path[2] == "stringData"):
		if !isPlainTemplate(text) {
			return false
		}
		rule, message = rulePlaintext, `SealedSecret template value "`+name+`" is in plaintext in the render`
	default:
		return false
	}
	if rule != "" {
		f := c.place(finding.Finding{Rule: rule, Severity: finding.Error, Message: message, Help: helpSealed})
		c.mask(plainToken(c.rendered.Target.Path, c.object.String()+f.Pointer))
	}
	return true
}

// isSealedHome reports whether a plaintext value of a SealedSecret is where its
// author wrote it.
func (c *course) isSealedHome(v *value) bool {
	return v.object != nil && isSealedSecret(v.object.APIVersion, v.object.Kind) &&
		isSealedSecret(c.object.APIVersion, c.object.Kind) && source.Pointer(c.path...) == v.pointer
}

// A sealing is one SealedSecret of a file: for what its values were encrypted.
type sealing struct {
	object finding.Object
	scope  sealScope
	span   finding.Span
}

// checkSealedSecrets compares the name, namespace and scope of each rendered
// SealedSecret with those in the file that its ciphertexts come from. kubeseal
// binds a ciphertext to them, so the controller cannot open one that the render
// moved.
func (s *Sealed) checkSealedSecrets(r *render.Rendered) []finding.Finding {
	var out []finding.Finding
	var sealed map[string][]sealing // by ciphertext
	for _, o := range r.Objects {
		if !isSealedSecret(o.APIVersion, o.Kind) {
			continue
		}
		if sealed == nil {
			sealed = s.sealings(r.Reads.Files)
		}
		out = append(out, moved(r, o, sealed)...)
	}
	return out
}

// sealings reads the SealedSecrets of files.
func (s *Sealed) sealings(files []string) map[string][]sealing {
	out := map[string][]sealing{}
	for _, path := range files {
		data, err := s.tree.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte("SealedSecret")) {
			continue
		}
		f, err := source.Parse(path, data)
		if err != nil {
			continue
		}
		for _, doc := range f.Docs {
			eachSealedSecret(doc.Root, func(n *yaml.Node) {
				metadata := get(n, "metadata")
				from := sealing{
					object: finding.Object{Kind: "SealedSecret", Namespace: getText(metadata, "namespace"), Name: getText(metadata, "name")},
					scope:  scopeOfNode(metadata), span: f.Span(n),
				}
				if data := get(get(n, "spec"), "encryptedData"); data != nil {
					leaves(data, leaf{}, func(at leaf) { out[at.node.Value] = append(out[at.node.Value], from) })
				}
			})
		}
	}
	return out
}

// eachSealedSecret visits the SealedSecrets at or below a node.
func eachSealedSecret(n *yaml.Node, visit func(*yaml.Node)) {
	n = deref(n)
	if n.Kind == yaml.MappingNode && isSealedSecretNode(n) {
		visit(n)
		return
	}
	for _, child := range n.Content {
		eachSealedSecret(child, visit)
	}
}

// moved returns a finding for each of name, namespace and scope that differs from
// what any value of a SealedSecret was sealed for.
func moved(r *render.Rendered, o *render.Object, sealed map[string][]sealing) []finding.Finding {
	spec, _ := o.Value["spec"].(map[string]any)
	data, _ := spec["encryptedData"].(map[string]any)
	scope := scopeOf(renderedAnnotation(o))
	told := map[string]bool{}
	var out []finding.Finding
	for _, key := range sortedKeys(data) {
		text, _ := data[key].(string)
		from, pointer, message := misplaced(sealed[text], o.Object, scope)
		if message == "" || told[pointer] {
			continue
		}
		told[pointer] = true
		f := r.At(o, pointer, finding.Finding{
			Rule: ruleMoved, Severity: finding.Error, Message: message,
			Help: "seal the Secret again for where it is rendered to, or leave its name, namespace and scope as they were",
		})
		f.Related = append(f.Related, finding.Related{Message: "sealed here", Location: from.span})
		out = append(out, f)
	}
	return out
}

func renderedAnnotation(o *render.Object) func(string) string {
	metadata, _ := o.Value["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	return func(name string) string {
		text, _ := annotations[name].(string)
		return text
	}
}

// misplaced compares an object with the places that its ciphertext was sealed
// in. One that fits is enough; of none, nothing is known. A name or namespace
// that the file leaves out is given when it is applied, and is not compared.
func misplaced(from []sealing, to finding.Object, scope sealScope) (sealing, string, string) {
	var first sealing
	var pointer, message string
	for _, s := range from {
		p, m := s.differs(to, scope)
		if m == "" {
			return sealing{}, "", ""
		}
		if message == "" {
			first, pointer, message = s, p, m
		}
	}
	return first, pointer, message
}

func (s sealing) differs(to finding.Object, scope sealScope) (pointer, message string) {
	namespaced := s.object.Namespace != "" && to.Namespace != "" && s.object.Namespace != to.Namespace
	named := s.object.Name != "" && to.Name != "" && s.object.Name != to.Name
	what := fmt.Sprintf("%s was sealed", s.object)
	switch {
	case s.scope != scope:
		wide := scope
		if wide == scopeStrict {
			wide = s.scope // its annotation is gone
		}
		return source.Pointer("metadata", "annotations", wide.annotation()), fmt.Sprintf("%s with the scope %s, but is rendered with the scope %s: the controller cannot open it", what, s.scope, scope)
	case scope != scopeCluster && namespaced:
		return "/metadata/namespace", fmt.Sprintf("%s for namespace %s (scope %s), but is rendered into namespace %s: the controller cannot open it", what, s.object.Namespace, scope, to.Namespace)
	case scope == scopeStrict && named:
		return "/metadata/name", fmt.Sprintf("%s for the name %s (scope %s), but is rendered with the name %s: the controller cannot open it", what, s.object.Name, scope, to.Name)
	}
	return "", ""
}
