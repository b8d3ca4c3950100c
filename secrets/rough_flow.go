package secrets

import (
	"strings"
)

// maxFlow is how far the braces of a Secret in flow style, or in JSON that does
// not parse, are looked for. Manifests of more than this parse, or are cut.
const maxFlow = 64 << 10

// roughFlow returns the values of the Secret in flow style whose kind is written
// at a place between from and to.
func (s *sheet) roughFlow(kind, from, to int) []roughEntry {
	open := s.openBrace(kind, max(from, kind-maxFlow))
	if open < 0 {
		return nil
	}
	var out []roughEntry
	s.flowPairs(open, min(to, open+2*maxFlow), func(key string, value extent) {
		if (key == "data" || key == "stringData") && s.data[value.from] == '{' {
			out = append(out, s.flowEntries(key, value.from, value.to)...)
		}
	})
	return out
}

// openBrace returns the brace that is open at a place, or -1.
func (s *sheet) openBrace(at, from int) int {
	depth := 0
	for i := at - 1; i >= from; i-- {
		switch s.data[i] {
		case '}', ']':
			depth++
		case '[':
			depth--
		case '{':
			if depth--; depth < 0 {
				return i
			}
		}
	}
	return -1
}

// flowEntries reads the mapping that opens at a place as values of a Secret.
func (s *sheet) flowEntries(field string, open, to int) []roughEntry {
	var out []roughEntry
	s.flowPairs(open, to, func(key string, value extent) {
		text := strings.ReplaceAll(s.of(value), `\"`, `"`)
		out = append(out, roughEntry{field: field, key: key, value: value, text: unquoted(text)})
	})
	return out
}

// flowPairs visits the members of the mapping that opens at a place, as far as
// they can be read. Quotes may be escaped, as in JSON within a string.
func (s *sheet) flowPairs(open, to int, visit func(key string, value extent)) {
	i := open + 1
	for i < to {
		for i < to && (isSpace(s.data[i]) || s.data[i] == ',') {
			i++
		}
		if i >= to || s.data[i] == '}' {
			return
		}
		if s.data[i] == '#' {
			i = s.lineEnd(i)
			continue
		}
		key := s.flowScalar(i, to, true)
		next := key.to
		for next < to && isSpace(s.data[next]) {
			next++
		}
		if next >= to || s.data[next] != ':' || key.to == key.from {
			i = max(key.to, i+1)
			continue
		}
		for next++; next < to && isSpace(s.data[next]); {
			next++
		}
		value := s.flowValue(next, to)
		if value.to > value.from {
			visit(strings.Trim(s.of(key), `\"'`), value)
		}
		i = max(value.to, next)
	}
}

func (s *sheet) flowValue(at, to int) extent {
	if at < to && (s.data[at] == '{' || s.data[at] == '[') {
		depth := 0
		for i := at; i < to; i++ {
			switch s.data[i] {
			case '"', '\'', '\\':
				i = max(i, s.flowScalar(i, to, false).to-1)
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return extent{at, i + 1}
				}
			}
		}
		return extent{at, to}
	}
	return s.flowScalar(at, to, false)
}

// flowScalar is the scalar at a place: quoted, or up to what ends one.
func (s *sheet) flowScalar(at, to int, key bool) extent {
	i := at
	for i < to && s.data[i] == '\\' {
		i++
	}
	escaped := i > at
	if i < to && (s.data[i] == '"' || s.data[i] == '\'') {
		quote := s.data[i]
		for i++; i < to; i++ {
			switch {
			case s.data[i] == quote:
				return extent{at, i + 1}
			case s.data[i] == '\\' && !(escaped && i+1 < to && s.data[i+1] == quote):
				i++
			}
		}
		return extent{at, to}
	}
	for i < to && strings.IndexByte(",{}[]\r\n", s.data[i]) < 0 && !(key && s.data[i] == ':') {
		if strings.HasPrefix(string(s.data[i:min(i+2, to)]), "{{") {
			break
		}
		i++
	}
	for i > at && isSpace(s.data[i-1]) {
		i--
	}
	return extent{at, i}
}
