package diff

import (
	"fmt"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"github.com/sallyport/sallyport/render"
)

// unified writes a unified diff of two objects as YAML, without headers. What is
// sealed shows as dots; changed are the paths of those that differ.
func unified(old *State, a *render.Object, now *State, b *render.Object, changed [][]string, opts Options) string {
	var out strings.Builder
	for _, h := range hunks(printed(old, a, nil, opts), printed(now, b, changed, opts), maxYAMLLines) {
		fmt.Fprintf(&out, "@@ -%s +%s @@\n", stretch(h.OldStart, h.OldLines), stretch(h.NewStart, h.NewLines))
		for _, line := range h.Lines {
			out.WriteString(line + "\n")
		}
		if h.Cut > 0 {
			fmt.Fprintf(&out, "\\ %d more lines\n", h.Cut)
		}
	}
	return out.String()
}

// stretch writes the range of a hunk as diff -u does: an empty one begins at the
// line before it.
func stretch(start, lines int) string {
	if lines == 0 {
		start--
	}
	return fmt.Sprintf("%d,%d", start, lines)
}

// printed writes an object as YAML, masked, and without its noise.
func printed(s *State, o *render.Object, changed [][]string, opts Options) string {
	if o == nil {
		return ""
	}
	value, ok := s.masked(o.Object, nil, o.Value).(map[string]any)
	if !ok {
		return ""
	}
	for _, at := range changed {
		mark(value, at)
	}
	if !opts.ShowNoise {
		opts.strip(value, nil)
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return "" // decoded JSON types can be written
	}
	return string(text)
}

// mark says that a sealed value differs.
func mark(value any, tokens []string) {
	for i, token := range tokens {
		last := i == len(tokens)-1
		switch node := value.(type) {
		case map[string]any:
			if last && node[token] == Dots {
				node[token] = changedDots
			}
			value = node[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n >= len(node) {
				return
			}
			if last && node[n] == Dots {
				node[n] = changedDots
			}
			value = node[n]
		default:
			return
		}
	}
}

// strip takes the noise out of a value.
func (o Options) strip(value any, at []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			if o.noise(below(at, key)) {
				delete(value, key)
				continue
			}
			o.strip(item, below(at, key))
		}
	case []any:
		for _, item := range value {
			o.strip(item, below(at, "-"))
		}
	}
}
