package secrets

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// An exposed value is a credential in the open, outside Secrets: a literal of a
// container, a ConfigMap or a chart's values. It is not sealed, since it is where
// its author wants it, but never shown.
type exposed struct {
	extent
	finding finding.Finding
}

const helpReference = "put the value into an encrypted Secret and refer to it from here; rotate it if it was pushed"

// exposureOf is the finding about a credential in the open. It says the same for a
// file and a render, so that both become one.
func exposureOf(what, name string) finding.Finding {
	severity := finding.Error
	if what == whatField {
		severity = finding.Warning
	}
	return finding.Finding{
		Rule: rulePlaintext, Severity: severity, Help: helpReference,
		Message: fmt.Sprintf("%s %q is a literal credential", what, name),
	}
}

// expose notes a credential at a scalar of the layer.
func (l *layer) expose(n *yaml.Node, f finding.Finding) {
	e, ok := l.scalar(n)
	if !ok {
		return
	}
	f.Location = l.span(n)
	// An alias may lead to a value twice: the graver finding stays.
	i, known := l.shown[n]
	switch {
	case !known:
		l.shown[n] = len(l.exposed)
		l.exposed = append(l.exposed, exposed{e, f})
	case l.exposed[i].finding.Severity < f.Severity:
		l.exposed[i].finding = f
	}
}

// A placeIndex finds the places of credentials by the messages about them.
type placeIndex map[string][]finding.Span

func newPlaceIndex(all []exposed) placeIndex {
	index := placeIndex{}
	for _, e := range all {
		index[e.finding.Message] = append(index[e.finding.Message], e.finding.Location)
	}
	for _, places := range index {
		slices.SortStableFunc(places, func(a, b finding.Span) int { return a.Start.Line - b.Start.Line })
	}
	return index
}

// at returns the place in a line, or with below set the first one from it on.
func (x placeIndex) at(message string, line int, below bool) (finding.Span, bool) {
	places := x[message]
	i, ok := slices.BinarySearchFunc(places, line, func(p finding.Span, line int) int { return p.Start.Line - line })
	if i < len(places) && (ok || below) {
		return places[i], true
	}
	return finding.Span{}, false
}

// credentials finds the credentials in the open of a document.
func (d *document) credentials() {
	if d.root.Kind != yaml.SequenceNode {
		d.credentialsIn(d.root, nil, nil, nil)
		return
	}
	for _, op := range items(d.root) {
		if v := get(op, "value"); v != nil {
			d.credentialsIn(v, op, d.patch, source.Split(getText(op, "path")))
		}
	}
}

// credentialsIn walks an object; path leads to n in it, and parent is the mapping
// around n. Siblings share the array of their paths: nobody may keep one.
func (d *document) credentialsIn(n, parent *yaml.Node, object *finding.Object, path []string) {
	switch n = deref(n); n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			d.credentialsIn(item, n, object, append(path, strconv.Itoa(i)))
		}
	case yaml.MappingNode:
		if found := d.identity(n); found != nil && (get(n, "metadata") != nil || len(path) == 0) {
			object, path = found, path[len(path):]
		}
		if object != nil && len(path) == 0 && isJudgedWhole(object.Kind) {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Tag == "!!merge" {
				d.credentialsIn(n.Content[i+1], n, object, path)
				continue
			}
			d.credentialsIn(n.Content[i+1], n, object, append(path, deref(n.Content[i]).Value))
		}
	case yaml.ScalarNode:
		d.credential(n, parent, object, path)
	}
}

func (d *document) credential(n, parent *yaml.Node, object *finding.Object, path []string) {
	f := field{path: path, inside: d.what, text: n.Value, named: func() string { return getText(parent, "name") }, before: func() string { return before(parent, path) }}
	if object != nil {
		f.kind = object.Kind
	}
	if text, what, ok := f.innerText(); ok && d.inner(n, text, what) {
		return
	}
	if what, name, ok := f.credential(); ok && n.Tag != "!!null" {
		found := exposureOf(what, name)
		if object != nil {
			found.Object, found.Pointer = object, source.Pointer(path...)
		}
		d.expose(n, found)
	}
}

