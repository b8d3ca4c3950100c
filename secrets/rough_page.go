package secrets

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"sort"
	"strings"
)

// In block style, the lines of one mapping begin in one column. A roughPage is a
// text as such lines: behind list dashes, and behind the signs that begin a
// comment or a quotation.
type roughPage struct {
	sheet *sheet
	lines []pageLine
}

type pageLine struct {
	at, end int  // of the text behind indentation and signs
	column  int  // in bytes
	blank   bool // nothing there, or nothing but a template's action
	comment bool
	apart   bool // ends whatever is above: a document separator or a fence
}

var (
	// roughKind is the kind of a Secret wherever it stands, with or without quotes.
	roughKind  = regexp.MustCompile(`^\\?["']?\bkind\\?["']?\s*:\s*(?:[&!][^\s,]*\s+)*\\?["']?Secret(?:List)?\\?["']?[ \t]*(?:[,}\]\r\n#"']|$)`)
	roughField = regexp.MustCompile(`^["']?(data|stringData)["']?[ \t]*:(?:[ \t]+|$)(?:[&!]\S*[ \t]*)*`)
	roughPair  = regexp.MustCompile(`^(?:\? )?["']?([\w.-]+)["']?[ \t]*:(?:[ \t]+|$)(?:[&!]\S*[ \t]+)*`)
	roughBlock = regexp.MustCompile(`^[|>][-+0-9]*[ \t]*(?:#.*)?$`)
	roughSigns = regexp.MustCompile(`^[ \t]*((?:#+|//+|>|\*)?[ \t]*)((?:- +)*)`)
	roughApart = regexp.MustCompile("^(?:---|```|~~~)")
	actionOnly = regexp.MustCompile(`^\{[{%].*[}%]\}[ \t]*$`)
)

func (s *sheet) newRoughPage(from, to int) *roughPage {
	p := &roughPage{sheet: s}
	for i := sort.SearchInts(s.lines, from+1) - 1; i < len(s.lines) && s.lines[max(i, 0)] < to; i++ {
		start := s.lines[max(i, 0)]
		p.lines = append(p.lines, newPageLine(s.data, start, min(s.lineEnd(start), to)))
	}
	return p
}

func newPageLine(data []byte, start, end int) pageLine {
	m := roughSigns.FindSubmatchIndex(data[start:end])
	line := pageLine{at: start + m[1], end: end, column: m[1]}
	for line.end > line.at && isSpace(data[line.end-1]) {
		line.end--
	}
	sign := bytes.TrimSpace(data[start+m[2] : start+m[3]])
	line.comment = len(sign) > 0
	text := data[line.at:line.end]
	line.blank = len(text) == 0 || actionOnly.Match(text)
	line.apart = roughApart.Match(text)
	return line
}

func (p *roughPage) text(i int) []byte { return p.sheet.data[p.lines[i].at:p.lines[i].end] }

// around returns the values of the Secret whose kind is written at a place. The
// fields of its mapping are those up to the next kind in the same column: all of
// them below, and above unless they belong to a kind further up.
func (p *roughPage) around(at int) []roughEntry {
	kind := sort.Search(len(p.lines), func(i int) bool { return p.lines[i].end > at })
	if kind == len(p.lines) || at > p.lines[kind].at+1 {
		return nil // it does not begin the line: a sentence
	}
	above, ended := p.fields(kind, -1)
	if ended {
		above = nil
	}
	below, _ := p.fields(kind, 1)
	return append(above, below...)
}

// fields reads the fields of a mapping in one direction. It reports whether
// another kind ended that.
func (p *roughPage) fields(kind, step int) (out []roughEntry, ended bool) {
	for i := kind + step; i >= 0 && i < len(p.lines) && !p.leaves(kind, i); i += step {
		if p.skips(kind, i) || p.lines[i].column != p.lines[kind].column {
			continue
		}
		text := p.text(i)
		if anyKind.Match(text) {
			return out, true
		}
		if m := roughField.FindSubmatchIndex(text); m != nil {
			out = append(out, p.entries(i, string(text[m[2]:m[3]]), m[1])...)
		}
	}
	return out, false
}

