package decrypt

import (
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// maxIdentities is the largest identity file in bytes. A post-quantum identity
// takes 80, an RSA key of 16384 bits 13,000.
const maxIdentities = 64 << 10

// Identities are age identities in memory. They print as dots; nil has none.
type Identities struct {
	opaque
	all func() []age.Identity
}

// ParseIdentities reads an age identity file: X25519 (AGE-SECRET-KEY-1…) and
// post-quantum (AGE-SECRET-KEY-PQ-1…) identities, one in each line, with blank
// lines and comments between them, and unencrypted ssh-ed25519 and ssh-rsa keys
// in PEM. Identities of plugins, which run a program, and files that need a
// passphrase are refused. The error says name, line and reason, nothing of the line.
func ParseIdentities(name string, data []byte) (*Identities, error) {
	if len(data) > maxIdentities {
		return nil, fmt.Errorf("%s: is larger than an identity file can be", name)
	}
	var all []age.Identity
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		first := i + 1
		if strings.HasPrefix(line, "-----BEGIN ") {
			for i+1 < len(lines) && !strings.HasPrefix(lines[i], "-----END ") {
				i++
			}
			line = strings.Join(lines[first-1:i+1], "\n")
		}
		identity, reason := parseIdentity(line)
		if reason != "" {
			return nil, fmt.Errorf("%s:%d: %s", name, first, reason)
		}
		all = append(all, identity)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: holds no identity", name)
	}
	return &Identities{all: func() []age.Identity { return all }}, nil
}

func parseIdentity(text string) (identity age.Identity, reason string) {
	var err error
	switch {
	case strings.HasPrefix(text, "AGE-SECRET-KEY-PQ-1"):
		identity, err = age.ParseHybridIdentity(text)
	case strings.HasPrefix(text, "AGE-SECRET-KEY-1"):
		identity, err = age.ParseX25519Identity(text)
	case strings.HasPrefix(text, "AGE-PLUGIN-"):
		return nil, "is the identity of a plugin, which would run a program"
	case strings.HasPrefix(text, "age-encryption.org/"), strings.HasPrefix(text, "-----BEGIN AGE ENCRYPTED FILE-----"):
		return nil, "is encrypted itself: give the identity without a passphrase"
	case strings.HasPrefix(text, "-----BEGIN "):
		identity, err = agessh.ParseIdentity([]byte(text + "\n"))
	default:
		return nil, "is no age identity"
	}
	if err != nil {
		return nil, "is no identity that can be read without a passphrase"
	}
	return identity, ""
}

// Join returns the identities of several files.
func Join(sets ...*Identities) *Identities {
	var all []age.Identity
	for _, s := range sets {
		all = append(all, s.list()...)
	}
	return &Identities{all: func() []age.Identity { return all }}
}

func (i *Identities) list() []age.Identity {
	if i == nil || i.all == nil {
		return nil
	}
	return i.all()
}

func (i *Identities) none() bool { return len(i.list()) == 0 }
