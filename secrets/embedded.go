package secrets

import (
	"encoding/base64"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// A field may hold a text with a structure of its own: the values of a chart, a
// configuration file, a script, a whole manifest. judgeText looks into it in the
// same way whether a file or a render shows it.

// innerText returns what is to be judged inside a field: the text and what it is.
// It is not ok where there is nothing to look into.
func (f *field) innerText() (text []byte, what string, ok bool) {
	n := len(f.path)
	switch {
	case n < 2 || isJudgedWhole(f.kind):
		return nil, "", false
	case n == 2 && f.path[0] == "binaryData" && f.kind == "ConfigMap":
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(f.text), ""))
		return data, f.whatInside(), err == nil
	case !strings.ContainsAny(f.text, ":="):
		return nil, "", false
	case n == 2 && f.path[0] == "data" && f.kind == "ConfigMap",
		f.path[n-2] == "helm" && f.path[n-1] == "values",
		f.path[n-1] == "valuesContent" && (f.kind == "HelmChart" || f.kind == "HelmChartConfig"):
		return []byte(f.text), f.whatInside(), true
	}
	return []byte(f.text), "", f.mayHoldManifest() && !strings.HasPrefix(f.path[0], "patches")
}

// mayHoldManifest is a fast look for the manifest of a Secret, also behind escapes:
// what kubectl notes of an object that it applied is JSON in an annotation.
func (f *field) mayHoldManifest() bool {
	return strings.Contains(f.text, "Secret") || strings.Contains(f.text, `\`) && hasLetterEscape([]byte(f.text))
}

// whatInside says what a text is: a chart's values under a name such as
// values.yaml and in the fields for them, else settings.
func (f *field) whatInside() string {
	if f.kind == "ConfigMap" && !isValuesFile(f.path[len(f.path)-1]) {
		return whatSetting
	}
	return whatHelm
}

// judgeText finds what is secret in a text inside a field. The places are those in
// the text; what has no rule is only to be hidden.
func judgeText(text []byte, what string) []exposed {
	text = toUTF8(text)
	if !mayHoldSecret(text) && (what == "" || !mayHoldCredential(innerName, text)) {
		return nil
	}
	s := &sheet{text: newText("", text)}
	f, err := source.Parse(innerName, text)
	if err == nil && isCollection(f) {
		root := &layer{text: s.text, sheet: s, span: f.Span, what: what}
		root.documents(f, nil)
	} else {
		s.roughSecrets(0, len(text))
		if what != "" {
			s.settings()
		}
	}
	return s.exposures()
}

// innerName is a name for texts that may be YAML.
const innerName = "values.yaml"

var (
	settingLine = regexp.MustCompile(`(?m)^[ \t\x{feff}]*(?:(?:export|declare(?:[ \t]+-\w+)*|readonly|local|set|ENV|ARG)[ \t]+|- )?["']?([A-Za-z_][\w.\[\]-]*)["']?[ \t]*[=:][ \t]*("""[^"]*"""|'''[^']*'''|"[^"\n]*"|'[^'\n]*'|[^\s"'][^\n]*?)[ \t]*[;,]?(?:[ \t]+(?:#|;|//)[^\n]*)?[ \t]*\r?$`)
	// settingPair is a member of an inline table (TOML, HCL, JSON) or an argument.
	settingPair = regexp.MustCompile(`[{,]\s*["']?([A-Za-z_][\w.-]*)["']?[ \t]*[=:][ \t]*("[^"\n]*"|'[^'\n]*')`)
	settingPart = regexp.MustCompile(`(?i)(?:^|;)[ \t]*((?:[a-z]+[ _])?(?:password|pwd))[ \t]*=[ \t]*([^;\s"']+)`)
	expression  = regexp.MustCompile(`^[\w.$]+[(\[]|^(?:\$[({\w]|` + "`" + `|!|&)|^[a-z_]\w*(?:\.\w+)+$`)
)

// settings finds the credentials among the lines of a configuration file or a
// script: key = value, key: value and export KEY=value.
func (s *sheet) settings() {
	told := map[int]bool{}
	for _, e := range s.exposed {
		told[e.from] = true
	}
	note := func(what, name string, value extent) {
		if told[value.from] {
			return
		}
		told[value.from] = true
		f := exposureOf(what, name)
		f.Location = s.span(value.from, value.to)
		s.exposed = append(s.exposed, exposed{extent{value.from, s.lineEnd(value.from)}, f})
	}
	for _, pattern := range []*regexp.Regexp{settingLine, settingPair, settingPart} {
		for _, m := range pattern.FindAllSubmatchIndex(s.data, -1) {
			name, text := string(s.data[m[2]:m[3]]), string(s.data[m[4]:m[5]])
			if pattern == settingLine && text[0] != '"' && text[0] != '\'' {
				text, _, _ = strings.Cut(text, " #")
			}
			if namesCredential(name) && !expression.MatchString(text) && !repeats(name, text) && isLiteralSecret(name, text) {
				note(whatSetting, name, extent{m[4], m[5]})
			}
		}
	}
	for _, hit := range argumentsIn(string(s.data)) {
		note("argument", hit.name, hit.value)
	}
}

// repeats reports whether a value is the name again, as code that hands a variable
// on says password=password.
func repeats(name, text string) bool {
	text = strings.TrimRight(text, ",;)")
	return text != "" && strings.HasSuffix(strings.ToLower(name), strings.ToLower(text[strings.LastIndexByte(text, '.')+1:]))
}

// inner judges the text inside a scalar of the document. It reports whether the
// text holds anything secret.
func (d *document) inner(n *yaml.Node, text []byte, what string) bool {
	if _, known := d.shown[n]; known {
		return true
	}
	found := judgeText(text, what)
	if len(found) == 0 {
		return false
	}
	d.shown[n] = len(d.exposed)
	whole, ok := d.scalar(n)
	if !ok {
		from := d.offset(n.Line, n.Column)
		whole = extent{from, d.lineEnd(from)}
	}
	inner := newText(d.path, text)
	up := d.inside(n, inner)
	if string(text) != n.Value {
		up = nil
	}
	for _, e := range found {
		at, place := whole, d.span(n)
		if up != nil {
			at = extent{up(e.from), up(e.to)}
			if place := inner.extentOf(e.finding.Location); e.finding.Rule != "" {
				e.finding.Location = d.text.span(up(place.from), up(place.to))
			}
		} else {
			e.finding.Location = place
		}
		d.exposed = append(d.exposed, exposed{at, e.finding})
	}
	return true
}

// configFile judges a file that a configMapGenerator takes in.
func (s *sheet) configFile() {
	s.exposed = nil // what was read so far is read again
	for _, e := range judgeText(s.data, whatSetting) {
		if e.finding.Location.File = s.path; e.finding.Rule == "" {
			e.finding.Location.File = ""
		}
		s.exposed = append(s.exposed, e)
	}
}
