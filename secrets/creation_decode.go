package secrets

import (
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/source"
)

// ParseCreationRules decodes a `.sops.yaml` strictly: an unknown field, a wrong
// type, a pattern that does not compile or a malformed recipient is a
// *source.Error with its place. sops passes over unknown fields, so that a typo
// (encrypted_regx) or a planted line changes what is encrypted and nobody is
// told. The one field without a meaning that is let through is keys, where many
// repositories keep the anchors of their recipients.
//
// No message quotes a value: somebody may have pasted a private key.
func ParseCreationRules(path string, data []byte) (*CreationRules, error) {
	f, err := source.Parse(path, data)
	if err != nil {
		return nil, fmt.Errorf("creation rules: %w", err)
	}
	rules := &CreationRules{Path: path}
	d := &creationDecoder{file: f}
	switch {
	case len(f.Docs) > 1:
		err = d.fail(f.Docs[1].Root, "a second document, which sops does not read")
	case len(f.Docs) == 1:
		err = d.rules(f.Docs[0].Root, rules)
	}
	if err != nil {
		return nil, fmt.Errorf("creation rules: %w", err)
	}
	return rules, nil
}

type creationDecoder struct{ file *source.File }

func (d *creationDecoder) fail(n *yaml.Node, message string) error {
	return &source.Error{Span: d.file.Span(n), Message: message}
}

// fields says how the value of each known field of a mapping is read.
type fields map[string]func(*yaml.Node) error

// mapping reads a mapping, merge keys followed, and refuses fields that are
// unknown or there twice. A null stands for a field that is not there, as in
// sops.
func (d *creationDecoder) mapping(n *yaml.Node, known fields) error {
	return d.mappingOnce(n, known, map[string]bool{})
}

func (d *creationDecoder) mappingOnce(n *yaml.Node, known fields, set map[string]bool) error {
	if n = deref(n); isNull(n) {
		return nil
	} else if n.Kind != yaml.MappingNode {
		return d.fail(n, "must be a mapping")
	}
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := deref(n.Content[i])
		if key.Tag == "!!merge" {
			continue
		}
		read, ok := known[key.Value]
		switch {
		case !ok:
			return d.fail(n.Content[i], fmt.Sprintf("unknown field %q, which sops would ignore", key.Value))
		case own[key.Value]:
			return d.fail(n.Content[i], fmt.Sprintf("field %q is there twice", key.Value))
		}
		own[key.Value] = true
		if value := deref(n.Content[i+1]); !set[key.Value] && !isNull(value) {
			if err := read(value); err != nil {
				return err
			}
		}
	}
	for key := range own {
		set[key] = true
	}
	return d.merges(n, known, set)
}

// merges reads what a mapping merges in: it sets what is not set yet.
func (d *creationDecoder) merges(n *yaml.Node, known fields, set map[string]bool) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		from := []*yaml.Node{n.Content[i+1]}
		if list := deref(n.Content[i+1]); list.Kind == yaml.SequenceNode {
			from = list.Content
		}
		for _, source := range from {
			if err := d.mappingOnce(source, known, set); err != nil {
				return err
			}
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// list reads each item of a list.
func (d *creationDecoder) list(n *yaml.Node, read func(*yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return d.fail(n, "must be a list")
	}
	for _, item := range n.Content {
		if err := read(deref(item)); err != nil {
			return err
		}
	}
	return nil
}

func (d *creationDecoder) text(into *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode {
			return d.fail(n, "must be a string")
		}
		*into = n.Value
		return nil
	}
}

// scalar reads a number or a boolean, as the YAML library of sops would.
func (d *creationDecoder) scalar(into any, what string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.Decode(into) != nil {
			return d.fail(n, "must be "+what)
		}
		return nil
	}
}

func (d *creationDecoder) anything(*yaml.Node) error { return nil }

func (d *creationDecoder) rules(n *yaml.Node, into *CreationRules) error {
	indent := func(width *int) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			return d.mapping(n, fields{"indent": d.scalar(width, "a number")})
		}
	}
	return d.mapping(n, fields{
		"keys": d.anything,
		"creation_rules": func(n *yaml.Node) error {
			return d.list(n, func(n *yaml.Node) error {
				rule, err := d.rule(n)
				into.Rules = append(into.Rules, rule)
				return err
			})
		},
		"destination_rules": func(n *yaml.Node) error {
			return d.list(n, func(n *yaml.Node) error { return d.destination(n, &into.recreation) })
		},
		"stores": func(n *yaml.Node) error {
			none := func(n *yaml.Node) error { return d.mapping(n, fields{}) }
			return d.mapping(n, fields{
				"yaml": indent(&into.Indent.YAML), "json": indent(&into.Indent.JSON),
				"json_binary": indent(&into.Indent.Binary), "dotenv": none, "ini": none,
			})
		},
	})
}

