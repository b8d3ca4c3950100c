package secrets

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/source"
)

// What follows is for whoever puts the real values in: secrets/decrypt. It reads
// a file with sops' own parser, makes the token of each value it finds, and so
// only sets values about whose place both parsers agree.

// SealedToken is the token that stands for an encrypted value: in the document
// doc of a file (those without content do not count), under the keys and list
// indexes of tokens. A dotenv file has one document.
func SealedToken(file string, doc int, tokens []string, ciphertext string) string {
	return sealedToken(file, place(doc, source.Pointer(tokens...)), ciphertext)
}

// SealedFileToken is the token that stands for an encrypted file as a whole.
func SealedFileToken(file string, data []byte) string {
	return sealedToken(file, "", string(data))
}

// WholeToken returns the token of an encrypted value that a text is, as it is or
// encoded in base64, which kustomize breaks into lines.
func WholeToken(text string) (token string, encoded, ok bool) {
	if isSealedToken(text) {
		return text, false, true
	}
	if len(text) > maxWrapped {
		return "", false, false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(strings.ReplaceAll(text, "\n", ""))
	if err != nil || !isSealedToken(string(decoded)) {
		return "", false, false
	}
	return string(decoded), true, true
}

func isSealedToken(text string) bool {
	return len(text) == tokenSize && strings.HasPrefix(text, sealedPrefix) && tokenPattern.MatchString(text)
}

// TokenFiles returns the file behind each token of an encrypted value that a
// target may hold: of the files that it read, and no others.
func (s *Sealed) TokenFiles(r *render.Rendered) (map[string]string, error) {
	files := map[string]string{}
	for _, path := range r.Reads.Files {
		_, sh, err := s.read(path)
		if err != nil {
			return nil, err
		}
		if sh == nil {
			continue
		}
		for _, v := range sh.values {
			if v.encrypted && v.token != "" {
				files[v.token] = v.file
			}
		}
	}
	return files, nil
}

// IsSealed reports whether a text still holds what sealing or sops put into the
// place of a value: a token, the beginning of one, a ciphertext, the dots of a mask.
func IsSealed(text string) bool {
	for _, mark := range []string{sealedPrefix, plainPrefix, encPrefix, dots} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}

// IsPublic reports whether a value of a Secret is made to be public: nothing but
// certificates and public keys in PEM, or an identity for [BindKey].
func IsPublic(text string) bool { return isPublic("stringData", text) }

// ErrNotEncrypted says that a file is none that sops encrypted, or that it must
// not be read.
var ErrNotEncrypted = errors.New("is not an encrypted file that can be read")

// Ciphertext returns an encrypted file as it is in the repository, and its format
// as the seal took it. The error wraps [ErrNotEncrypted], or is the tree's.
func (s *Sealed) Ciphertext(path string) ([]byte, Format, error) {
	data, sh, err := s.read(path)
	if err != nil {
		return nil, "", err
	}
	if sh == nil || sh.refused != nil || sh.format == "" {
		return nil, "", ErrNotEncrypted
	}
	return data, sh.format, nil
}