// before returns the text of the item in front of the one at the path.
func before(list *yaml.Node, path []string) string {
	i, err := strconv.Atoi(path[len(path)-1])
	if err != nil || list == nil || list.Kind != yaml.SequenceNode || i < 1 || i > len(list.Content) {
		return ""
	}
	return deref(list.Content[i-1]).Value
}

// configLiterals finds credentials among the literals of configMapGenerators.
func (d *document) configLiterals() {
	entries := items(get(d.root, "configMapGenerator"))
	if getText(d.root, "kind") == "ConfigMapGenerator" {
		entries = []*yaml.Node{d.root}
	}
	for _, entry := range entries {
		metadata := entry
		if m := get(entry, "metadata"); m != nil {
			metadata = m
		}
		for _, n := range items(get(entry, "literals")) {
			key, text, ok := strings.Cut(n.Value, "=")
			if ok && d.inner(n, []byte(text), whatSetting) {
				continue
			}
			if !ok || !namesCredential(key) || !isLiteralSecret(key, text) {
				continue
			}
			found := exposureOf("ConfigMap value", key)
			found.Object = &finding.Object{
				APIVersion: "v1", Kind: "ConfigMap",
				Namespace: getText(metadata, "namespace"), Name: getText(metadata, "name"),
			}
			found.Pointer = source.Pointer("data", key)
			d.expose(n, found)
			d.showKey(key)
		}
	}
}

// showKey takes the key of a literal, and what is in front of it, out of what is
// hidden of the credential that was noted last.
func (l *layer) showKey(key string) {
	if len(l.exposed) == 0 {
		return
	}
	e := &l.exposed[len(l.exposed)-1]
	if i := bytes.Index(l.data[e.from:e.to], []byte(key+"=")); i >= 0 {
		e.from += i + len(key) + 1
	}
}

// configEnv finds credentials in an env file of a configMapGenerator.
func (s *sheet) configEnv(use use) {
	s.parsed = true
	for _, a := range s.assignments() {
		if !namesCredential(a.key) || !isLiteralSecret(a.key, s.of(a.value)) {
			continue
		}
		found := exposureOf("ConfigMap value", a.key)
		found.Location = s.span(a.value.from, a.value.to)
		for _, span := range use.config {
			found.Related = append(found.Related, finding.Related{Message: "a configMapGenerator names the file here", Location: span})
		}
		s.exposed = append(s.exposed, exposed{a.value, found})
	}
}

// mayHoldCredential is a fast look for a key, or a name beside a value, that is
// named like a credential and may have a value that is one.
func mayHoldCredential(path string, text []byte) bool {
	if !source.IsYAML(path) && !anyReading(text, func(text []byte) bool { return bytes.Contains(text, []byte("kind")) }) {
		return false
	}
	return anyReading(text, holdsCredentialName)
}

func holdsCredentialName(data []byte) bool {
	if holdsFolded(data) || holdsHeader(data) || bytes.Contains(data, []byte(" -p")) && hasShortFlag(data) || mayHoldAction(data) {
		return true
	}
	w := wordScan{data: data}
	for i := 1; i < len(data); i++ {
		if endsName[data[i]] && w.credentialEnds(i) {
			return true
		}
	}
	return false
}

// holdsFolded reports whether data holds one of the two letters that are not ASCII
// and that a comparison without case takes for ASCII: the long s and the sign for
// kelvin.
func holdsFolded(data []byte) bool {
	return bytes.Contains(data, []byte("\u017f")) || bytes.Contains(data, []byte("\u212a"))
}

// mayHoldAction reports whether data may hold the template of a Secret: what a
// literal action there is called does not matter.
func mayHoldAction(data []byte) bool {
	return bytes.Contains(data, []byte("{{")) && bytes.Contains(data, []byte("Secret"))
}

// A wordScan looks for the names of credentials in a text.
type wordScan struct {
	data []byte
	// valued is 1 where some key of the text is "value", so that the name beside
	// it counts, and -1 where none is; 0 is unknown.
	valued int
}