// skips reports whether a line says nothing about the mapping of another.
func (p *roughPage) skips(of, i int) bool {
	return p.lines[i].blank || p.lines[i].comment && !p.lines[of].comment
}

// leaves reports whether a line is outside the mapping of another.
func (p *roughPage) leaves(of, i int) bool {
	if p.skips(of, i) {
		return false
	}
	l := p.lines[i]
	return l.apart || l.comment != p.lines[of].comment || l.column < p.lines[of].column && hasLetter(p.text(i))
}

func hasLetter(text []byte) bool {
	return bytes.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
}

var anyKind = regexp.MustCompile(`^["']?kind["']?\s*:`)

// entries reads the mapping of a field, which begins at an offset of its line.
func (p *roughPage) entries(field int, name string, offset int) []roughEntry {
	line := p.lines[field]
	if rest := p.text(field)[offset:]; len(rest) > 0 && rest[0] == '{' {
		return p.sheet.flowEntries(name, line.at+offset, len(p.sheet.data))
	}
	var out []roughEntry
	column := -1
	for i := field + 1; i < len(p.lines); i++ {
		l := p.lines[i]
		switch {
		case p.skips(field, i):
			continue
		case l.apart, l.column <= line.column, l.comment != line.comment:
			return out
		case column < 0:
			column = l.column
		}
		if m := roughPair.FindSubmatchIndex(p.text(i)); m != nil && l.column == column {
			out = append(out, p.entry(i, name, string(p.text(i)[m[2]:m[3]]), m[1]))
		}
	}
	return out
}

// entry reads one value, with the deeper lines that belong to it.
func (p *roughPage) entry(i int, field, key string, offset int) roughEntry {
	l := p.lines[i]
	e := roughEntry{field: field, key: key, value: extent{l.at + offset, l.end}}
	head := string(p.text(i)[offset:])
	var below []string
	for j := i + 1; j < len(p.lines); j++ {
		next := p.lines[j]
		if next.at == next.end {
			continue
		}
		if next.apart || next.column <= l.column || next.comment != l.comment {
			break
		}
		below = append(below, string(p.text(j)))
		e.value.to = next.end
	}
	if roughBlock.MatchString(head) {
		head = ""
	}
	if e.text = strings.Join(below, "\n"); head != "" {
		e.text = strings.TrimSpace(unquoted(head) + "\n" + e.text)
	} else if len(below) > 0 && l.at+offset == l.end {
		e.value.from = l.at
	}
	return e
}

// unquoted is a scalar without its quotes, and without what is behind it on its
// line: a comment, JSON's comma.
func unquoted(text string) string {
	text = strings.TrimSpace(text)
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		if end := strings.LastIndexByte(text, text[0]); end > 0 {
			return text[1:end]
		}
		return text[1:]
	}
	if i := strings.Index(text, " #"); i >= 0 {
		text = text[:i]
	}
	return strings.TrimRight(text, " \t,")
}

// decoded is the text that base64 stands for, empty where it is none.
func decoded(text string) string {
	out, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return ""
	}
	return string(out)
}

// isStandIn reports whether a value in a text about Secrets is there to be
// replaced, or is put in when a script runs.
func isStandIn(text string) bool {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	return isSample(text) || setting.MatchString(text) || standIn.MatchString(text) || fakeWord.MatchString(text) || variable.MatchString(text)
}

// isFilledIn reports whether a value of several lines takes variables of a shell,
// and holds no credential beside them.
func isFilledIn(text string) bool {
	return strings.Contains(text, "\n") && shellVariable.MatchString(text) && len(judgeText([]byte(text), whatSetting)) == 0
}

var shellVariable = regexp.MustCompile(`\$[A-Za-z_({]`)

var standIn = regexp.MustCompile("(?i)^(?:<[^<>]*>|\\[[^\\[\\]]*\\]|\\$\\(.*\\)|`.*`|base64[-_ ].*|.*…|.*[-_ ]here|(?:the|a|an|some)[-_ ].*|.*<[a-z][^<>]*>.*)$")
