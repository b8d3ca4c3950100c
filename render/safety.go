package render

import (
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// verdict is what the safety check says about one file.
type verdict struct {
	once  sync.Once
	fatal *fault
	rest  []*fault
}

// check runs the safety check of source, once for each file of the tree.
func (b *Builder) check(file string, data []byte) (fatal *fault, rest []*fault) {
	entry, _ := b.verdicts.LoadOrStore(file, &verdict{})
	v := entry.(*verdict)
	v.once.Do(func() { v.fatal, v.rest = judge(file, data) })
	return v.fatal, v.rest
}

func judge(file string, data []byte) (fatal *fault, rest []*fault) {
	for _, p := range source.Check(file, data) {
		f := &fault{Rule: ruleYAMLUnsafe, Message: p.Message, Span: p.Span}
		if p.Fatal {
			return f, nil
		}
		rest = append(rest, f)
	}
	return nil, rest
}

// unsafeText checks text inside a kustomization that kustomize parses as YAML.
// The place is the entry that holds the text.
func (w *planner) unsafeText(ref *reference) *fault {
	fatal, _ := judge(ref.Span.File, []byte(ref.Text))
	if fatal == nil {
		return nil
	}
	fatal.Span = ref.Span
	return fatal
}

// linkFault is about a symbolic link or submodule at a path, or above it.
func linkFault(tree repo.Tree, name string) *fault {
	entry, _ := behindLink(tree, name)
	f := &fault{Rule: rulePathEscape, Span: finding.Span{File: entry.Path}}
	switch entry.Mode {
	case repo.Submodule:
		f.Message = entry.Path + " is a submodule, which is not followed"
		f.Help = "vendor what the target needs into this repository"
	default:
		f.Message = entry.Path + " is a symbolic link, which is not followed"
		f.Help = "refer to the file itself"
	}
	return f
}
