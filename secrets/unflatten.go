package secrets

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"go.yaml.in/yaml/v3"
)

// flatMetadata judges the sops block that flat keys make up.
func (s *sheet) flatMetadata(block []assignment) {
	meta, problems := decodeMetadata(s.flatNodes(block))
	s.meta = &meta
	for _, p := range problems {
		s.report(ruleMetadata, p.span, nil, "", p.message, helpMetadata)
	}
}

// flatNodes builds the sops block from its flat keys.
func (t *text) flatNodes(block []assignment) (key, root *yaml.Node, span func(*yaml.Node) finding.Span) {
	spans := map[*yaml.Node]finding.Span{}
	root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	key = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "sops"}
	for _, a := range block {
		text := strings.Trim(t.of(a.value), `"`)
		if _, ok := spans[key]; !ok {
			spans[key] = t.span(a.line.from, a.line.to)
		}
		if leaf := unflatten(root, a.key); leaf != nil {
			leaf.Tag, leaf.Value = "!!str", strings.ReplaceAll(text, `\n`, "\n")
			spans[leaf] = t.span(a.value.from, a.value.to)
		}
	}
	return key, root, func(n *yaml.Node) finding.Span {
		if span, ok := spans[n]; ok {
			return span
		}
		return spans[key]
	}
}

var flatStep = regexp.MustCompile(`__(map|list)_`)

// maxFlatIndex bounds list indexes of flat keys: nobody has more recipients.
const maxFlatIndex = 1000

// unflatten makes the leaf that a key such as age__list_0__map_enc leads to. It
// is nil where the key makes no sense.
func unflatten(root *yaml.Node, key string) *yaml.Node {
	steps := flatStep.FindAllStringSubmatchIndex(key, -1)
	name, at := key, root
	if len(steps) > 0 {
		name = key[:steps[0][0]]
	}
	slot := childOf(at, name)
	for i, step := range steps {
		end := len(key)
		if i+1 < len(steps) {
			end = steps[i+1][0]
		}
		name := key[step[1]:end]
		if key[step[2]:step[3]] == "map" {
			slot.Kind, slot.Tag = yaml.MappingNode, "!!map"
			slot = childOf(slot, name)
			continue
		}
		index, err := strconv.Atoi(name)
		if err != nil || index < 0 || index > maxFlatIndex {
			return nil
		}
		slot.Kind, slot.Tag = yaml.SequenceNode, "!!seq"
		for len(slot.Content) <= index {
			slot.Content = append(slot.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
		}
		slot = slot.Content[index]
	}
	if slot.Kind != yaml.ScalarNode {
		return nil
	}
	return slot
}

// childOf returns the value under a key of a mapping, made if it is missing.
func childOf(n *yaml.Node, name string) *yaml.Node {
	if v := get(n, name); v != nil {
		return v
	}
	v := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, v)
	return v
}
