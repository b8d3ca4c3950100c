package secrets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// A token stands for one secret value in everything behind the seal. It is 64
// characters of the base64 alphabet, so it is valid in data and in stringData,
// in .env files and on a command line, and it is no YAML number, boolean or
// timestamp.
const (
	sealedPrefix = "sopsTok0" // an encrypted value
	plainPrefix  = "plainTok" // a plaintext value where a secret belongs
	tokenSize    = 64
	tokenDigits  = tokenSize - len(sealedPrefix)
)

var tokenPattern = regexp.MustCompile(`(?:sopsTok0|plainTok)[0-9a-f]{56}`)

// plantedToken returns where data holds text in the form of a token, or -1. Only
// sealing writes tokens: whoever plants one wants another file's secret.
func plantedToken(data []byte) int {
	if !bytes.Contains(data, []byte(sealedPrefix)) && !bytes.Contains(data, []byte(plainPrefix)) {
		return -1
	}
	if at := tokenPattern.FindIndex(data); at != nil {
		return at[0]
	}
	return -1
}

// sealedToken names an encrypted value. The ciphertext is part of the name, so a
// hash suffix changes when, and only when, the ciphertext changes.
func sealedToken(file, path, enc string) string {
	return sealedPrefix + digits(file, path, enc)
}

// plainToken names a plaintext value by its place alone: a digest of the value
// would let anyone test guesses of it.
func plainToken(file, path string) string {
	return plainPrefix + digits(file, path)
}

func digits(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:tokenDigits]
}

// Placeholders for encrypted and plaintext values that are not strings. They
// have the value's type and nothing of the value.
const (
	placeholderInt   = "1"
	placeholderFloat = "1.5"
	placeholderBool  = "true"
	placeholderTime  = "2000-01-01T00:00:00Z"
)

// placeholder returns what stands for a value of a sops type, "" for the types
// that a token can stand for.
func placeholder(kind string) string {
	switch kind {
	case "int":
		return placeholderInt
	case "float":
		return placeholderFloat
	case "bool":
		return placeholderBool
	case "time":
		return placeholderTime
	}
	return ""
}
