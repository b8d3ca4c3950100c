package decrypt

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// minLeak is the shortest value in bytes that is looked for in other objects:
// shorter ones ("postgres", "5432") are the names of things, and occur everywhere.
const minLeak = 8

// word fits a part of a name, an address or a version. A value of nothing but
// such words with punctuation between them, like postgres.shop.svc.cluster.local
// or ops@example.com, occurs by chance whatever its length.
var word = regexp.MustCompile(`^(?:[A-Za-z]{1,15}[0-9]{0,3}|[0-9]{1,5})?$`)

// isTelling reports whether a value says by itself where it comes from.
func isTelling(text string) bool {
	if len(text) < minLeak || secrets.IsReference(text) || secrets.IsPublic(text) {
		return false
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".-_/:@", r) })
	return slices.ContainsFunc(parts, func(part string) bool { return !word.MatchString(part) })
}

// inspect looks at all final objects once more, whatever the token flow said:
// nothing but the data of Secrets may carry a decrypted value, and nothing that
// sealing wrote may be left.
func (j *job) inspect(context.Context) error {
	leaks := newIndex()
	var owners []*value
	for _, path := range j.paths {
		for _, v := range j.files[path].all {
			if !v.used || j.opts.Public != nil && j.opts.Public(v.file, v.key) {
				continue
			}
			for _, text := range inner(v.text.Reveal()) {
				if isTelling(text) {
					leaks.add(text, len(owners))
				}
			}
			owners = append(owners, v)
		}
	}
	leaks.seal()
	for i, u := range j.objects {
		look := &inspection{leaks: leaks, owners: owners, secret: isSecret(u)}
		look.walk(u.Object)
		if look.err != nil {
			look.err.Object = &j.rendered.Objects[i].Object
			return look.err
		}
	}
	return nil
}

// inner lists what a value is: itself, and what it is as base64, as values of
// data are; each also without the space around it.
func inner(text string) []string {
	out := []string{text, strings.TrimSpace(text)}
	if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil && len(raw) > 0 {
		out = append(out, string(raw), strings.TrimSpace(string(raw)))
	}
	return slices.Compact(out)
}

// inspection is the state of looking at one object.
type inspection struct {
	leaks  *index
	owners []*value
	secret bool
	path   []string
	err    *Error
}

func (s *inspection) walk(node any) {
	if s.err != nil {
		return
	}
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			s.text(key)
			s.below(key, node[key])
		}
	case []any:
		for i, item := range node {
			s.below(strconv.Itoa(i), item)
		}
	case string:
		s.text(node)
	case nil:
	default:
		s.text(fmt.Sprint(node))
	}
}

func (s *inspection) below(token string, node any) {
	s.path = append(s.path, token)
	s.walk(node)
	s.path = s.path[:len(s.path)-1]
}

func (s *inspection) text(text string) {
	switch {
	case s.err != nil:
	case secrets.IsSealed(text):
		s.fail(CodeRemains)
	case s.secret && len(s.path) == 2 && s.path[0] == "data":
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && secrets.IsSealed(string(raw)) {
			s.fail(CodeRemains)
		}
	default:
		if owner, ok := s.leaks.first(text); ok {
			v := s.owners[owner]
			s.fail(CodeLeak)
			s.err.Source = strings.TrimSpace(v.file + " " + v.key)
		}
	}
}

// fail names the place by keys that cannot be a value themselves: a key that
// holds one is cut off.
func (s *inspection) fail(code Code) {
	s.err = &Error{Key: source.Pointer(s.path...), Code: code}
}
