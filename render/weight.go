package render

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
)

const (
	// maxObjects bounds the objects that one target lets kustomize build. It
	// compares each of them with all others, several times (kustomize#5084), and
	// cannot be cancelled: 1,000 take a second, 5,000 half a minute, 10,000
	// minutes. Argo CD gives up after 90 seconds. The largest real target known
	// has 185.
	maxObjects = 5000
	// minObjectSize is the size in bytes of the shortest object that kustomize
	// takes: "{kind: A,metadata: {name: b}}" and a line break. Files that are so
	// small that they cannot hold too many are not parsed to count them.
	minObjectSize = 30
)

// weigh refuses a plan that takes in more objects than kustomize can build in
// good time.
func (b *Builder) weigh(p *plan) {
	if len(p.faults) > 0 {
		return // nothing will be built
	}
	most := p.generated
	for _, file := range p.resources {
		most += p.sizes[file] / minObjectSize
	}
	if most <= maxObjects {
		return
	}
	total, largest, at := p.generated, 0, finding.Span{File: p.root.Path}
	for _, file := range p.resources {
		n := b.objectsIn(file)
		if total += n; n > largest {
			largest, at = n, finding.Span{File: file}
		}
	}
	if total > maxObjects {
		p.faults = append(p.faults, &fault{
			Rule: ruleRenderError, Message: fmt.Sprintf("the target takes in more than %d objects, for which kustomize needs minutes", maxObjects),
			Help: "divide it into several targets; a directory of plain manifests without a kustomization has no such limit", Span: at,
		})
	}
}

// objectsIn counts the objects of a file. One that cannot be parsed has none:
// kustomize says what is wrong with it.
func (b *Builder) objectsIn(file string) (n int) {
	parsed := b.sources.file(file)
	if parsed == nil {
		return 0
	}
	for _, doc := range parsed.Docs {
		n += countItems(doc.Root)
	}
	return n
}

// countItems counts an object as one, a list as its items.
func countItems(root *yaml.Node) (n int) {
	items, ok := listItems(deref(root))
	if !ok {
		return 1
	}
	for _, item := range items {
		n += countItems(item)
	}
	return n
}

// generators counts the entries of a kustomization that make an object each.
func (k *kustomization) generators() (n int) {
	for _, name := range []string{"configMapGenerator", "secretGenerator"} {
		if list := deref(k.field(name)); list != nil && list.Kind == yaml.SequenceNode {
			n += len(list.Content)
		}
	}
	return n
}
