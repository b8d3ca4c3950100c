package secrets

import (
	"context"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/finding"
)

const helpReused = "encrypt the value anew where it is used, for the recipients of that place"

// CheckReuse finds ciphertexts at or below scope that are in the tree twice: in
// two files, or under two keys of one file. sops never writes one twice, so
// somebody copied it: an old value, or a Secret that is not theirs. Honest copies
// exist too, so these are warnings, one for each file. Equal items of a list and
// equal keys of several documents of a file may share a ciphertext. The mac of
// another file over other values is no copy but a forgery, and an error.
func (s *Sealed) CheckReuse(ctx context.Context, scope string) ([]finding.Finding, error) {
	files := s.within("")
	found, macs := make([][]ciphertextAt, len(files)), make([]maced, len(files))
	err := s.each(ctx, files, func(i int, path string) error {
		data, sh, err := s.read(path)
		if err == nil && sh != nil && sh.meta != nil {
			found[i], macs[i] = ciphertextsIn(path, data), macedFile(path, data)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	r := reuse{first: map[string]ciphertextAt{}}
	for _, file := range found {
		r.file(file)
	}
	inScope := s.within(scope) // sorted
	return slices.DeleteFunc(append(r.out, foreignMACs(macs)...), func(f finding.Finding) bool {
		_, ok := slices.BinarySearch(inScope, f.Location.File)
		return !ok
	}), nil
}

type ciphertextAt struct {
	id    string // iv and tag: no two values have both by chance
	name  string
	path  string // as sops authenticates it: the keys
	span  finding.Span
	owner *finding.Object
}

func ciphertextsIn(file string, data []byte) []ciphertextAt {
	var out []ciphertextAt
	for _, b := range blocks(file, data) {
		for _, v := range b.values {
			if id := ciphertextID(v.text); id != "" {
				out = append(out, ciphertextAt{id, v.name(), sopsPath(v), v.span, b.object})
			}
		}
	}
	return out
}

// reuse remembers where each ciphertext is first.
type reuse struct {
	first map[string]ciphertextAt
	out   []finding.Finding
}

// file judges the ciphertexts of one file against those before it.
func (r *reuse) file(values []ciphertextAt) {
	copied := map[string]int{} // file they are from: how many
	var order []ciphertextAt
	at := map[string]ciphertextAt{}
	for _, v := range values {
		before, ok := r.first[v.id]
		switch {
		case !ok:
			r.first[v.id] = v
		case before.span.File != v.span.File:
			if copied[before.span.File]++; copied[before.span.File] == 1 {
				order = append(order, before)
				at[before.span.File] = v
			}
		case before.path != v.path:
			r.report(v, before, fmt.Sprintf("the ciphertext of %q is that of %q: sops cannot decrypt both", v.name, before.name))
		}
	}
	for _, before := range order {
		from := before.span.File
		r.report(at[from], before, fmt.Sprintf("the file shares %s with %s", plural(copied[from], "ciphertext"), from))
	}
}

func (r *reuse) report(v, before ciphertextAt, message string) {
	r.out = append(r.out, finding.Finding{
		Rule: ruleReused, Severity: finding.Warning, Message: message, Help: helpReused, Location: v.span,
		Object: v.owner, Related: []finding.Related{{Message: "the same ciphertext", Location: before.span}},
	})
}
