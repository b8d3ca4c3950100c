package secrets

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// keys are the fields of a rule that name recipients: a list, or a string with
// commas between them.
func (d *creationDecoder) keys(rule *CreationRule) fields {
	add := func(kind RecipientKind) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			if n.Kind == yaml.ScalarNode {
				return d.separated(n, kind, 0, &rule.Recipients)
			}
			return d.list(n, func(n *yaml.Node) error { return d.separated(n, kind, 0, &rule.Recipients) })
		}
	}
	return fields{
		"age": add(unknownKind), "pgp": add(PGP), "kms": add(AWSKMS), "gcp_kms": add(GCPKMS),
		"azure_keyvault": add(AzureKV), "hc_vault_transit_uri": add(Vault), "hckms": add(HuaweiKMS),
	}
}

// group reads one of key_groups. Its merge field holds groups that become part
// of it.
func (d *creationDecoder) group(n *yaml.Node, number int) ([]Recipient, error) {
	var out []Recipient
	texts := func(kind RecipientKind) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			return d.list(n, func(n *yaml.Node) error { return d.separated(n, kind, number, &out) })
		}
	}
	keys := func(kind RecipientKind, id string, others ...string) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			return d.list(n, func(n *yaml.Node) error { return d.key(n, kind, number, id, others, &out) })
		}
	}
	err := d.mapping(n, fields{
		"age": texts(unknownKind), "pgp": texts(PGP), "hc_vault": texts(Vault),
		"kms":            keys(AWSKMS, "arn", "role", "context", "aws_profile"),
		"gcp_kms":        keys(GCPKMS, "resource_id"),
		"hckms":          keys(HuaweiKMS, "key_id"),
		"azure_keyvault": keys(AzureKV, "vaultUrl", "key", "version"),
		"merge": func(n *yaml.Node) error {
			return d.list(n, func(n *yaml.Node) error {
				merged, err := d.group(n, number)
				out = append(out, merged...)
				return err
			})
		},
	})
	return out, err
}

// key reads a key that is a mapping, of which the field id names it.
func (d *creationDecoder) key(n *yaml.Node, kind RecipientKind, group int, id string, others []string, into *[]Recipient) error {
	r := Recipient{Kind: kind, Group: group, Span: d.file.Span(n)}
	known := fields{id: d.text(&r.ID)}
	for _, name := range others {
		known[name] = d.anything
	}
	if err := d.mapping(n, known); err != nil {
		return err
	}
	if r.ID == "" {
		return d.fail(n, "the key has no "+id)
	}
	*into = append(*into, r)
	return nil
}

// separated reads recipients that one string holds, with commas between them.
func (d *creationDecoder) separated(n *yaml.Node, kind RecipientKind, group int, into *[]Recipient) error {
	if n.Kind != yaml.ScalarNode {
		return d.fail(n, "must be a string")
	}
	for id := range strings.SplitSeq(n.Value, ",") {
		r := Recipient{Kind: kind, ID: strings.TrimSpace(id), Group: group, Span: d.file.Span(n)}
		if r.ID == "" {
			continue // what a trailing comma leaves
		}
		if kind == unknownKind {
			if r.Kind = parseAgeRecipient(r.ID); r.Kind == unknownKind {
				return d.fail(n, malformedRecipient(r.ID))
			}
		}
		*into = append(*into, r)
	}
	return nil
}

// malformedRecipient says what is wrong with an age recipient without quoting
// it.
func malformedRecipient(id string) string {
	if strings.HasPrefix(strings.ToUpper(id), "AGE-SECRET-KEY-") || strings.HasPrefix(strings.ToUpper(id), "AGE-PLUGIN-") {
		return "is a private key, where a recipient belongs; take it out and make a new key"
	}
	return "is not an age recipient (age1…, age1pq1… or ssh-…), or was mistyped"
}

// distinct drops what is in a group a second time.
func distinct(in []Recipient) []Recipient {
	type key struct {
		kind  RecipientKind
		id    string
		group int
	}
	seen := map[key]bool{}
	var out []Recipient
	for _, r := range in {
		if k := (key{r.Kind, r.ID, r.Group}); !seen[k] {
			seen[k] = true
			out = append(out, r)
		}
	}
	return out
}

// ParseRecipient tells the kind of an age recipient, as somebody typed it. It is
// empty, and the reason says why, where it is none; the reason quotes nothing.
func ParseRecipient(text string) (r Recipient, reason string) {
	r.ID = strings.TrimSpace(text)
	if r.Kind = parseAgeRecipient(r.ID); r.Kind == unknownKind {
		return Recipient{}, malformedRecipient(r.ID)
	}
	return r, ""
}
