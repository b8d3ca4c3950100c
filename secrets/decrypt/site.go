package decrypt

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// A site is a permitted node: a token that stands whole under a key in data or
// stringData of a v1 Secret.
type site struct {
	fields   map[string]any // data or stringData
	object   *unstructured.Unstructured
	identity *finding.Object
	field    string
	key      string
	token    string
	encoded  bool   // the text is base64 of the token
	file     string // that the value is from
}

func (s site) pointer() string { return source.Pointer(s.field, s.key) }

// sitesOf lists the sites of an object, data first, by key. files names the file
// of each token.
func sitesOf(u *unstructured.Unstructured, identity finding.Object, files map[string]string) []site {
	if !isSecret(u) {
		return nil
	}
	var out []site
	for _, field := range []string{"data", "stringData"} {
		fields, _ := u.Object[field].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			text, _ := fields[key].(string)
			if token, encoded, ok := secrets.WholeToken(text); ok {
				out = append(out, site{fields, u, &identity, field, key, token, encoded, files[token]})
			}
		}
	}
	return out
}

func isSecret(u *unstructured.Unstructured) bool {
	return u.GetAPIVersion() == "v1" && u.GetKind() == "Secret"
}

// set puts the values into their nodes.
func (j *job) set(context.Context) error {
	for _, s := range j.sites {
		f := j.files[s.file]
		var v *value
		if f != nil {
			v = f.values[s.token]
		}
		if v == nil {
			return &Error{Object: s.identity, Key: s.pointer(), Source: s.file, Code: CodeUnknown}
		}
		if err := bound(f, v, s); err != nil {
			return err
		}
		text := v.text.Reveal()
		if s.encoded {
			text = base64.StdEncoding.EncodeToString([]byte(text))
		}
		s.fields[s.key] = text
		f.use(v)
	}
	return nil
}

// use marks a value, and with a file everything in it.
func (f *opened) use(v *value) {
	v.used = true
	if v.key == "" {
		for _, part := range f.all {
			part.used = true
		}
	}
}

// bound compares the encrypted bind key of a value's Secret, as the file has it,
// with the object that the value arrives in: a patch may have taken the key away.
func bound(f *opened, v *value, s site) error {
	bind := f.binds[v.home]
	if bind == nil || v.key == "" {
		return nil
	}
	identity := "v1/Secret/" + s.object.GetNamespace() + "/" + s.object.GetName()
	inData := base64.StdEncoding.EncodeToString([]byte(identity))
	if wanted := bind.text.Reveal(); wanted == identity || wanted == inData {
		return nil
	}
	return &Error{Object: s.identity, Key: s.pointer(), Source: s.file, Code: CodeMoved}
}
