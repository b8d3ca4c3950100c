package secrets

import (
	"bytes"
	"encoding/base64"
	"regexp"
)

var (
	pemStart = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY( BLOCK)?-----`)
	pemEnd   = []byte("-----END ")
	// pemHeader is a line such as "Proc-Type: 4,ENCRYPTED" or PGP's "Version: 2".
	pemHeader = regexp.MustCompile(`(?m)^[ \t]*[A-Za-z-]+: .*$`)
)

const (
	derSequence = 0x30
	// minKey is the size in bytes of the smallest real key, an Ed25519 key in
	// PKCS #8.
	minKey = 48
	// maxKey bounds how far the end of a block is looked for: an RSA key of
	// 16,384 bits takes 13 KB, a PGP key ring with photographs some more.
	maxKey = 1 << 18
)

// scanPEM finds private keys in PEM, also indented, or with \n for line breaks
// as in JSON. What is between the lines must be a key: an example that says
// "MIIE..." or ends early is none.
func scanPEM(data []byte) []hit {
	var out []hit
	starts := pemStart.FindAllIndex(data, -1)
	for i, at := range starts {
		stop := min(at[1]+maxKey, len(data))
		if i+1 < len(starts) {
			stop = min(stop, starts[i+1][0])
		}
		length := bytes.Index(data[at[1]:stop], pemEnd)
		if length < 0 {
			continue
		}
		if !isKey(data[at[1] : at[1]+length]) {
			continue
		}
		end := at[1] + length + len(pemEnd)
		if close := bytes.Index(data[end:min(end+128, len(data))], []byte("-----")); close >= 0 {
			end += close + len("-----")
		}
		out = append(out, hit{extent{at[0], end}, ruleKey, "a private key is committed"})
	}
	return out
}

// isKey reports whether the body of a PEM block decodes to a key.
func isKey(body []byte) bool {
	body = bytes.ReplaceAll(body, []byte(`\r`), nil)
	body = bytes.ReplaceAll(body, []byte(`\n`), []byte("\n"))
	encrypted := bytes.Contains(body, []byte("ENCRYPTED"))
	body = pemHeader.ReplaceAll(body, nil)
	body = bytes.Join(bytes.Fields(body), nil)
	if sum := bytes.LastIndexByte(body, '='); sum >= 0 && len(body)-sum == 5 {
		body = body[:sum] // PGP's checksum, "=abcd"
	}
	key, err := base64.RawStdEncoding.DecodeString(string(bytes.TrimRight(body, "=")))
	if err != nil || len(key) < minKey {
		return false
	}
	switch {
	case encrypted, bytes.HasPrefix(key, []byte("openssh-key-v1\x00")):
		return true
	case key[0] == derSequence:
		return derSize(key) <= len(key)
	}
	return key[0]&0x80 != 0 // a PGP packet (RFC 9580 section 4.2)
}

// derSize is how long the DER value says that it is, header included.
func derSize(der []byte) int {
	if der[1] < 0x80 {
		return 2 + int(der[1])
	}
	n := int(der[1] & 0x7f)
	if n > 4 {
		return 1 << 62
	}
	size := 0
	for _, c := range der[2 : 2+n] {
		size = size<<8 | int(c)
	}
	return 2 + n + size
}
