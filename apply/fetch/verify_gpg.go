package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const keyBlock = "-----BEGIN PGP PUBLIC KEY BLOCK-----"

// readKeyring reads public keys: armoured blocks, any number of them, or the
// binary form.
func readKeyring(name string) (openpgp.EntityList, error) {
	data, err := readCredential("keyring file", name)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(data, []byte("PRIVATE KEY BLOCK")) {
		return nil, fmt.Errorf("%w: keyring file %s holds a private key: export the public ones only, and take it away", ErrCredentials, name)
	}
	var keys openpgp.EntityList
	if !bytes.Contains(data, []byte(keyBlock)) {
		keys, err = openpgp.ReadKeyRing(bytes.NewReader(data))
	}
	for rest := string(data); err == nil && strings.Contains(rest, keyBlock); {
		var found openpgp.EntityList
		rest = rest[strings.Index(rest, keyBlock):]
		found, err = openpgp.ReadArmoredKeyRing(strings.NewReader(rest))
		keys, rest = append(keys, found...), rest[len(keyBlock):]
	}
	if err != nil || len(keys) == 0 {
		return nil, fmt.Errorf("%w: keyring file %s holds no OpenPGP public key that can be read", ErrCredentials, name)
	}
	return keys, nil
}

// byGPG checks a signature by OpenPGP. Its errors continue "commit X ".
func (v *verifier) byGPG(s signed) (string, error) {
	id := issuer(s.signature)
	config := &packet.Config{Time: func() time.Time { return v.now }}
	entity, err := openpgp.CheckArmoredDetachedSignature(v.gpg, s.text(), bytes.NewReader(s.signature), config)
	switch {
	case err == nil:
		return fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint), nil
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return "", fmt.Errorf("is signed by the OpenPGP key %s, which is in no keyring: add it if its owner may sign", id)
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return "", fmt.Errorf("is signed by the OpenPGP key %s, which has expired: have its owner extend it and export it again", id)
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return "", fmt.Errorf("is signed by the OpenPGP key %s, which is revoked: sign anew with another", id)
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return "", fmt.Errorf("has a signature by the OpenPGP key %s that has expired: sign anew", id)
	}
	return "", fmt.Errorf("has a signature by the OpenPGP key %s that is not valid: the text was changed, or the key is unfit for signing", id)
}

// issuer returns the id of the key that claims to have signed.
func issuer(signature []byte) string {
	block, err := armor.Decode(bytes.NewReader(signature))
	if err != nil {
		return "of an unknown id"
	}
	p, err := packet.NewReader(block.Body).Next()
	sig, ok := p.(*packet.Signature)
	switch {
	case err != nil || !ok:
	case len(sig.IssuerFingerprint) > 0:
		return fmt.Sprintf("%X", sig.IssuerFingerprint)
	case sig.IssuerKeyId != nil:
		return fmt.Sprintf("%016X", *sig.IssuerKeyId)
	}
	return "of an unknown id"
}
