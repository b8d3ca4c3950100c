package secrets

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// A file that a secretGenerator takes in becomes a Secret as a whole, so all of
// it has to be encrypted, whatever the rule in its sops block selects: with
// encrypted_regex ^(data|stringData)$, sops leaves a plain file as it is and
// still adds the block.

const helpPartial = "encrypt the file with a rule that selects every value (no encrypted_regex); rotate what was pushed"

// partial judges an encrypted YAML or JSON file that a secretGenerator takes in.
// It reports false where nothing at all is encrypted.
func (s *sheet) partial(f *source.File, use use) bool {
	encrypted := false
	var bare []leaf
	for _, doc := range f.Docs {
		eachLeaf(doc.Root, func(at leaf) {
			encrypted = encrypted || isEnc(at.node.Value)
			if isBare(at.node) {
				bare = append(bare, at)
			}
		})
	}
	if !encrypted {
		s.unencrypted()
		return false
	}
	for _, at := range bare {
		s.hideScalar(at.node)
		s.bareValue(at.name(), f.Span(at.node), use.file)
	}
	return true
}

// eachLeaf visits the values beside the sops block.
func eachLeaf(root *yaml.Node, visit func(leaf)) {
	if root = deref(root); root.Kind != yaml.MappingNode {
		leaves(root, leaf{}, visit)
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := deref(root.Content[i]).Value; key != "sops" {
			leaves(root.Content[i+1], leaf{tokens: []string{key}, keys: []string{key}}, visit)
		}
	}
}

// isBare reports whether a scalar is plaintext that may be secret: what sops
// encrypts when it encrypts everything, but for switches and references.
func isBare(n *yaml.Node) bool {
	return n.Tag != "!!null" && n.Tag != "!!bool" && isBareText(n.Value)
}

func isBareText(text string) bool {
	return text != "" && text != "true" && text != "false" && !isEnc(text) && !IsReference(text)
}

// bareValue reports one value, unless that is done.
func (s *sheet) bareValue(name string, at finding.Span, named []finding.Span) {
	if slices.ContainsFunc(s.findings, func(f finding.Finding) bool { return f.Location == at }) ||
		slices.ContainsFunc(s.values, func(v *value) bool { return v.rule != "" && v.span == at }) {
		return
	}
	s.report(ruleIncomplete, at, nil, "", bareMessage(name), helpPartial)
	s.findings[len(s.findings)-1].Related = related(named)
}

func bareMessage(name string) string {
	return fmt.Sprintf("the value of %q is in plaintext in a file that a secretGenerator turns into a Secret", name)
}

// unencrypted makes the sheet that of a plaintext file: a sops block alone
// protects nothing.
func (s *sheet) unencrypted() {
	s.format = ""
	s.findings = slices.DeleteFunc(s.findings, func(f finding.Finding) bool { return f.Rule == ruleIncomplete })
}

// hideScalar keeps a scalar out of the lines that are shown.
func (s *sheet) hideScalar(n *yaml.Node) {
	if e, ok := s.scalar(n); ok {
		s.bare = append(s.bare, e)
	}
}
