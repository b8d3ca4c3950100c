package secrets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// generated seals a plaintext file that a secretGenerator takes.
func (s *sheet) generated(use use) {
	switch {
	case len(use.file) > 0:
		if IsReference(string(s.data)) || isPublic("stringData", string(s.data)) {
			return
		}
		s.values = slices.DeleteFunc(s.values, func(v *value) bool { return v.token != "" })
		s.whole(value{
			name: s.path, span: s.span(s.lines[0], s.lineEnd(s.lines[0])), rule: rulePlaintext,
			message: "a file that a secretGenerator turns into a Secret is committed in plaintext",
			related: related(use.file),
		})
	case len(use.env) > 0:
		s.parsed = true
		for _, a := range s.assignments() {
			if text := s.of(a.value); !IsReference(strings.Trim(text, `"'`)) {
				s.envValue(a, use)
			}
		}
	case len(use.config) > 0:
		s.configEnv(use)
	case use.isConfig() && !s.structured:
		s.configFile()
	}
}

func (s *sheet) envValue(a assignment, use use) {
	v := &value{
		file: s.path, path: place(0, "/"+a.key), name: a.key, kind: "str", rule: rulePlaintext,
		span:    s.span(a.value.from, a.value.to),
		message: fmt.Sprintf("the value of %q in a secretGenerator's env file is committed in plaintext", a.key),
		related: related(use.env),
	}
	v.token = plainToken(s.path, v.path)
	s.values = append(s.values, v)
	s.edits = append(s.edits, edit{a.value, v.token})
}

// isConfig reports whether a configMapGenerator takes a file in, and no other.
func (u use) isConfig() bool { return u.generator && len(u.file) == 0 && len(u.env) == 0 }

func related(spans []finding.Span) []finding.Related {
	var out []finding.Related
	for _, span := range spans {
		out = append(out, finding.Related{Message: "a secretGenerator names the file here", Location: span})
	}
	return out
}
