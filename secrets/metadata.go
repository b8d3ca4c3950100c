package secrets

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
)

// Metadata is the sops block of one document.
//
// It is decoded tolerantly, so that as much as possible can be judged; what is
// wrong with it becomes secret-metadata findings. Nothing in it is covered by
// the MAC: anybody who can edit the file can edit it.
type Metadata struct {
	Recipients       []Recipient
	LastModified     time.Time // zero where missing or malformed
	Version          string
	MACOnlyEncrypted bool
	Selection        Selection
	Span             finding.Span // of the key sops
}

// keyLists are the fields that hold recipients, with the field that names the
// key. sops reads them in the block itself and in the groups of key_groups.
var keyLists = []struct {
	field, id string
	kind      RecipientKind
}{
	{"age", "recipient", unknownKind},
	{"pgp", "fp", PGP},
	{"kms", "arn", AWSKMS},
	{"gcp_kms", "resource_id", GCPKMS},
	{"azure_kv", "vault_url", AzureKV},
	{"hc_vault", "vault_address", Vault},
	{"hckms", "key_id", HuaweiKMS},
}

// isMetadata reports whether a value under the key sops is sops' block, and not
// an application's setting of that name.
func isMetadata(n *yaml.Node) bool {
	if n = deref(n); n.Kind != yaml.MappingNode {
		return false
	}
	for _, name := range []string{"mac", "lastmodified", "key_groups"} {
		if get(n, name) != nil {
			return true
		}
	}
	for _, list := range keyLists {
		if v := get(n, list.field); v != nil && deref(v).Kind == yaml.SequenceNode {
			return true
		}
	}
	return false
}

// A problem is something wrong with a sops file, at one place.
type problem struct {
	span    finding.Span
	message string
}

// decoder reads one sops block. span places its nodes, which come from YAML,
// from JSON or from the flat keys of a dotenv or ini file.
type decoder struct {
	span     func(*yaml.Node) finding.Span
	meta     Metadata
	problems []problem
}

func (d *decoder) fail(n *yaml.Node, message string) {
	d.problems = append(d.problems, problem{d.span(n), message})
}

var versionPattern = regexp.MustCompile(`^\d+\.\d+\.\d+`)

// decodeMetadata reads the block under key.
func decodeMetadata(key, block *yaml.Node, span func(*yaml.Node) finding.Span) (Metadata, []problem) {
	d := &decoder{span: span, meta: Metadata{Span: span(key)}}
	block = deref(block)
	d.mac(key, get(block, "mac"))
	d.lastModified(key, get(block, "lastmodified"))
	if version := get(block, "version"); version == nil {
		d.fail(key, "the sops block has no version")
	} else if d.meta.Version = deref(version).Value; !versionPattern.MatchString(d.meta.Version) {
		d.fail(version, "the version of the sops block is malformed")
	}
	if n := get(block, "mac_only_encrypted"); n != nil {
		d.meta.MACOnlyEncrypted = deref(n).Value == "true"
	}
	d.selection(key, block)
	d.recipients(key, block)
	return d.meta, d.problems
}

func (d *decoder) mac(key, n *yaml.Node) {
	if n == nil {
		d.fail(key, "the sops block has no mac: a changed value would go unnoticed")
		return
	}
	if c, reason := parseEnc(deref(n).Value); reason != "" {
		d.fail(n, "the mac of the sops block is malformed: "+reason)
	} else if c.kind != "str" {
		d.fail(n, "the mac of the sops block is not of type str")
	}
}

func (d *decoder) lastModified(key, n *yaml.Node) {
	if n == nil {
		d.fail(key, "the sops block has no lastmodified")
		return
	}
	at, err := time.Parse(time.RFC3339, deref(n).Value)
	if err != nil {
		d.fail(n, "the lastmodified of the sops block is no RFC 3339 time")
		return
	}
	d.meta.LastModified = at
}

// recipients reads the groups of key_groups only where the block itself has
// none, as sops does.
func (d *decoder) recipients(key, block *yaml.Node) {
	if d.group(block, 0); len(d.meta.Recipients) > 0 {
		return
	}
	if groups := get(block, "key_groups"); groups != nil {
		for i, group := range deref(groups).Content {
			d.group(deref(group), i)
		}
	}
	if len(d.meta.Recipients) == 0 {
		d.fail(key, "the sops block has no recipient: nobody could open the file")
	}
}

func (d *decoder) group(n *yaml.Node, group int) {
	for _, list := range keyLists {
		entries := get(n, list.field)
		if entries == nil {
			continue
		}
		if entries = deref(entries); entries.Kind != yaml.SequenceNode {
			if entries.Tag != "!!null" {
				d.fail(entries, "the "+list.field+" keys of the sops block are no list")
			}
			continue
		}
		for _, entry := range entries.Content {
			d.recipient(deref(entry), list.field, list.id, list.kind, group)
		}
	}
}

func (d *decoder) recipient(entry *yaml.Node, field, idField string, kind RecipientKind, group int) {
	id, enc := get(entry, idField), get(entry, "enc")
	if id == nil || enc == nil || deref(id).Value == "" || deref(enc).Value == "" {
		d.fail(entry, "an entry under "+field+" lacks "+idField+" or enc")
		return
	}
	r := Recipient{Kind: kind, ID: strings.TrimSpace(deref(id).Value), Group: group, Span: d.span(id)}
	switch field {
	case "age":
		if r.Kind = parseAgeRecipient(r.ID); r.Kind == unknownKind {
			d.fail(id, "an age recipient is malformed")
		} else if reason := checkAgeEnc(r.Kind, deref(enc).Value); reason != "" {
			d.fail(enc, "the enc of an age recipient "+reason)
		}
	case "pgp":
		if !fingerprintPattern.MatchString(r.ID) {
			d.fail(id, "a PGP fingerprint is malformed")
		} else if !strings.HasPrefix(deref(enc).Value, "-----BEGIN PGP MESSAGE-----") {
			d.fail(enc, "the enc of a PGP recipient is no armored message")
		}
	}
	d.meta.Recipients = append(d.meta.Recipients, r)
}

// fingerprintPattern takes fingerprints of version 4 and 5 keys and the long key
// ids that older files hold, with spaces as gpg prints them.
var fingerprintPattern = regexp.MustCompile(`^(?:[0-9A-Fa-f] ?){16,64}$`)
