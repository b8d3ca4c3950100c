package encrypt

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	sopsini "github.com/getsops/sops/v3/stores/ini"

	"github.com/sallyport/sallyport/finding"
)

// iniLayout seals sections of "key = value". What else readers of the format allow
// (a colon, values over several lines, comments behind a value) is refused: they
// disagree about where such a value ends.
type iniLayout struct{ path string }

func (iniLayout) store() sops.Store { return sopsini.NewStore(&config.INIStoreConfig{}) }

// iniLine is one line of a file that can be sealed in place.
var iniLine = regexp.MustCompile("^[ \\t]*(?:" +
	"(?P<blank>)|" +
	"(?P<comment>[#;].*)|" +
	"(?P<section>\\[[^\\[\\]\"'`]+\\])|" +
	"(?P<key>[^=:\\[\\]#;\"'`\\s-][^=:\"'`]*)=[ \\t]*(?P<value>\"[^\"\\\\]*\"|'[^'\\\\]*'|[^\"'`\\\\#;\\s][^\\\\#;\\r\\n]*?)?" +
	")[ \\t]*\\r?$")

// group is a part of iniLine.
func group(name string) int { return iniLine.SubexpIndex(name) }

// insert puts the section [sops] at the end.
func (l iniLayout) insert(data []byte) ([]insertion, error) {
	for i, line := range bytes.Split(data, []byte("\n")) {
		place := finding.Position{Line: i + 1, Column: 1}
		at := finding.Span{File: l.path, Start: place, End: place}
		switch m := iniLine.FindSubmatch(line); {
		case m == nil:
			return nil, &Error{Span: at, Message: "a line that cannot be sealed in place: it must be key = value, without a comment behind it"}
		case strings.EqualFold(string(m[group("section")]), "[sops]"):
			return nil, &Error{Span: at, Message: "has a section sops, which sops keeps for itself"}
		}
	}
	br, first := newline(data), ""
	if !bytes.HasSuffix(data, []byte("\n")) {
		first = br
	}
	return []insertion{{at: len(data), render: func(block []byte) string {
		return first + br + strings.Join(lines(block), br) + br
	}}}, nil
}

// slots lists the values, and groups of comment lines, which sops reads as one.
func (iniLayout) slots(data []byte) (values, comments []slot, err error) {
	at, inComment := 0, false
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		start := at
		at += len(line) + 1
		m := iniLine.FindSubmatchIndex(line)
		part := func(name string) (stretch, bool) {
			i := 2 * group(name)
			return stretch{start + m[i], start + m[i+1]}, m[i] >= 0
		}
		if m == nil {
			return values, comments, nil // the block at the end, whose lines may be long
		}
		if s, ok := part("section"); ok && string(data[s.from:s.to]) == "[sops]" {
			return values, comments, nil
		}
		s, isComment := part("comment")
		switch {
		case isComment && inComment:
			last := &comments[len(comments)-1]
			last.comment += "\n" + strings.TrimSpace(string(data[s.from:s.to]))
			last.to = s.to
		case isComment:
			comments = append(comments, iniComment(data, s))
		}
		inComment = isComment
		if _, isKey := part("key"); isKey {
			values = append(values, iniValue(data, part))
		}
	}
	return values, comments, nil
}

// iniValue is the slot of a line; an empty value stands at the end of the line.
func iniValue(data []byte, part func(string) (stretch, bool)) slot {
	s, ok := part("value")
	if !ok {
		key, _ := part("key")
		return slot{stretch: stretch{key.to, key.to}}
	}
	return slot{stretch: s}
}

// iniComment is the slot of a comment without its sign, as sops strips it.
func iniComment(data []byte, s stretch) slot {
	text := string(data[s.from:s.to])
	bare := strings.TrimLeft(text, text[:1]+" ")
	text = strings.TrimSpace(bare)
	s.from = s.to - len(bare)
	return slot{stretch: s, comment: text}
}
