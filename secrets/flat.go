package secrets

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Flat formats hold the sops block as keys such as sops_age__list_0__map_enc in
// a dotenv file, or age__list_0__map_enc in the section [sops] of an ini file.

var (
	dotenvMark = regexp.MustCompile(`(?m)^sops_(?:mac|lastmodified|version|age__list_|pgp__list_|kms__list_)[^=\n]*=`)
	iniMark    = regexp.MustCompile(`(?m)^\[sops\][ \t]*\r?$`)
	commentEnc = regexp.MustCompile(`(?m)(?:^|[ \t])[#;][ \t]*ENC\[AES256_GCM,[^\]\n]*,type:comment\]`)
)

func isDotenv(data []byte) bool {
	return bytes.Contains(data, []byte("sops_")) && dotenvMark.Match(data)
}

func isINI(data []byte) bool {
	return bytes.Contains(data, []byte("[sops]")) && iniMark.Match(data)
}

// encryptedComments returns where comments are that sops encrypted.
func encryptedComments(data []byte) []extent {
	if !bytes.Contains(data, []byte("type:comment]")) {
		return nil
	}
	var out []extent
	for _, at := range commentEnc.FindAllIndex(data, -1) {
		from := at[0]
		for isSpace(data[from]) {
			from++
		}
		out = append(out, extent{from, at[1]})
	}
	return out
}

// An assignment is one line "key = value" of a flat file.
type assignment struct {
	key   string
	line  extent // without the break
	value extent
}

// assignments reads the lines of a flat file; what is no assignment is left out.
func (t *text) assignments() []assignment {
	var out []assignment
	for at := t.lines[0]; at < len(t.data); at = t.nextLine(t.lineEnd(at)) {
		end := t.lineEnd(at)
		line := string(t.data[at:end])
		text := strings.TrimLeft(line, " \t")
		key, _, ok := strings.Cut(text, "=")
		if !ok || text[0] == '#' || text[0] == ';' || text[0] == '[' {
			continue
		}
		from := at + strings.IndexByte(line, '=') + 1
		for from < end && isSpace(t.data[from]) {
			from++
		}
		to := end
		for to > from && isSpace(t.data[to-1]) {
			to--
		}
		out = append(out, assignment{strings.TrimSpace(key), extent{at, end}, extent{from, to}})
	}
	return out
}

func (t *text) of(e extent) string { return string(t.data[e.from:e.to]) }

// dotenv seals an encrypted dotenv file: the keys stay, so that a generator's
// envs makes the same Secret keys. A generator's files takes it as a whole.
func (s *sheet) dotenv(use use) {
	s.format, s.parsed = Dotenv, true
	var block []assignment
	var rest []assignment
	encrypted := false
	for _, a := range s.assignments() {
		if key, ok := strings.CutPrefix(a.key, "sops_"); ok {
			s.edits = append(s.edits, edit{a.line, ""})
			a.key = key
			block = append(block, a)
			continue
		}
		rest = append(rest, a)
		encrypted = encrypted || isEnc(s.of(a.value))
	}
	s.flatMetadata(block)
	whole := len(use.file) > 0 && len(use.env) == 0
	if whole && !encrypted {
		s.unencrypted()
		return
	}
	for _, a := range rest {
		s.flatValue(a, slices.Concat(use.env, use.file), encrypted)
	}
	s.encryptedComments()
	if whole {
		s.values = slices.DeleteFunc(s.values, func(v *value) bool { return v.encrypted })
		s.whole(value{name: s.path, encrypted: true, span: s.span(0, s.lineEnd(0))})
	}
}

// flatValue seals one value of a dotenv file. named is where a secretGenerator
// names it: all values must be encrypted then.
func (s *sheet) flatValue(a assignment, named []finding.Span, encrypted bool) {
	text := s.of(a.value)
	span := s.span(a.value.from, a.value.to)
	if text == "" {
		return
	}
	v := &value{file: s.path, path: place(0, "/"+a.key), name: a.key, span: span, kind: "str"}
	c, reason := parseEnc(text)
	switch {
	case isEnc(text):
		v.encrypted = true
		v.token = sealedToken(s.path, v.path, text)
		if reason != "" || c.kind == "comment" {
			s.report(ruleMetadata, span, nil, "", fmt.Sprintf("the encrypted value of %q is malformed: %s", a.key, reason), helpMetadata)
		} else if s.meta.Selection.Excludes([]string{a.key}) {
			s.report(ruleMetadata, span, nil, "", unselectedMessage(strconv.Quote(a.key)), helpMetadata)
		}
	case s.meta.Selection.Selects([]string{a.key}):
		v.rule, v.message = ruleIncomplete, fmt.Sprintf("the value of %q is not encrypted, although the sops block of the file says so", a.key)
	case len(named) > 0 && !IsReference(strings.Trim(text, `"'`)):
		v.rule, v.message, v.help, v.related = ruleIncomplete, bareMessage(a.key), helpPartial, related(named)
		if !encrypted {
			v.rule = rulePlaintext
		}
	default:
		return
	}
	if !v.encrypted {
		v.token = plainToken(s.path, v.path)
		s.bare = append(s.bare, a.value)
	}
	s.values = append(s.values, v)
	s.edits = append(s.edits, edit{a.value, v.token})
}

// ini seals an encrypted ini file as a whole: only a generator's files reads it.
func (s *sheet) ini(use use) {
	s.format, s.parsed = INI, true
	from, end := iniSection(s.data)
	var block, rest []assignment
	encrypted := false
	for _, a := range s.assignments() {
		if a.line.from >= from && a.line.from < end {
			block = append(block, a)
			continue
		}
		rest = append(rest, a)
		encrypted = encrypted || isEnc(s.of(a.value))
	}
	s.flatMetadata(block)
	if len(use.file) > 0 && !encrypted {
		s.unencrypted()
		return
	}
	for _, a := range rest {
		s.iniValue(a, use)
	}
	s.whole(value{name: s.path, encrypted: true, span: s.span(0, s.lineEnd(0))})
}

// iniSection returns where the section [sops] starts and ends.
func iniSection(data []byte) (from, to int) {
	mark := iniMark.FindIndex(data)
	if next := bytes.Index(data[mark[1]:], []byte("\n[")); next >= 0 {
		return mark[0], mark[1] + next
	}
	return mark[0], len(data)
}

func (s *sheet) iniValue(a assignment, use use) {
	text, span := s.of(a.value), s.span(a.value.from, a.value.to)
	_, reason := parseEnc(text)
	switch {
	case isEnc(text):
		if reason != "" {
			s.report(ruleMetadata, span, nil, "", fmt.Sprintf("the encrypted value of %q is malformed: %s", a.key, reason), helpMetadata)
		}
	case text != "" && s.meta.Selection.Selects([]string{a.key}):
		s.bare = append(s.bare, a.value)
		s.report(ruleIncomplete, span, nil, "",
			fmt.Sprintf("the value of %q is not encrypted, although the sops block of the file says so", a.key), helpEncrypt)
	case len(use.file) > 0 && isBareText(text):
		s.bare = append(s.bare, a.value)
		s.bareValue(a.key, span, use.file)
	}
}
