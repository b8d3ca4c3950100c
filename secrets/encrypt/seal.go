package encrypt

import (
	"slices"
	"strings"

	"github.com/getsops/sops/v3"
)

// A layout is a text format in which a file is sealed without changing more of
// it than the values: yaml, json, dotenv, ini.
type layout interface {
	// store reads and writes the format as sops does.
	store() sops.Store
	// insert judges a text and says where sops blocks go.
	insert(data []byte) ([]insertion, error)
	// slots lists the places of the values and of the comments of a text, sops
	// blocks left out: the values in the order of leaves.
	slots(data []byte) (values, comments []slot, err error)
}

// An insertion is where a sops block goes into a text, and how it is written
// there.
type insertion struct {
	at     int
	render func(block []byte) string
}

// insertAll puts a block into a text.
func insertAll(data, block []byte, places []insertion) []byte {
	edits := make([]edit, len(places))
	for i, p := range places {
		edits[i] = edit{stretch{p.at, p.at}, p.render(block)}
	}
	return apply(data, edits)
}

// A sealing is one file on its way.
type sealing struct {
	layout
	*envelope

	allComments bool // also those that are plain prose

	values, comments int // how many were encrypted
	open             int // comments that were left readable
	warnings         []Warning
}

// seal returns the sealed text. Only then is anything sure: the text is read
// back with sops' own code, decrypted with the data key, and compared leaf by
// leaf with the original.
func (s *sealing) seal(data []byte) ([]byte, error) {
	places, err := s.insert(data)
	if err != nil {
		return nil, err
	}
	original, err := load(s.layout, data)
	if err != nil {
		return nil, err
	}
	s.metadata.MessageAuthenticationCode = "none yet" // the block has its final shape from here on
	block, err := s.block(s.layout)
	if err != nil {
		return nil, err
	}
	withBlock := insertAll(data, block, places)
	plain, ciphertexts, err := s.leaves(withBlock, leavesOf(original))
	if err != nil {
		return nil, err
	}
	edits, err := s.edits(data, withBlock, plain, ciphertexts)
	if err != nil {
		return nil, err
	}
	return s.finish(data, block, places, plain, edits)
}

// leaves reads a text with sops blocks, as it is and encrypted. The comments are
// taken from there, since a block may change to what a comment belongs; the
// values from the original, since the line break in front of a block may become
// a part of the last one.
func (s *sealing) leaves(text []byte, original []leaf) (plain, encrypted []leaf, err error) {
	branches, err := loadWithBlock(s.layout, text)
	if err != nil {
		return nil, nil, err
	}
	if !samePlaces(original, leavesOf(branches)) {
		return nil, nil, errTree
	}
	setValues(branches, original)
	plain = leavesOf(branches)
	if err = s.encrypt(branches); err != nil {
		return nil, nil, err
	}
	encrypted = leavesOf(branches)
	if len(plain) != len(encrypted) {
		return nil, nil, errTree
	}
	return plain, encrypted, nil
}

// edits puts every ciphertext into its slot. The stretches are those of text,
// which is the original with sops blocks.
func (s *sealing) edits(original, text []byte, plain, encrypted []leaf) ([]edit, error) {
	values, comments, err := s.slots(text)
	if err != nil {
		return nil, err
	}
	before, _, err := s.slots(original)
	if err != nil || len(before) != len(values) {
		return nil, errTree
	}
	for i := range values {
		values[i].span = before[i].span // what messages point at
	}
	var out []edit
	next, written := 0, map[any]bool{}
	for i, p := range plain {
		ciphertext, _ := encrypted[i].value.(string)
		sealed := ciphertext != "" && encrypted[i].value != p.value
		if p.comment {
			place, ok := claim(&comments, p.value.(string))
			if sealed && ok {
				out = append(out, s.comment(p.value.(string), place, ciphertext)...)
			} else if sealed {
				return nil, errTree
			}
			continue
		}
		if next == len(values) {
			return nil, errTree
		}
		place := values[next]
		next++
		if err := s.judge(p, sealed, place); err != nil {
			return nil, err
		}
		if sealed {
			s.values++
			written[place.origin] = written[place.origin] || !place.copied
			out = append(out, place.edits(ciphertext)...)
		}
	}
	if next != len(values) {
		return nil, errTree
	}
	return out, s.copies(plain, encrypted, values, written)
}

// copies refuses an alias of a value that is encrypted where it is written, but
// not where the alias stands.
func (s *sealing) copies(plain, encrypted []leaf, values []slot, written map[any]bool) error {
	next := 0
	for i, p := range plain {
		if p.comment {
			continue
		}
		v := values[next]
		next++
		if v.copied && v.origin != nil && written[v.origin] && encrypted[i].value == p.value {
			return &Error{Span: v.span, Message: "an alias stands in the open for a value that is to be encrypted; write out something else here"}
		}
	}
	return nil
}

// claim takes the first slot of a comment with this text, blanks at its end
// aside.
func claim(comments *[]slot, text string) (slot, bool) {
	bare := func(s string) string { return strings.TrimRight(s, " \t") }
	i := slices.IndexFunc(*comments, func(c slot) bool { return bare(c.comment) == bare(text) })
	if i < 0 {
		return slot{}, false
	}
	found := (*comments)[i]
	*comments = slices.Delete(*comments, i, i+1)
	return found, true
}

// comment encrypts a comment unless it is plain prose.
func (s *sealing) comment(text string, place slot, ciphertext string) []edit {
	if isProse(text) && !s.allComments {
		s.open++
		return nil
	}
	s.comments++
	return place.edits(ciphertext)
}

// finish makes the edits, writes the final sops block, and proves the result.
func (s *sealing) finish(data, block []byte, places []insertion, plain []leaf, edits []edit) ([]byte, error) {
	final, err := s.block(s.layout)
	if err != nil {
		return nil, err
	}
	shift := 0
	for _, p := range places {
		from := p.at + shift
		old := p.render(block)
		edits = append(edits, edit{stretch{from, from + len(old)}, p.render(final)})
		shift += len(old)
	}
	sealed := apply(insertAll(data, block, places), edits)
	opened, err := s.decrypt(s.layout, sealed)
	if err != nil {
		return nil, err
	}
	if !sameValues(plain, opened) || !sameComments(plain, opened) {
		return nil, errTree
	}
	return sealed, nil
}

// binary seals a file as a whole.
func (e *envelope) binary(data []byte, indent int) (_ []byte, err error) {
	defer recovered(&err)
	store := binaryStore(indent)
	branches, err := store.LoadPlainFile(data)
	if err != nil {
		return nil, errTree
	}
	if err := e.encrypt(branches); err != nil {
		return nil, err
	}
	return store.EmitEncryptedFile(sops.Tree{Branches: branches, Metadata: e.metadata})
}
