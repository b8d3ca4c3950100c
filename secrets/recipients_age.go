package secrets

import (
	"bytes"
	"encoding/base64"
	"strings"
)

const (
	ageArmorStart = "-----BEGIN AGE ENCRYPTED FILE-----"
	ageArmorEnd   = "-----END AGE ENCRYPTED FILE-----"
	ageVersion    = "age-encryption.org/v1\n"
)

// Sizes in an age file that holds a data key of sops, in bytes.
const (
	fileKeySize = 16 + 16 // the wrapped file key and its tag: the body of most stanzas
	headMACSize = 32
	// wrappedSize is a nonce of 16, the data key of 32 and its tag of 16: the
	// payload. A share of the key (Shamir) is one longer.
	wrappedSize = 16 + 32 + 16
	// minRSASize is the body of an ssh-rsa stanza for the smallest key that age
	// takes, 2048 bits.
	minRSASize = 256
)

// An ageFile is an age file without its cryptography
// (https://age-encryption.org/v1): who can open it, and how much it holds.
type ageFile struct {
	stanzas []ageStanza
	payload int // bytes, the nonce included
}

type ageStanza struct {
	args []string // the first is the type
	body []byte
}

// parseAgeFile reads an armored age file. The reason says why it is none, and is
// empty otherwise.
func parseAgeFile(text string) (f ageFile, reason string) {
	raw, ok := unarmor(text)
	if !ok {
		return f, "is no armored age file"
	}
	rest, ok := bytes.CutPrefix(raw, []byte(ageVersion))
	if !ok {
		return f, "holds no age header"
	}
	for bytes.HasPrefix(rest, []byte("-> ")) {
		var s ageStanza
		if s, rest, ok = cutStanza(rest); !ok {
			return f, "holds a malformed age header"
		}
		f.stanzas = append(f.stanzas, s)
	}
	mac, payload, ok := bytes.Cut(rest, []byte{'\n'})
	mac, isMAC := bytes.CutPrefix(mac, []byte("--- "))
	if sum, valid := rawBase64(mac); !ok || !isMAC || !valid || len(sum) != headMACSize || len(f.stanzas) == 0 {
		return f, "holds a malformed age header"
	}
	f.payload = len(payload)
	return f, ""
}

// unarmor decodes the strict PEM of age, with the line ends of any system.
func unarmor(text string) ([]byte, bool) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	body, ok := strings.CutPrefix(text, ageArmorStart+"\n")
	if !ok {
		return nil, false
	}
	if body, ok = strings.CutSuffix(body, "\n"+ageArmorEnd); !ok {
		return nil, false
	}
	return strictBase64(strings.ReplaceAll(body, "\n", ""))
}

// stanzaLine is how long the lines of a stanza's body are; a shorter one, which
// may be empty, is the last.
const stanzaLine = 64

// cutStanza reads the stanza that data starts with.
func cutStanza(data []byte) (s ageStanza, rest []byte, ok bool) {
	head, rest, ok := bytes.Cut(data[len("-> "):], []byte{'\n'})
	if !ok {
		return s, nil, false
	}
	s.args = strings.Split(string(head), " ")
	for _, arg := range s.args {
		if arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return r < 33 || r > 126 }) {
			return s, nil, false
		}
	}
	var body []byte
	for {
		line, after, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok || len(line) > stanzaLine {
			return s, nil, false
		}
		body, rest = append(body, line...), after
		if len(line) < stanzaLine {
			break
		}
	}
	s.body, ok = rawBase64(body)
	return s, rest, ok
}

// rawBase64 decodes base64 without padding and without trailing bits.
func rawBase64(text []byte) ([]byte, bool) {
	if bytes.ContainsAny(text, "\r\n") {
		return nil, false
	}
	out, err := base64.RawStdEncoding.Strict().DecodeString(string(text))
	return out, err == nil
}

// checkAgeEnc judges the age file that wraps the data key for a recipient. It
// returns what is wrong, or "". A recipient with garbage here survives the MAC,
// and the next rotation hands it the new data key.
func checkAgeEnc(kind RecipientKind, enc string) string {
	f, reason := parseAgeFile(enc)
	switch {
	case reason != "":
		return reason
	case f.payload != wrappedSize && f.payload != wrappedSize+1:
		return "does not wrap a data key of 32 bytes"
	case kind == AgePlugin: // which writes what it likes
		return ""
	}
	found := 0
	for _, s := range f.stanzas {
		if strings.HasSuffix(s.args[0], "-grease") { // of rage, which nobody reads
			continue
		}
		if found++; !s.fits(kind) {
			return "is not for this kind of recipient"
		}
	}
	if found != 1 {
		return "opens for another number of keys than the one that it stands beside"
	}
	return ""
}

// fits reports whether a stanza has the form that age writes for a kind.
func (s ageStanza) fits(kind RecipientKind) bool {
	switch kind {
	case AgeX25519:
		return s.is("X25519", x25519Size) && len(s.body) == fileKeySize
	case AgeHybrid:
		return s.is("mlkem768x25519", hybridShare) && len(s.body) == fileKeySize
	case AgeSSH:
		return s.is("ssh-ed25519", sshTag, x25519Size) && len(s.body) == fileKeySize ||
			s.is("ssh-rsa", sshTag) && len(s.body) >= minRSASize
	}
	return false
}

const (
	hybridShare = 1088 + x25519Size // an ML-KEM-768 ciphertext first
	sshTag      = 4                 // the start of a digest of the public key
)

// is reports whether the stanza is of a type and has arguments of these sizes.
func (s ageStanza) is(kind string, sizes ...int) bool {
	if s.args[0] != kind || len(s.args) != 1+len(sizes) {
		return false
	}
	for i, size := range sizes {
		if arg, ok := rawBase64([]byte(s.args[1+i])); !ok || len(arg) != size {
			return false
		}
	}
	return true
}
