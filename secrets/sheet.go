package secrets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// A sheet is everything about the secrets of one file: each value, how the text
// is changed to seal it, and what is wrong.
type sheet struct {
	*text
	format   Format // empty where nothing is encrypted
	meta     *Metadata
	values   []*value
	edits    []edit
	bare     []extent // plaintext that the edits leave: never shown
	findings []finding.Finding
	exposed  []exposed
	places   placeIndex         // of exposed
	refused  *repo.RefusedError // the file must not be read; the rest may be set
	parsed   bool
	// structured is set where the parser saw more than one text.
	structured bool
	sealed     []byte
}

// Format is how an encrypted file is laid out.
type Format string

// The formats that sops writes. A binary file is JSON with the one key data.
const (
	YAML   Format = "yaml"
	JSON   Format = "json"
	Dotenv Format = "dotenv"
	INI    Format = "ini"
	Binary Format = "binary"
)

// A value is one secret value of a file.
type value struct {
	file string
	path string // within the file: the document and a pointer; empty for the whole file
	name string // the key that a message names

	object  *finding.Object // the Secret around it, if any
	pointer string          // in object
	span    finding.Span
	related []finding.Related

	encrypted bool
	kind      string // of the plaintext, as sops names types
	token     string // what stands for it; empty where a placeholder does
	message   string // of the finding; plaintext only
	rule      string // of the finding; plaintext only
	help      string // of the finding; empty takes helpEncrypt
}

// finding says that a value is in the repository in plaintext. It is the same
// whether the file or a render shows the value, so that both become one.
func (v *value) finding() finding.Finding {
	return finding.Finding{
		Rule: v.rule, Severity: finding.Error, Message: v.message, Help: cmp.Or(v.help, v.howToSeal()),
		Object: v.object, Pointer: v.pointer, Location: v.span, Related: slices.Clone(v.related),
	}
}

// howToSeal is the command for a manifest; what a generator takes in may first
// have to move into a file of its own.
func (v *value) howToSeal() string {
	if v.object == nil || v.object.Kind != "Secret" || strings.ContainsAny(v.file, " '\"\\$`") {
		return helpEncrypt
	}
	return "sallyport seal " + v.file + "; rotate the value if it was pushed"
}

const helpEncrypt = "encrypt it with sallyport seal; rotate the value if it was pushed"

// newSheet reads one file. use says what kustomizations make of it.
func newSheet(path string, data []byte, use use) *sheet {
	s := &sheet{text: newText(path, toUTF8(data))}
	if len(s.data) > 0 && &s.data[0] != &data[0] {
		s.refuse("yaml-unsafe", finding.Position{}, "is encoded as UTF-16 or UTF-32, not as UTF-8")
	}
	if at := plantedToken(s.data); at >= 0 {
		s.refuse(ruleLeak, s.position(at), "holds a text that only sealing may write")
	}
	switch {
	case isDotenv(s.data):
		s.dotenv(use)
	case isINI(s.data):
		s.ini(use)
	default:
		s.yaml(use)
	}
	switch {
	case s.format != "":
	case use.none():
		s.settingsFile()
	default:
		s.generated(use)
	}
	s.places = newPlaceIndex(s.exposed)
	s.sealed = apply(s.data, s.edits)
	return s
}

func (s *sheet) refuse(rule string, at finding.Position, reason string) {
	if s.refused == nil {
		s.refused = &repo.RefusedError{Path: s.path, Rule: rule, Reason: reason, Line: at.Line, Column: at.Column}
	}
}

func (s *sheet) report(rule string, at finding.Span, object *finding.Object, pointer, message, help string) {
	s.findings = append(s.findings, finding.Finding{
		Rule: rule, Severity: finding.Error, Message: message, Help: help,
		Object: object, Pointer: pointer, Location: at,
	})
}

// whole seals the file as one token: what a generator takes in one piece.
func (s *sheet) whole(v value) {
	v.file, v.kind = s.path, "str"
	v.token = plainToken(s.path, "")
	if v.encrypted {
		v.token = sealedToken(s.path, "", string(s.data))
	}
	s.values = append(s.values, &v)
	s.edits = []edit{{extent{0, len(s.data)}, v.token + wholeMark}}
}

// wholeMark ends the edit of a whole file, which keeps no line breaks: the token
// is all that a generator may find. apply drops it.
const wholeMark = "\x00"

// yaml reads YAML and JSON.
func (s *sheet) yaml(use use) {
	f, problems, err := source.Read(s.path, s.data)
	if err != nil {
		s.unparsed(err)
		return
	}
	for _, p := range problems {
		// What our parser drops as well another one may read: a Secret behind
		// "{}" is one to whoever takes the first line away.
		if p.Dropped && s.roughSecrets(s.offset(p.Span.Start.Line, 1), len(s.data)) {
			s.refuse("yaml-unsafe", p.Span.Start, p.Message)
		}
	}
	s.parsed = true
	if s.structured = isCollection(f); s.structured {
		s.roughComments()
	} else {
		s.roughSecrets(0, len(s.data))
	}
	root := &layer{text: s.text, sheet: s, span: f.Span, what: s.whatIs(f, use)}
	root.documents(f, use.patch)
	if s.format == "" {
		return
	}
	if jsonLike(s.data) {
		s.format = JSON
		if isBinary(f) {
			s.format = Binary
		}
	}
	if len(use.file) > 0 && !s.partial(f, use) {
		return
	}
	if use.generator || !isManifest(f) {
		s.values = slices.DeleteFunc(s.values, func(v *value) bool { return v.encrypted })
		s.whole(value{name: s.path, encrypted: true, span: s.span(0, s.lineEnd(0))})
		return
	}
	s.encryptedComments()
}

// valuesIn says what a file is that holds no manifest: the values of a chart, by
// its name, or nothing that is known.
func valuesIn(path string, f *source.File) string {
	if isValuesFile(path) && !isManifest(f) {
		return whatHelm
	}
	return ""
}

// whatIs is valuesIn, and tells settings that a configMapGenerator takes in.
func (s *sheet) whatIs(f *source.File, use use) string {
	if what := valuesIn(s.path, f); what != "" || !use.isConfig() || isManifest(f) {
		return what
	}
	return whatSetting
}

// isCollection reports whether any document is more than a text.
func isCollection(f *source.File) bool {
	return slices.ContainsFunc(f.Docs, func(d *source.Document) bool { return deref(d.Root).Kind != yaml.ScalarNode })
}

// isManifest reports whether any document is a Kubernetes object whose kind can
// be read.
func isManifest(f *source.File) bool {
	return slices.ContainsFunc(f.Docs, func(d *source.Document) bool {
		kind := getText(d.Root, "kind")
		return kind != "" && !isEnc(kind)
	})
}

func isBinary(f *source.File) bool {
	if len(f.Docs) != 1 {
		return false
	}
	root := deref(f.Docs[0].Root)
	return root.Kind == yaml.MappingNode && len(root.Content) == 4 && isEnc(getText(root, "data"))
}

func jsonLike(data []byte) bool {
	for _, c := range data {
		if !isSpace(c) {
			return c == '{'
		}
	}
	return false
}

// place names a value within a file.
func place(doc int, pointer string) string { return fmt.Sprintf("%d%s", doc, pointer) }
