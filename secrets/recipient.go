package secrets

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// RecipientKind is what kind of key can open a file.
type RecipientKind string

// The kinds of recipients that sops knows, age's told apart.
const (
	AgeX25519   RecipientKind = "age"        // age1…
	AgeHybrid   RecipientKind = "age-pq"     // age1pq1…, ML-KEM-768 with X25519
	AgeSSH      RecipientKind = "age-ssh"    // ssh-ed25519 …, ssh-rsa …
	AgePlugin   RecipientKind = "age-plugin" // age1name1…: using it runs a program
	PGP         RecipientKind = "pgp"
	AWSKMS      RecipientKind = "kms"
	GCPKMS      RecipientKind = "gcp_kms"
	AzureKV     RecipientKind = "azure_kv"
	Vault       RecipientKind = "hc_vault"
	HuaweiKMS   RecipientKind = "hckms"
	unknownKind RecipientKind = ""
)

// Recipient is one key that can open a file. ID is the public identity: the age
// recipient, the PGP fingerprint, the ARN or the address of the key. Group
// counts the key groups of a file from 0; nearly all files have one.
type Recipient struct {
	Kind  RecipientKind
	ID    string
	Group int
	Span  finding.Span
}

// Sizes of public keys in bytes, as age writes them.
const (
	x25519Size = 32
	hybridSize = 1184 + x25519Size // an ML-KEM-768 encapsulation key first
)

// parseAgeRecipient tells the kind of an age recipient. It is unknownKind where
// the recipient is malformed, its checksum included.
func parseAgeRecipient(id string) RecipientKind {
	if kind, rest, ok := strings.Cut(id, " "); ok {
		return parseSSHRecipient(kind, rest)
	}
	hrp, size, ok := parseBech32(id)
	switch {
	case !ok || id != strings.ToLower(id):
		return unknownKind
	case hrp == "age" && size == x25519Size:
		return AgeX25519
	case hrp == "age1pq" && size == hybridSize:
		return AgeHybrid
	case strings.HasPrefix(hrp, "age1") && hrp != "age1" && hrp != "age1pq" && size > 0:
		return AgePlugin
	}
	return unknownKind
}

// parseSSHRecipient checks that the key's own encoding names the same algorithm
// (RFC 4253 section 6.6).
func parseSSHRecipient(algorithm, rest string) RecipientKind {
	if algorithm != "ssh-ed25519" && algorithm != "ssh-rsa" {
		return unknownKind
	}
	encoded, _, _ := strings.Cut(rest, " ") // a comment may follow
	key, err := base64.StdEncoding.DecodeString(encoded)
	head := append([]byte{0, 0, 0, byte(len(algorithm))}, algorithm...)
	if err != nil || len(key) <= len(head) || !bytes.HasPrefix(key, head) {
		return unknownKind
	}
	return AgeSSH
}
