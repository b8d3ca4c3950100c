package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// hit is one message of one verdict about one object.
type hit struct {
	verdict *verdict
	message string
	pointer string // RFC 6901, "" for the whole object
}

// evaluate asks every verdict about one object, in one query. The hits are
// sorted, without duplicates: two definitions that say the same under the same
// name are one, as in conftest's sets.
func (s *Set) evaluate(ctx context.Context, object map[string]any) ([]hit, error) {
	input, err := ast.InterfaceToValue(object)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	answers, err := s.query.Eval(limited, rego.EvalParsedInput(input))
	if err != nil {
		return nil, s.evalError(ctx, err)
	}
	if len(answers) == 0 {
		return nil, nil
	}
	entry, _ := answers[0].Expressions[0].Value.(map[string]any)
	return s.hits(entry)
}

// evalError tells a cancelled run from a policy that does not end, and that
// from one that fails.
func (s *Set) evalError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if topdown.IsCancel(err) {
		return &ConfigError{Message: fmt.Sprintf("policies take more than %s for one object", s.timeout)}
	}
	return configError(err)
}

// hits reads the value of the entry point.
func (s *Set) hits(entry map[string]any) ([]hit, error) {
	lifted := map[[2]string]bool{}
	for _, pair := range list(entry["exceptions"]) {
		pair := list(pair)
		ns, _ := pair[0].(string)
		if name, ok := pair[1].(string); ok {
			lifted[[2]string{ns, name}] = true
		}
	}
	var hits []hit
	for _, pair := range list(entry["results"]) {
		pair := list(pair)
		number, _ := pair[0].(json.Number)
		n, err := strconv.Atoi(number.String())
		if err != nil || n >= len(s.verdicts) {
			return nil, errors.New("policy entry point: not its own number")
		}
		v := &s.verdicts[n]
		if lifted[[2]string{v.namespace, v.exception()}] && !v.bundled {
			continue
		}
		if hits, err = appendHits(hits, v, pair[1]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(hits, compareHits)
	return slices.CompactFunc(hits, func(a, b hit) bool { return compareHits(a, b) == 0 }), nil
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

func compareHits(a, b hit) int {
	return cmp.Or(
		cmp.Compare(a.verdict.id(), b.verdict.id()),
		cmp.Compare(a.pointer, b.pointer),
		cmp.Compare(a.message, b.message),
	)
}

// appendHits reads the value of one verdict: a set or an array of messages. A
// value that conftest ignores, and so passes, is an error here.
func appendHits(hits []hit, v *verdict, value any) ([]hit, error) {
	if value == nil || value == false {
		return hits, nil
	}
	messages, ok := value.([]any)
	if !ok {
		return nil, configErrorAt(v.loc, "%s must be a set of messages", v.name)
	}
	for _, message := range messages {
		h := hit{verdict: v}
		switch m := message.(type) {
		case string:
			h.message = m
		case map[string]any:
			if h.message, ok = m["msg"].(string); !ok {
				return nil, configErrorAt(v.loc, "%s yields an object without a string msg", v.name)
			}
			h.pointer = pointerOf(m)
		default:
			return nil, configErrorAt(v.loc, "%s yields a message that is neither a string nor an object with msg", v.name)
		}
		if h.message != "" { // conftest counts an empty message as passed
			hits = append(hits, h)
		}
	}
	return hits, nil
}

// pointerOf returns the place that a result names: a JSON pointer under
// "pointer", or under "field" as some libraries call it.
func pointerOf(result map[string]any) string {
	for _, key := range []string{"pointer", "field"} {
		if p, ok := result[key].(string); ok && strings.HasPrefix(p, "/") {
			return p
		}
	}
	return ""
}
