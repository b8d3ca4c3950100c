package secrets

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// A block is one sops block of a file with what it covers, as far as that can be
// read without a key. A flat file has one, a YAML file one for each document.
type block struct {
	doc       int
	meta      Metadata
	grants    []grant
	groups    int // 1 or more
	threshold int // how many groups open the file
	mac       string
	modified  finding.Span // of lastmodified, else of the block
	version   finding.Span
	macAt     finding.Span // of mac, else of the block
	values    []scalar     // everything but the block, encrypted or not
	object    *finding.Object
}

// A grant is one wrapped copy of the data key, or of a share of it. Its
// Recipient's ID is complete: of an Azure or Vault key it is the whole address.
type grant struct {
	Recipient
	enc  string
	span finding.Span // of enc
}

// A scalar is one value of an encrypted file.
type scalar struct {
	leaf
	text string
	span finding.Span
}

func (v scalar) pointer() string { return source.Pointer(v.tokens...) }

// blocks reads the sops blocks of a file. What is malformed is left out: it is
// reported where the file is sealed.
func blocks(path string, data []byte) []block {
	data = toUTF8(data)
	t := newText(path, data)
	switch {
	case isDotenv(data):
		return []block{t.flatBlock(func(a assignment) (string, bool) { return strings.CutPrefix(a.key, "sops_") })}
	case isINI(data):
		from, to := iniSection(data)
		return []block{t.flatBlock(func(a assignment) (string, bool) { return a.key, from <= a.line.from && a.line.from < to })}
	}
	f, err := source.Parse(path, data)
	if err != nil {
		return nil
	}
	var out []block
	for i, doc := range f.Docs {
		d := &document{layer: &layer{text: t, span: f.Span}, index: i, root: deref(doc.Root)}
		key, node := d.metadata()
		if node == nil {
			continue
		}
		b := readBlock(key, node, f.Span)
		b.doc, b.object = i, d.identity(d.root)
		b.values = valuesOf(d)
		out = append(out, b)
	}
	return out
}

// valuesOf lists the scalars of a document outside its sops block.
func valuesOf(d *document) []scalar {
	var out []scalar
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		key := deref(d.root.Content[i]).Value
		if key == "sops" {
			continue
		}
		leaves(d.root.Content[i+1], leaf{tokens: []string{key}, keys: []string{key}}, func(at leaf) {
			out = append(out, scalar{at, at.node.Value, d.span(at.node)})
		})
	}
	return out
}

// flatBlock reads a dotenv or an ini file. own tells the lines of the sops block
// and their keys in it.
func (t *text) flatBlock(own func(assignment) (string, bool)) block {
	var lines []assignment
	var values []scalar
	for _, a := range t.assignments() {
		if key, ok := own(a); ok {
			a.key = key
			lines = append(lines, a)
			continue
		}
		node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t.of(a.value)}
		values = append(values, scalar{
			leaf{node, []string{a.key}, []string{a.key}}, node.Value, t.span(a.value.from, a.value.to),
		})
	}
	b := readBlock(t.flatNodes(lines))
	b.values = values
	return b
}

// readBlock reads the sops block under key.
func readBlock(key, node *yaml.Node, span func(*yaml.Node) finding.Span) block {
	meta, _ := decodeMetadata(key, node, span)
	node = deref(node)
	b := block{meta: meta, groups: 1, mac: getText(node, "mac"), modified: meta.Span, version: meta.Span, macAt: meta.Span}
	if n := get(node, "lastmodified"); n != nil {
		b.modified = span(n)
	}
	if n := get(node, "version"); n != nil {
		b.version = span(n)
	}
	if n := get(node, "mac"); n != nil {
		b.macAt = span(n)
	}
	b.group(node, 0, span)
	if groups := get(node, "key_groups"); groups != nil && len(b.grants) == 0 {
		b.groups = max(1, len(deref(groups).Content))
		for i, group := range deref(groups).Content {
			b.group(deref(group), i, span)
		}
	}
	b.threshold = b.groups
	if threshold, err := strconv.Atoi(getText(node, "shamir_threshold")); err == nil && threshold > 0 {
		b.threshold = threshold
	}
	return b
}

func (b *block) group(n *yaml.Node, group int, span func(*yaml.Node) finding.Span) {
	for _, list := range keyLists {
		for _, entry := range items(get(n, list.field)) {
			id, enc := get(entry, list.id), get(entry, "enc")
			if id == nil || enc == nil {
				continue
			}
			g := grant{Recipient{list.kind, fullID(list.kind, entry, getText(entry, list.id)), group, span(id)}, getText(entry, "enc"), span(enc)}
			if list.field == "age" {
				g.Kind = parseAgeRecipient(g.ID)
			}
			b.grants = append(b.grants, g)
		}
	}
}

// fullID is the address of a key as a creation rule has it.
func fullID(kind RecipientKind, entry *yaml.Node, id string) string {
	id = strings.TrimSpace(id)
	switch kind {
	case AzureKV:
		id = strings.TrimSuffix(id, "/") + "/keys/" + getText(entry, "name") + "/" + getText(entry, "version")
	case Vault:
		id = strings.TrimSuffix(id, "/") + "/v1/" + getText(entry, "engine_path") + "/keys/" + getText(entry, "key_name")
	}
	return id
}

// opens reports whether whoever holds keys can open the file: with one key of as
// many groups as it takes. The recipient is the first one that helps.
func (b *block) opens(holds func(Recipient) bool) (by Recipient, ok bool) {
	groups := map[int]bool{}
	for _, g := range b.grants {
		if holds(g.Recipient) {
			if len(groups) == 0 {
				by = g.Recipient
			}
			groups[g.Group] = true
		}
	}
	return by, len(groups) >= b.threshold
}
