package diff

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/render"
)

// credentialName fits the names of settings that hold a credential. Their values
// are not shown even where nobody has encrypted them: a diff is pasted into
// comments and logs.
var credentialName = regexp.MustCompile(`(?i)(?:password|passwd|passphrase|token|secret|credentials?|(?:api|access|secret|private|encryption|signing)[-_]?key|[-_](?:pwd|pass))$`)

// namesCredential reports whether a name is that of a credential itself, and not
// of where one is found.
func namesCredential(name string) bool {
	return credentialName.MatchString(name) && !strings.HasPrefix(strings.ToLower(name), "existing")
}

// hide adds to the secrets of a state the texts of an object that are named like
// a credential: the value of such a key, and of an item with such a name, as
// containers have in env.
func (s *State) hide(o *render.Object) {
	if s.Secrets == nil {
		s.Secrets = map[At]string{}
	}
	s.hideIn(o, nil, o.Value)
}

func (s *State) hideIn(o *render.Object, at []string, value any) {
	switch value := value.(type) {
	case map[string]any:
		name, _ := value["name"].(string)
		for key, item := range value {
			_, isText := item.(string)
			if isText && (namesCredential(key) || key == "value" && namesCredential(name)) {
				s.conceal(At{o.Object, pointer(below(at, key)...)})
				continue
			}
			s.hideIn(o, below(at, key), item)
		}
	case []any:
		for i, item := range value {
			s.hideIn(o, below(at, strconv.Itoa(i)), item)
		}
	}
}

// conceal keeps what is known of a secret already.
func (s *State) conceal(at At) {
	if _, known := s.Secrets[at]; !known {
		s.Secrets[at] = ""
	}
}
