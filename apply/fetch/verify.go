package fetch

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// What must carry a signature.
const (
	RequireCommit = "commit"
	RequireTag    = "tag"
	RequireEither = "either"
)

// Verify asks for a signature by one of the named keys. The zero value asks for
// none. A key counts as it is today: a commit by a key that has expired or was
// taken out since is refused, since the time in a commit is chosen by whoever
// makes it.
type Verify struct {
	// Require is what must be signed: the commit, the annotated tag that Ref
	// names, or one of them. Empty is the commit where keys are given.
	Require string
	// GPGKeyringFiles hold OpenPGP public keys, armoured or not.
	GPGKeyringFiles []string
	// AllowedSignersFile holds SSH public keys (ssh-keygen(1), ALLOWED SIGNERS).
	// cert-authority lines are refused.
	AllowedSignersFile string
}

// verifier holds the keys of one run.
type verifier struct {
	require string
	now     time.Time
	gpg     openpgp.EntityList
	ssh     []allowedSigner
}

func newVerifier(o Verify, now func() time.Time) (*verifier, error) {
	v := &verifier{require: o.Require, now: now()}
	keys := len(o.GPGKeyringFiles) > 0 || o.AllowedSignersFile != ""
	switch o.Require {
	case "":
		if !keys {
			return v, nil
		}
		v.require = RequireCommit
	case RequireCommit, RequireTag, RequireEither:
		if !keys {
			return nil, fmt.Errorf("%w: a signature is required, and no key is given that may make it", ErrSignature)
		}
	default:
		return nil, fmt.Errorf("%w: what must be signed is %s, %s or %s", ErrSignature, RequireCommit, RequireTag, RequireEither)
	}
	for _, name := range o.GPGKeyringFiles {
		found, err := readKeyring(name)
		if err != nil {
			return nil, err
		}
		v.gpg = append(v.gpg, found...)
	}
	if o.AllowedSignersFile == "" {
		return v, nil
	}
	data, err := readCredential("allowed signers file", o.AllowedSignersFile)
	if err == nil {
		v.ssh, err = parseAllowedSigners(o.AllowedSignersFile, data)
	}
	return v, err
}

// verify returns who signed what has to be signed.
func (v *verifier) verify(want wanted, t *tag, c *commit) (signer string, err error) {
	switch v.require {
	case "":
		return "", nil
	case RequireCommit:
		return v.commit(c)
	case RequireTag:
		return v.tag(want, t)
	}
	if signer, err = v.tag(want, t); err == nil {
		return signer, nil
	}
	signer, commitErr := v.commit(c)
	if commitErr != nil && t != nil {
		return "", fmt.Errorf("%w; and %w", err, commitErr)
	}
	return signer, commitErr
}

func (v *verifier) commit(c *commit) (string, error) {
	signer, err := v.signature(c.signed)
	if err != nil {
		return "", fmt.Errorf("%w: commit %s %w", ErrSignature, c.id, err)
	}
	return signer, nil
}

// tag checks the tag that the reference names. Its name is part of what is
// signed: a signed tag that is pushed under another name says nothing about it.
func (v *verifier) tag(want wanted, t *tag) (string, error) {
	if t == nil {
		return "", fmt.Errorf("%w: %s is no annotated tag: make one with git tag -s, and name it", ErrSignature, want)
	}
	if t.kind != "commit" {
		return "", fmt.Errorf("%w: tag %q is of a %s, not of a commit", ErrSignature, t.name, t.kind)
	}
	if want.name != "" && want.name != tagPrefix+t.name {
		return "", fmt.Errorf("%w: %s is the tag %q under another name", ErrSignature, want.name, t.name)
	}
	signer, err := v.signature(t.signed)
	if err != nil {
		return "", fmt.Errorf("%w: tag %s %w", ErrSignature, t.name, err)
	}
	return signer, nil
}

func (w wanted) String() string {
	if w.name != "" {
		return w.name
	}
	return w.hash.String()
}

// signature judges one signature. Its errors continue "commit X ".
func (v *verifier) signature(s signed) (string, error) {
	text := strings.TrimSpace(string(s.signature))
	switch {
	case text == "":
		return "", fmt.Errorf("is not signed: sign it with git commit -S or git tag -s, by a key that is allowed")
	case strings.HasPrefix(text, "-----BEGIN SSH SIGNATURE-----"):
		return v.bySSH(s)
	case strings.HasPrefix(text, "-----BEGIN PGP SIGNATURE-----"):
		return v.byGPG(s)
	}
	return "", fmt.Errorf("has a signature that is neither OpenPGP's nor SSH's")
}

func (s signed) text() *bytes.Reader { return bytes.NewReader(s.payload) }
