package render

// Reads tells what building a target would ask the tree, without building it.
// It reports false where only the build itself can tell: configured plugins may
// name files that nothing foresees, and what lies on the network is no file.
func (b *Builder) Reads(t Target) (Reads, bool) {
	tree := record(b.tree)
	r := &Rendered{Target: t, original: originals(b.tree)}
	switch {
	case t.Kind == Directory:
		b.buildDirectory(tree, r, filesIn(b.tree, t.Path))
		return tree.reads(), true
	case t.Delivery != nil && t.Delivery.Plain != nil:
		b.buildPlain(tree, r)
		return tree.reads(), true
	}
	p := b.planOf(tree, t)
	for file := range p.manifests {
		tree.at(file)
	}
	for file := range p.data {
		tree.at(file)
	}
	return tree.reads(), !p.plugins && !p.network
}

// Edge says that the kustomization in directory From takes in the one in To.
type Edge struct{ From, To string }

// Edges lists which kustomizations a target is made of, from its leaf on: each
// pair once, in the order in which kustomize meets them.
func (b *Builder) Edges(t Target) []Edge {
	if t.Kind == Directory {
		return nil
	}
	p := b.planOf(record(b.tree), t)
	if p.root == nil {
		return nil
	}
	var out []Edge
	seen := map[Edge]bool{}
	var walk func(l *layer)
	walk = func(l *layer) {
		for _, below := range l.Below {
			e := Edge{From: l.Dir, To: below.Dir}
			if !seen[e] {
				seen[e] = true
				out = append(out, e)
				walk(below)
			}
		}
	}
	walk(p.root)
	return out
}
