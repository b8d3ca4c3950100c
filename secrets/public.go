package secrets

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
)

// isPublic reports whether a value of a Secret is made to be public: nothing but
// certificates, certificate requests, revocation lists and public keys in PEM. A
// ca.crt in a Secret is no secret, and neither is the identity under BindKey.
func isPublic(field, text string) bool {
	if field == "data" {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return false
		}
		text = string(decoded)
	}
	if isIdentity(text) {
		return true
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ") {
		return false
	}
	rest := []byte(strings.TrimSpace(text) + "\n")
	for len(rest) > 0 {
		if !strings.HasPrefix(string(rest), "-----BEGIN ") {
			return false
		}
		block, after := pem.Decode(rest)
		if block == nil || len(block.Headers) > 0 || len(block.Bytes) == 0 || block.Bytes[0] != derSequence {
			return false
		}
		if strings.Count(string(rest[:len(rest)-len(after)]), "-----BEGIN ") != 1 {
			return false // the decoder stepped over a block that is none
		}
		switch block.Type {
		case "CERTIFICATE", "TRUSTED CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "X509 CRL", "PUBLIC KEY", "RSA PUBLIC KEY":
		default:
			return false
		}
		rest = []byte(strings.TrimLeft(string(after), " \t\r\n"))
	}
	return true
}
