package fleet

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// recipient is an age recipient whose identity nobody keeps.
const recipient = "age17d7w4kkl6g8gj6gg5h8lg3tykrgfk2nz4fsr726a6njfqnjg8s4qv6mvqx"

// credentials returns the encrypted Secret of an overlay as sops 3.13.3 writes
// it for an age recipient. The form is exact to the length of every part, while
// the bytes inside are deterministic noise: nothing can decrypt it, and a gate
// that needs no key must not notice. Running sops a thousand times would take
// a minute, and would give other bytes each time.
func credentials(o overlay) []byte {
	n := newNoise("secret " + o.Namespace)
	var b bytes.Buffer
	fmt.Fprintf(&b, `apiVersion: v1
kind: Secret
metadata:
    name: %s-credentials
type: Opaque
stringData:
    DATABASE_URL: %s
    DATABASE_PASSWORD: %s
    API_TOKEN: %s
sops:
    age:
        - enc: |
%s          recipient: %s
    encrypted_regex: ^(data|stringData)$
    lastmodified: "2026-01-01T00:00:00Z"
    mac: %s
    version: 3.13.3
`, o.App, n.sealed(64), n.sealed(32), n.sealed(40), n.ageFile("            "), recipient, n.sealed(128))
	return b.Bytes()
}

// noise gives bytes that look random and depend on a name only.
type noise struct{ r *rand.ChaCha8 }

func newNoise(name string) noise {
	return noise{rand.NewChaCha8(sha256.Sum256([]byte(name)))}
}

func (n noise) bytes(size int) []byte {
	b := make([]byte, size)
	_, _ = n.r.Read(b) // never fails, as documented
	return b
}

// sealed returns what sops puts in place of a string of size bytes: AES-GCM
// keeps the length, sops takes an IV of 32 bytes, the tag has 16.
func (n noise) sealed(size int) string {
	enc := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]", enc(n.bytes(size)), enc(n.bytes(32)), enc(n.bytes(16)))
}

// ageFile returns an armored age file (age-encryption.org/v1) with one X25519
// stanza that wraps a data key of 32 bytes. Each line is indented.
func (n noise) ageFile(indent string) string {
	raw := base64.RawStdEncoding.EncodeToString
	file := fmt.Sprintf("age-encryption.org/v1\n-> X25519 %s\n%s\n--- %s\n", raw(n.bytes(32)), raw(n.bytes(32)), raw(n.bytes(32)))
	const nonce, dataKey, tag = 16, 32, 16
	body := base64.StdEncoding.EncodeToString(append([]byte(file), n.bytes(nonce+dataKey+tag)...))
	var b strings.Builder
	line := func(s string) { b.WriteString(indent + s + "\n") }
	line("-----BEGIN AGE ENCRYPTED FILE-----")
	const width = 64 // RFC 7468
	for ; len(body) > width; body = body[width:] {
		line(body[:width])
	}
	line(body)
	line("-----END AGE ENCRYPTED FILE-----")
	return b.String()
}
