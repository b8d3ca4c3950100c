package render

// Reads tells what building a target would ask the tree, without building it.
// It reports false where only the build itself can tell: configured plugins may
// name files that nothing foresees, and what lies on the network is no file.
func (b *Builder) Reads(t Target) (Reads, bool) {
	tree := record(b.tree)
	if t.Kind == Directory {
		r := &Rendered{Target: t}
		b.buildDirectory(tree, r)
		return tree.reads(), true
	}
	p := b.plan(tree, t.Path)
	for file := range p.manifests {
		tree.at(file)
	}
	for file := range p.data {
		tree.at(file)
	}
	return tree.reads(), !p.plugins && !p.network
}
