package secrets

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Selection is the rule inside a sops block that says which values of the file
// are encrypted. At most one field is set; with none, everything is encrypted
// whose keys do not end in "_unencrypted" (sops' default).
type Selection struct {
	UnencryptedSuffix       string
	EncryptedSuffix         string
	UnencryptedRegex        string
	EncryptedRegex          string
	UnencryptedCommentRegex string
	EncryptedCommentRegex   string

	pattern *regexp.Regexp
}

const defaultUnencryptedSuffix = "_unencrypted"

func (d *decoder) selection(key, block *yaml.Node) {
	s := &d.meta.Selection
	fields := []struct {
		name  string
		value *string
		regex bool
	}{
		{"unencrypted_suffix", &s.UnencryptedSuffix, false},
		{"encrypted_suffix", &s.EncryptedSuffix, false},
		{"unencrypted_regex", &s.UnencryptedRegex, true},
		{"encrypted_regex", &s.EncryptedRegex, true},
		{"unencrypted_comment_regex", &s.UnencryptedCommentRegex, true},
		{"encrypted_comment_regex", &s.EncryptedCommentRegex, true},
	}
	set := 0
	for _, f := range fields {
		n := get(block, f.name)
		if n == nil || deref(n).Value == "" {
			continue
		}
		set++
		*f.value = deref(n).Value
		if !f.regex {
			continue
		}
		// sops takes a pattern that does not compile for one that matches nothing.
		pattern, err := regexp.Compile(*f.value)
		if err != nil {
			d.fail(n, "the "+f.name+" of the sops block is no regular expression")
			continue
		}
		s.pattern = pattern
	}
	if set > 1 {
		d.fail(key, "the sops block has more than one rule for what is encrypted")
	}
	if set == 0 {
		s.UnencryptedSuffix = defaultUnencryptedSuffix
	}
}

// Selects reports whether the value under these keys is encrypted by the rule;
// list indexes are no keys. It follows sops' own shouldBeEncrypted. The rules by
// comment are not followed: they select nothing here.
func (s Selection) Selects(keys []string) bool {
	switch {
	case s.EncryptedRegex != "":
		return anyMatches(s.pattern, keys)
	case s.UnencryptedRegex != "":
		return !anyMatches(s.pattern, keys)
	case s.EncryptedSuffix != "":
		return anyEnds(keys, s.EncryptedSuffix)
	case s.UnencryptedSuffix != "":
		return !anyEnds(keys, s.UnencryptedSuffix)
	}
	return false
}

// Excludes reports whether the rule leaves the value under these keys as it is.
// Of a rule by comment, and of one that cannot be read, nobody here knows.
func (s Selection) Excludes(keys []string) bool {
	known := s.pattern != nil || s.EncryptedSuffix != "" || s.UnencryptedSuffix != ""
	return known && s.EncryptedCommentRegex == "" && s.UnencryptedCommentRegex == "" && !s.Selects(keys)
}

func anyMatches(pattern *regexp.Regexp, keys []string) bool {
	for _, key := range keys {
		if pattern != nil && pattern.MatchString(key) {
			return true
		}
	}
	return false
}

func anyEnds(keys []string, suffix string) bool {
	for _, key := range keys {
		if strings.HasSuffix(key, suffix) {
			return true
		}
	}
	return false
}
