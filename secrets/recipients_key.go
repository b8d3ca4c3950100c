package secrets

import (
	"net/url"
	"regexp"
	"strings"
)

// isAge reports whether a kind of key is age's.
func isAge(kind RecipientKind) bool {
	switch kind {
	case AgeX25519, AgeHybrid, AgeSSH, AgePlugin:
		return true
	}
	return false
}

// keyType is what a configuration calls the kind of a key; "" where it need not
// be named.
func keyType(r Recipient) string {
	switch r.Kind {
	case unknownKind, AgeX25519, AgeHybrid:
		return ""
	case AgePlugin:
		return string(AgePlugin) + ":" + pluginName(r.ID)
	}
	return string(r.Kind)
}

// pluginName is the NAME of a recipient age1NAME1….
func pluginName(id string) string {
	hrp, _, _ := parseBech32(id)
	return strings.TrimPrefix(hrp, "age1")
}

// sameKey compares a recipient of a creation rule with one of a file, as far as
// sops keeps the one in the other.
func sameKey(rule, file Recipient) bool {
	if rule.Kind != file.Kind {
		return false
	}
	a, b := canonical(rule), canonical(file)
	switch rule.Kind {
	case PGP: // short ids name the same key
		return len(a) >= minFingerprint && len(b) >= minFingerprint && (strings.HasSuffix(a, b) || strings.HasSuffix(b, a))
	case AzureKV, Vault: // the rule may leave the version open
		return a == b || strings.HasPrefix(b, strings.TrimSuffix(a, "/")+"/")
	}
	return a == b
}

// minFingerprint is the shortest id of a PGP key that is compared: 64 bits.
const minFingerprint = 16

// canonical is an identity without what sops drops.
func canonical(r Recipient) string {
	id := strings.TrimSpace(r.ID)
	switch r.Kind {
	case AgeSSH:
		if fields := strings.Fields(id); len(fields) > 1 {
			return fields[0] + " " + fields[1] // a comment may follow
		}
	case PGP:
		return strings.ToUpper(strings.ReplaceAll(id, " ", ""))
	case AWSKMS:
		id, _, _ = strings.Cut(strings.ReplaceAll(id, " ", ""), "+arn:") // a role
	case GCPKMS:
		return strings.ReplaceAll(id, " ", "")
	}
	return id
}

// plainName fits what may be shown of a key's address.
var plainName = regexp.MustCompile(`^[\w.:@-]{1,64}$`)

// shortID names a recipient in a message. What stands where a recipient belongs
// may be a pasted private key, so nothing malformed is shown.
func shortID(r Recipient) string {
	id := canonical(r)
	switch r.Kind {
	case AgeX25519, AgeHybrid, AgePlugin:
		return id[:min(len(id), 12)] + "…" + id[max(0, len(id)-6):]
	case AgeSSH:
		return id[:strings.IndexByte(id, ' ')] + " …" + id[max(0, len(id)-8):]
	case PGP:
		if fingerprintPattern.MatchString(id) {
			return "PGP …" + id[max(0, len(id)-minFingerprint):]
		}
	case AWSKMS, GCPKMS, HuaweiKMS:
		if name := id[strings.LastIndexByte(id, '/')+1:]; plainName.MatchString(name) {
			return string(r.Kind) + " …" + name
		}
	case AzureKV, Vault:
		if u, err := url.Parse(id); err == nil && plainName.MatchString(u.Host) {
			return string(r.Kind) + " " + u.Host
		}
	}
	return string(r.Kind) + " key"
}
