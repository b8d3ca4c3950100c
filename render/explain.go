package render

import (
	"errors"

	"github.com/sallyport/sallyport/finding"
)

// explain turns an error of kustomize's into one sentence with a place. The
// error itself is never shown: it quotes whatever it stumbled over.
func (b *Builder) explain(err error, p *plan, dir string) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return &fault{Rule: ruleRenderError, Message: err.Error(), Span: finding.Span{File: p.root.Path}}
}