func (d *creationDecoder) rule(n *yaml.Node) (CreationRule, error) {
	rule := CreationRule{Span: d.file.Span(n), Groups: 1}
	keys, groups := d.keys(&rule), [][]Recipient(nil)
	known := fields{
		"path_regex":         d.text(&rule.PathRegex),
		"aws_profile":        d.anything,
		"shamir_threshold":   d.scalar(&rule.Threshold, "a number"),
		"mac_only_encrypted": d.scalar(&rule.MACOnlyEncrypted, "true or false"),
		"key_groups": func(n *yaml.Node) error {
			return d.list(n, func(n *yaml.Node) error {
				group, err := d.group(n, len(groups))
				groups = append(groups, group)
				return err
			})
		},
	}
	for name, read := range keys {
		known[name] = read
	}
	selections := d.selections(known, &rule.Selection)
	if err := d.mapping(n, known); err != nil {
		return rule, err
	}
	if len(groups) > 0 { // then sops does not look at the keys beside them
		rule.Recipients, rule.Groups = slices.Concat(groups...), len(groups)
	}
	rule.Recipients = distinct(rule.Recipients)
	if len(*selections) > 1 {
		return rule, d.fail((*selections)[1], "a rule can have one of the fields that say what is encrypted, not more")
	}
	var err error
	if rule.pattern, err = d.pattern(n, "path_regex", rule.PathRegex); err != nil {
		return rule, err
	}
	return rule, d.compile(n, &rule.Selection)
}

// selections adds the fields that say which values are encrypted, and returns
// those that a rule has.
func (d *creationDecoder) selections(known fields, s *Selection) *[]*yaml.Node {
	var set []*yaml.Node
	for name, into := range map[string]*string{
		"unencrypted_suffix": &s.UnencryptedSuffix, "encrypted_suffix": &s.EncryptedSuffix,
		"unencrypted_regex": &s.UnencryptedRegex, "encrypted_regex": &s.EncryptedRegex,
		"unencrypted_comment_regex": &s.UnencryptedCommentRegex, "encrypted_comment_regex": &s.EncryptedCommentRegex,
	} {
		known[name] = func(n *yaml.Node) error {
			if err := d.text(into)(n); err != nil || *into == "" {
				return err
			}
			set = append(set, n)
			return nil
		}
	}
	return &set
}

// compile refuses patterns that sops would silently take for ones that match
// nothing.
func (d *creationDecoder) compile(n *yaml.Node, s *Selection) error {
	for _, p := range []struct{ name, text string }{
		{"unencrypted_regex", s.UnencryptedRegex}, {"encrypted_regex", s.EncryptedRegex},
		{"unencrypted_comment_regex", s.UnencryptedCommentRegex}, {"encrypted_comment_regex", s.EncryptedCommentRegex},
	} {
		if p.text == "" {
			continue
		}
		var err error
		if s.pattern, err = d.pattern(n, p.name, p.text); err != nil {
			return err
		}
	}
	return nil
}

// pattern compiles the pattern in a field of a rule; nil where there is none.
func (d *creationDecoder) pattern(rule *yaml.Node, field, text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, d.fail(get(rule, field), field+" is not a valid regular expression")
	}
	return pattern, nil
}

// destination checks an entry of destination_rules, which sops publish reads.
func (d *creationDecoder) destination(n *yaml.Node, into *[]CreationRule) error {
	known := fields{"recreation_rule": func(n *yaml.Node) error {
		rule, err := d.rule(n)
		*into = append(*into, rule)
		return err
	}}
	for _, name := range []string{"path_regex", "s3_bucket", "s3_prefix", "gcs_bucket", "gcs_prefix",
		"vault_path", "vault_address", "vault_kv_mount_name", "vault_kv_version", "omit_extensions"} {
		known[name] = d.anything
	}
	return d.mapping(n, known)
}
