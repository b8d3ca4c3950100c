package render

// layer is one kustomization in the tree of a target: the leaf overlay, or
// what a layer above it takes in.
type layer struct {
	*kustomization
	Via   *reference // how the layer above refers to this one; nil for the leaf
	Below []*layer   // in the order of the references; a shared base appears once for each use
}

// layers lists the kustomizations of the target, the leaf first, then each
// layer before those that it takes in. It is empty for a directory, and for a
// target whose own kustomization cannot be read.
func (r *Rendered) layers() []*layer { return layersOf(r.root) }

// layersOf lists a layer and all below it, each before those that it takes in.
func layersOf(root *layer) []*layer {
	var out []*layer
	var walk func(*layer)
	walk = func(l *layer) {
		out = append(out, l)
		for _, below := range l.Below {
			walk(below)
		}
	}
	if root != nil {
		walk(root)
	}
	return out
}
