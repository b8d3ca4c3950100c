package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// Check asks the policies about every object of r. The error is a *ConfigError
// where a policy cannot be evaluated, else that of ctx.
func (s *Set) Check(ctx context.Context, r *render.Rendered) ([]finding.Finding, error) {
	var found []finding.Finding
	for _, object := range r.Objects {
		hits, err := s.evaluate(ctx, object.Value)
		if err != nil {
			return nil, checkError(err, object)
		}
		for _, h := range hits {
			if r.Target.Delivery != nil && h.verdict.meta.undelivered {
				continue
			}
			found = append(found, r.At(object, h.pointer, finding.Finding{
				Rule:     h.verdict.id(),
				Severity: h.verdict.severity(),
				Message:  h.message,
				Help:     h.verdict.meta.help,
			}))
		}
	}
	return found, nil
}

// checkError adds the object that a policy failed on.
func checkError(err error, object *render.Object) error {
	var config *ConfigError
	if errors.As(err, &config) {
		return &ConfigError{Span: config.Span, Message: fmt.Sprintf("%s (on %s)", config.Message, object.Object)}
	}
	return err
}
