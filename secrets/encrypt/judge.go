package encrypt

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// judge refuses a value that must not be sealed, or would be of no use once it
// is. sealed says whether the rule selects it.
func (s *sealing) judge(l leaf, sealed bool, at slot) error {
	fail := func(format string, args ...any) error {
		return &Error{Span: at.span, Message: fmt.Sprintf(format, args...)}
	}
	text, isText := l.value.(string)
	switch {
	case strings.HasPrefix(text, "ENC[AES256_GCM"):
		return &Error{
			Span:    at.span,
			Message: fmt.Sprintf("%q is encrypted already, in a file without a sops block", l.name()),
			Hint:    "take the file from the last good commit",
		}
	case !sealed:
		return nil
	case l.manifest && !l.secret:
		return &Error{
			Span:    at.span,
			Message: fmt.Sprintf("%q would be encrypted too, and cannot be used outside data and stringData of a Secret", l.name()),
			Hint:    "put the Secret into a file of its own, with encrypted_regex: " + kubernetesRegex + " in its rule",
		}
	case l.manifest && !isText:
		return fail("%q is no string, and the API server takes nothing else in a Secret; put it into quotes", l.name())
	case at.refused != "":
		return fail("%q %s", l.name(), at.refused)
	}
	if l.manifest && slices.Contains(l.keys, "data") && !isBase64(text) {
		s.warnings = append(s.warnings, Warning{
			Span:    at.span,
			Message: fmt.Sprintf("%q is not base64, as the API server wants it in data; it was sealed as it is", l.name()),
		})
	}
	return nil
}

// isBase64 reports whether the API server could decode a value of data.
func isBase64(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil
}
