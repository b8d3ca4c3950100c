package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// discoveryPart is what a repository offers to deploy. Listing names the paths of
// the tree, Key the files whose bytes discovery asked for.
type discoveryPart struct {
	Listing, Key key
	Files        []string
	Found        *render.Discovery
}

// find discovers the targets, or takes over an earlier discovery: one that saw the
// same paths, and the same bytes in the files that it read.
func (g *gate) find(ctx context.Context, opts render.DiscoverOptions) (*render.Discovery, error) {
	if g.memory == nil {
		return render.Discover(ctx, g.sealed, opts)
	}
	m := g.memory
	m.open(g)
	listing, old := g.listing(), m.parts().Discovery
	if old.Found != nil && old.Listing == listing {
		if now, ok := m.answers.sum(old.Files); ok && now == old.Key {
			m.next.Discovery = old
			return old.Found.Clone(), nil
		}
	}
	tree := &readTree{Sealed: g.sealed, read: map[string]bool{}}
	found, err := render.Discover(ctx, tree, opts)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(found.Targets, func(t render.Target) bool { return t.Delivery != nil }) {
		return found, nil // a delivery has text of the repository, which is not kept
	}
	files := slices.Sorted(maps.Keys(tree.read))
	if now, ok := m.answers.sum(files); ok {
		m.next.Discovery = discoveryPart{listing, now, files, found.Clone()}
	}
	return found, nil
}

// listing names the paths of the tree, and what lies at them.
func (g *gate) listing() key {
	h := newHasher()
	for _, e := range g.snap.Files() {
		kind := e.Mode
		if kind == repo.Executable {
			kind = repo.File
		}
		h.add(e.Path, fmt.Sprint(kind))
	}
	return h.key()
}

// sum names files with their answers.
func (a *answers) sum(files []string) (key, bool) {
	h := newHasher()
	for _, name := range files {
		answer, ok := a.of(name)
		if !ok {
			return key{}, false
		}
		h.add(name, answer)
	}
	return h.key(), true
}

// readTree remembers which files were read.
type readTree struct {
	*secrets.Sealed
	mu   sync.Mutex
	read map[string]bool
}

// ReadFile reads a sealed file.
func (t *readTree) ReadFile(name string) ([]byte, error) {
	t.mu.Lock()
	t.read[name] = true
	t.mu.Unlock()
	return t.Sealed.ReadFile(name)
}

// Original says that the places of findings depend on the file as well.
func (t *readTree) Original(span finding.Span) finding.Span {
	if span.File != "" {
		t.mu.Lock()
		t.read[span.File] = true
		t.mu.Unlock()
	}
	return t.Sealed.Original(span)
}
