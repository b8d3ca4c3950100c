package decrypt

import (
	"fmt"

	"github.com/sallyport/sallyport/finding"
)

// Code says what is wrong. It is all that is ever said: sops' own errors quote
// values.
type Code string

// The codes. Those of one file come first, those of the final objects last.
const (
	CodeNoIdentity  Code = "no-identity"
	CodeUnsafe      Code = "unsafe-file"
	CodeTooLarge    Code = "too-large"
	CodeTimeout     Code = "timeout"
	CodeMalformed   Code = "malformed"
	CodeKeyType     Code = "key-type"
	CodeNoKey       Code = "no-key"
	CodeValue       Code = "value"
	CodeNotSelected Code = "not-selected"
	CodeMAC         Code = "mac"
	CodeUnknown     Code = "unknown-token"
	CodeMoved       Code = "moved"
	CodeSecretValue Code = "secret-value"
	CodeSecretKey   Code = "secret-key"
	CodeSecretSize  Code = "secret-size"
	CodeRemains     Code = "remains"
	CodeLeak        Code = "leak"
)

// String explains the code in words.
func (c Code) String() string {
	switch c {
	case CodeNoIdentity:
		return "no age identity is given"
	case CodeUnsafe:
		return "the file is not safe to parse, or is read differently by different parsers"
	case CodeTooLarge:
		return "more is encrypted than a target may hold"
	case CodeTimeout:
		return "decrypting takes too long"
	case CodeMalformed:
		return "sops cannot read the file"
	case CodeKeyType:
		return "the file is encrypted only for keys of a kind that is not allowed here"
	case CodeNoKey:
		return "no key that is given opens the file"
	case CodeValue:
		return "the value is not what sops encrypted at this place"
	case CodeNotSelected:
		return "the rule in the sops block does not select the encrypted value"
	case CodeMAC:
		return "the MAC does not fit: values were changed, moved, added or taken away"
	case CodeUnknown:
		return "the token stands for nothing that sops finds in the file"
	case CodeMoved:
		return "the encrypted sops-bind names another object"
	case CodeSecretValue:
		return "the value is no valid value of a Secret's field (data is base64, stringData a string)"
	case CodeSecretKey:
		return "the key is not valid in a Secret"
	case CodeSecretSize:
		return "the Secret is larger than the API server takes"
	case CodeRemains:
		return "a token, a ciphertext or a mask is left"
	case CodeLeak:
		return "a decrypted value stands here in the open as well: it is in the repository in plaintext"
	}
	return string(c)
}

// Error is about one file or one final object. Key is an RFC 6901 pointer: in the
// file, or in the object where there is one. Source names the value that leaks.
type Error struct {
	File   string
	Object *finding.Object
	Key    string
	Source string
	Code   Code
}

// Error gives the place, the words and the code.
func (e *Error) Error() string {
	place := e.File
	if e.Object != nil {
		place = e.Object.String()
	}
	if e.Key != "" {
		place += " " + e.Key
	}
	if e.Source != "" {
		place += " (" + e.Source + ")"
	}
	if place != "" {
		place += ": "
	}
	return fmt.Sprintf("%s%s [%s]", place, e.Code.String(), string(e.Code))
}

// RefusedError means that a check failed before any key was touched.
type RefusedError struct{ Findings []finding.Finding }

// Error names the first finding, whose message quotes no value.
func (e *RefusedError) Error() string {
	f := e.Findings[0]
	text := fmt.Sprintf("refused: %s: %s [%s]", f.Location, f.Message, f.Rule)
	if more := len(e.Findings) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
