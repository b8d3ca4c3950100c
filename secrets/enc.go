package secrets

import (
	"encoding/base64"
	"strings"
)

// encPrefix starts every value that sops encrypted.
const encPrefix = "ENC[AES256_GCM,"

// Sizes that sops always writes (aes/cipher.go: nonceSize, GCM's tag).
const (
	ivSize  = 32
	tagSize = 16
)

// A ciphertext is one sops value, taken apart. Its grammar is strict where sops
// is lax: sops takes the longest match of ".+" between the commas and ignores
// what follows the bracket.
//
//	ENC[AES256_GCM,data:<base64>,iv:<32 bytes>,tag:<16 bytes>,type:<type>]
//
// The type says what the plaintext is: str, int, float, bool, bytes, time or
// comment. It is not covered by sops' additional data, so anyone can change it.
type ciphertext struct {
	kind    string
	iv, tag []byte
}

// isEnc reports whether text claims to be encrypted. parseEnc says if it is.
func isEnc(text string) bool { return strings.HasPrefix(text, "ENC[AES256_GCM") }

// parseEnc takes a sops value apart. The reason is empty when the grammar holds,
// and never quotes the text otherwise.
func parseEnc(text string) (c ciphertext, reason string) {
	rest, ok := strings.CutPrefix(text, encPrefix)
	if !ok {
		return c, "it does not start with " + encPrefix
	}
	rest, ok = strings.CutSuffix(rest, "]")
	if !ok {
		return c, "it does not end with a bracket"
	}
	fields := strings.Split(rest, ",")
	names := []string{"data:", "iv:", "tag:", "type:"}
	if len(fields) != len(names) {
		return c, "it does not have the fields data, iv, tag and type"
	}
	for i, name := range names {
		if fields[i], ok = strings.CutPrefix(fields[i], name); !ok {
			return c, "it does not have the fields data, iv, tag and type"
		}
	}
	return parseFields(fields)
}

func parseFields(fields []string) (c ciphertext, reason string) {
	data, ok := strictBase64(fields[0])
	if !ok || len(data) == 0 {
		return c, "its data is not base64"
	}
	if c.iv, ok = strictBase64(fields[1]); !ok || len(c.iv) != ivSize {
		return c, "its iv is not 32 bytes of base64"
	}
	if c.tag, ok = strictBase64(fields[2]); !ok || len(c.tag) != tagSize {
		return c, "its tag is not 16 bytes of base64"
	}
	switch fields[3] {
	case "str", "int", "float", "bool", "bytes", "time", "comment":
		c.kind = fields[3]
		return c, ""
	}
	return c, "its type is none that sops writes"
}

// strictBase64 decodes padded standard base64 and refuses line breaks and
// trailing bits, which the standard decoder lets pass.
func strictBase64(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	out, err := base64.StdEncoding.Strict().DecodeString(text)
	return out, err == nil
}