// credentialEnds reports whether the name of a credential with a value that may be
// one ends in front of i.
func (w *wordScan) credentialEnds(i int) bool {
	c := w.data[i]
	if c != ':' && c != '=' {
		if !endsCredential[w.data[i-1]] {
			return false
		}
		word := wordBefore(w.data, i) // only a flag stands alone
		return len(word) > 0 && word[0] == '-' && isCredentialWord(word)
	}
	word := wordBefore(w.data, i)
	if string(word) == "name" || string(word) == "path" {
		return isCredentialWord(nameAfter(w.data[i:min(i+maxKeyName, len(w.data))])) && w.hasValue()
	}
	return isCredentialWord(word) && !(c == ':' && isEmptyValue(w.data[i+1:]))
}

func isCredentialWord(word []byte) bool { return maybeCredential(word) && credentialName.Match(word) }

// hasValue reports whether the word "value" stands alone anywhere.
func (w *wordScan) hasValue() bool {
	if w.valued == 0 {
		w.valued = -1
		for at := 0; ; {
			i := bytes.Index(w.data[at:], []byte("value"))
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len("value")
			if (from == 0 || !isNameByte(w.data[from-1])) && (to == len(w.data) || !isNameByte(w.data[to])) {
				w.valued = 1
				break
			}
			at = to
		}
	}
	return w.valued > 0
}

// isEmptyValue reports whether what follows the colon of a key is no text: a
// switch, nothing, or a mapping, whose keys are looked at on their own.
func isEmptyValue(rest []byte) bool {
	line, below, _ := bytes.Cut(rest, []byte{'\n'})
	switch string(bytes.TrimSpace(line)) {
	case "", "true", "false", "null":
		return startsKey(below) // a text may go on there
	}
	return false
}

// startsKey reports whether a line begins with a plain key, or with that of an
// item.
func startsKey(line []byte) bool {
	line = bytes.TrimLeft(line, " ")
	for bytes.HasPrefix(line, []byte("- ")) {
		line = bytes.TrimLeft(line[2:], " ")
	}
	end := 0
	for end < len(line) && (isNameByte(line[end]) || line[end] == '/' || line[end] == '$') {
		end++
	}
	return end > 0 && !bytes.HasPrefix(line, []byte("-")) && end+1 < len(line) && line[end] == ':' && isSpace(line[end+1])
}

// endsName are the bytes that may follow the name of a credential: of a key, of a
// variable, of a flag in a list or in front of its value.
var endsName = [256]bool{':': true, '=': true, '\n': true, ',': true, ' ': true}

// hasShortFlag reports whether data names a program that takes a password as -p.
func hasShortFlag(data []byte) bool {
	for _, program := range []string{"mysql", "mariadb", "sshpass"} {
		if bytes.Contains(data, []byte(program)) {
			return true
		}
	}
	return false
}

// endsCredential are the last letters of what credentialName fits, and quotes.
var endsCredential = lastLetters("dDeEnNtTlLsSyY\"'")

func lastLetters(all string) (t [256]bool) {
	for i := range len(all) {
		t[all[i]] = true
	}
	return t
}

// maybeCredential rules out by the last letters nearly all that credentialName
// does. What is not ASCII may fold to a letter (U+017F, U+212A), so it stays.
func maybeCredential[T string | []byte](word T) bool {
	n := len(word)
	if n < len("pwd") {
		return false
	}
	for i := max(0, n-3*utf8.UTFMax); i < n; i++ {
		if word[i] >= utf8.RuneSelf {
			return true
		}
	}
	switch string([]byte{word[n-3] | 0x20, word[n-2] | 0x20, word[n-1] | 0x20}) {
	case "ord", "swd", "pwd", "ass", "ase", "ken", "ret", "ial", "als", "key":
		return true
	}
	return false
}

// wordBefore returns the key that ends in front of i.
func wordBefore(data []byte, i int) []byte {
	for i > 0 && (data[i-1] == ' ' || data[i-1] == '"' || data[i-1] == '\'' || data[i-1] == '\\') {
		i--
	}
	from := i
	for from > 0 && i-from < maxKeyName && isNameByte(data[from-1]) {
		from--
	}
	return data[from:i]
}

func isNameByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

// nameAfter returns the word that follows a colon, the last one of a path.
func nameAfter(rest []byte) []byte {
	rest = bytes.TrimLeft(rest[1:], " \t\"'")
	end := 0
	for end < len(rest) && (isNameByte(rest[end]) || rest[end] == '/') {
		end++
	}
	return rest[bytes.LastIndexByte(rest[:end], '/')+1 : end]
}
