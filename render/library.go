package render

import (
	"crypto/sha256"
	"path"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// Library keeps what kustomizations say, so that each content is parsed once,
// however many trees have it: discovery and builds of a snapshot, and of the
// base that it is compared with, share one. It is safe for concurrent use. The
// zero value is empty and ready.
type Library struct {
	parsed sync.Map // volume -> *parsed
}

// volume is one content of a kustomization file. The path is part of it, since
// references are relative to it.
type volume struct {
	path string
	sum  [sha256.Size]byte
}

type parsed struct {
	once sync.Once
	k    *kustomization
	err  error
}

// load reads the kustomization of a directory. The error is
// errNoKustomization, or a *fault that says what is wrong and where.
func (l *Library) load(tree repo.Tree, dir string) (*kustomization, error) {
	names, err := spellings(tree, dir)
	if err != nil {
		return nil, err
	}
	name := path.Join(dir, names[0])
	if len(names) > 1 {
		return nil, &fault{
			Rule:    ruleRenderError,
			Message: "the directory holds more than one kustomization file: " + strings.Join(names, ", "),
			Help:    "keep one of them; kustomize refuses to choose",
			Span:    finding.Span{File: path.Join(dir, names[1])},
		}
	}
	data, err := tree.ReadFile(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	entry, _ := l.parsed.LoadOrStore(volume{name, sha256.Sum256(data)}, &parsed{})
	p := entry.(*parsed)
	p.once.Do(func() { p.k, p.err = parseKustomization(dir, name, data) })
	return p.k, p.err
}
