package secrets

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/finding"
)

// variablesIn lists the variables that Flux would substitute in a text, each
// once, in order.
func variablesIn(text string) (names []string) {
	eachVariable(text, func(name string, _ int) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// eachVariable calls found for every variable in a text, with where its ${ is.
// The grammar is that of github.com/fluxcd/pkg/envsubst: ${VAR} and ${VAR with
// one of the operators of bash behind it, whose arguments can hold further
// variables; ${#VAR}; and $$ for a dollar, outside of braces. $VAR is no variable.
//
// Flux substitutes in the YAML of a whole object, so that an expression may
// begin in one field and end in a later one. Whatever begins one counts.
func eachVariable(text string, found func(name string, at int)) {
	depth := 0
	for i := 0; i < len(text); i++ {
		rest := text[i+1:]
		switch {
		case text[i] == '}':
			depth = max(0, depth-1)
		case text[i] != '$':
		case strings.HasPrefix(rest, "{"):
			depth++
			rest = strings.TrimPrefix(rest[1:], "#")
			name := rest[:variableLength(rest)]
			rest = rest[len(name):]
			if isVariable(name) && rest != "" && strings.IndexByte("}:=,^/#%", rest[0]) >= 0 {
				found(name, i)
			}
		case strings.HasPrefix(rest, "$") && depth == 0:
			i++
		}
	}
}

// variableLength is how many bytes of a text envsubst takes for a name.
func variableLength(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if end < 0 {
		return len(text)
	}
	return end
}

// isVariable reports whether Flux takes a name for one of a variable. A Secret
// with any other key gives it no variables at all.
func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// variableAt narrows a place, of a scalar or a whole file, to a variable in it.
// Lines is how many lines the rendered text has beyond the first. Where the file
// does not have the variable as it is rendered, the place stays.
func (s *Sealed) variableAt(at finding.Span, name string, lines int) finding.Span {
	data, err := s.tree.ReadFile(at.File)
	if err != nil {
		return at
	}
	for n, line := range strings.Split(string(data), "\n") {
		if n++; n < at.Start.Line || at.Start.Line > 0 && n > at.Start.Line+lines+1 {
			continue
		}
		column := -1
		eachVariable(line, func(found string, i int) {
			if found == name && column < 0 {
				column = i
			}
		})
		if column < 0 {
			continue
		}
		end := column + strings.Index(line[column:], name) + len(name)
		return finding.Span{
			File:  at.File,
			Start: finding.Position{Line: n, Column: utf8.RuneCountInString(line[:column]) + 1},
			End:   finding.Position{Line: n, Column: utf8.RuneCountInString(line[:end]) + 1},
		}
	}
	return at
}
