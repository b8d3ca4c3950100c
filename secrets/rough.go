package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// unparsed handles a file that no YAML parser reads, or may read. Under a name
// that says YAML, what looks like a Secret is judged line by line, and the file
// is refused: kustomize's error would quote it. Under any other name a generator
// may still take the bytes, and the render is checked for what they hold.
func (s *sheet) unparsed(err error) {
	var parse *source.Error
	if !errors.As(err, &parse) || !source.IsYAML(s.path) {
		return
	}
	found := s.roughSecrets(0)
	if !found && !bytes.Contains(s.data, []byte("ENC[AES256_GCM")) {
		return
	}
	rule := "render-error"
	if parse.Unsafe {
		rule = "yaml-unsafe"
	}
	s.refuse(rule, parse.Span.Start, parse.Message)
}

var (
	roughKind  = regexp.MustCompile(`^\s*(?:- )?"?kind"?\s*:\s*["']?Secret["']?\s*,?\s*$`)
	roughField = regexp.MustCompile(`^(\s*)["']?(data|stringData)["']?\s*:\s*$`)
	roughEntry = regexp.MustCompile(`^(\s+)["']?([\w.-]+)["']?\s*:\s+(\S.*?)\s*$`)
	roughBlock = regexp.MustCompile(`^[|>][-+0-9]*$`)
)

// roughSecrets finds the values of Secrets in text that does not parse: a
// truncated manifest, a Helm template, or what follows a document that ends too
// early. from is the index of the first line. It reports whether any Secret is
// there.
func (s *sheet) roughSecrets(from int) bool {
	lines := strings.Split(string(s.data), "\n")
	found := false
	for start := from; start < len(lines); {
		end := start + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "---") {
			end++
		}
		if s.roughDocument(lines, start, end) {
			found = true
		}
		start = end
	}
	return found
}

func (s *sheet) roughDocument(lines []string, start, end int) bool {
	secret := false
	for _, line := range lines[start:end] {
		secret = secret || roughKind.MatchString(line)
	}
	if !secret {
		return false
	}
	field, depth := "", 0
	for i := start; i < end; i++ {
		line := strings.TrimRight(lines[i], "\r")
		if m := roughField.FindStringSubmatch(line); m != nil {
			field, depth = m[2], len(m[1])
			continue
		}
		if indent := len(line) - len(strings.TrimLeft(line, " ")); field != "" && strings.TrimSpace(line) != "" && indent <= depth {
			field = ""
		}
		if m := roughEntry.FindStringSubmatchIndex(line); field != "" && m != nil {
			s.roughValue(field, line, i, m)
		}
	}
	return true
}

func (s *sheet) roughValue(field, line string, index int, m []int) {
	key, text := line[m[4]:m[5]], strings.Trim(line[m[6]:m[7]], `"'`)
	if isEnc(text) || isReferenceIn(field, text) || strings.Contains(text, "{{") || text == "null" {
		return
	}
	span := finding.Span{
		File:  s.path,
		Start: finding.Position{Line: index + 1, Column: len([]rune(line[:m[6]])) + 1},
		End:   finding.Position{Line: index + 1, Column: len([]rune(line[:m[7]])) + 1},
	}
	if roughBlock.MatchString(text) {
		span.End = span.Start
		span.End.Column++
	}
	object := &finding.Object{APIVersion: "v1", Kind: "Secret"}
	s.report(rulePlaintext, span, object, source.Pointer(field, key),
		fmt.Sprintf("Secret value %q is committed in plaintext", key), helpEncrypt)
}
