package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/sallyport/sallyport/finding"
)

// ConfigError says what is wrong with a policy or its data, and where. It is
// the fault of the policy, never of the object that it judged.
type ConfigError struct {
	Span    finding.Span
	Message string
}

func (e *ConfigError) Error() string {
	if e.Span.IsZero() {
		return e.Message
	}
	return e.Span.String() + ": " + e.Message
}

// configErrorAt returns a ConfigError at a place in a module.
func configErrorAt(loc *ast.Location, format string, args ...any) *ConfigError {
	return &ConfigError{Span: span(loc), Message: fmt.Sprintf(format, args...)}
}

// span turns OPA's location, which has no end and counts columns in bytes of
// ASCII source, into a span of the token's text.
func span(loc *ast.Location) finding.Span {
	if loc == nil || loc.File == "" {
		return finding.Span{}
	}
	start := finding.Position{Line: loc.Row, Column: loc.Col}
	first, _, _ := strings.Cut(string(loc.Text), "\n")
	end := finding.Position{Line: loc.Row, Column: loc.Col + max(1, len([]rune(first)))}
	return finding.Span{File: loc.File, Start: start, End: end}
}

// configError turns an error of OPA into the first thing that is wrong.
func configError(err error) error {
	var many ast.Errors
	if errors.As(err, &many) && len(many) > 0 {
		many.Sort()
		return configErrorAt(many[0].Location, "%s", explain(many[0].Message))
	}
	var one *ast.Error
	if errors.As(err, &one) {
		return configErrorAt(one.Location, "%s", explain(one.Message))
	}
	var eval *topdown.Error
	if errors.As(err, &eval) {
		// Further lines would list the conflicting values.
		message, _, _ := strings.Cut(eval.Message, "\n")
		return configErrorAt(eval.Location, "%s", strings.TrimSuffix(message, ":"))
	}
	return &ConfigError{Message: err.Error()}
}

// explain says why a built-in that exists elsewhere does not exist here.
func explain(message string) string {
	name, ok := strings.CutPrefix(message, "undefined function ")
	if !ok {
		return message
	}
	if why := whyAbsent(name); why != "" {
		return fmt.Sprintf("%s is not available: %s", name, why)
	}
	return message
}
