package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// CheckRollback finds ciphertexts and macs that encrypted files had before the
// base, and that the base has nowhere any more: an old secret that was put back,
// which takes no key. Only encrypted files that differ from the base are looked
// up, in the history of the commit that base was sealed from. A git revert is a
// rollback too. What [Sealed.Compare] sees from the two states alone is left to it.
//
// Encrypted files that the change deletes lend their history to those that it
// adds, since one may be the other under a new name. A file that was deleted
// before the base may come back as it was last.
func (s *Sealed) CheckRollback(ctx context.Context, base *Sealed, history *repo.Snapshot) ([]finding.Finding, error) {
	r := &rollback{sealed: s, base: base, fresh: map[string]bool{}, old: map[string]origin{}}
	if err := r.suspect(ctx); err != nil || len(r.fresh) == 0 {
		return nil, err
	}
	if err := r.learn(ctx, history); err != nil {
		return nil, fmt.Errorf("rollback: %w", err)
	}
	if err := r.forget(ctx); err != nil {
		return nil, err
	}
	var out []finding.Finding
	for _, s := range r.suspects {
		out = append(out, r.judge(s)...)
	}
	return out, nil
}

// rollback is the state of looking for old ciphertexts. They are known by id.
type rollback struct {
	sealed, base *Sealed
	suspects     []*suspect
	fresh        map[string]bool   // those that a suspect has and its base does not
	old          map[string]origin // those of fresh that were there before
}

// A suspect is an encrypted file that differs from the base.
type suspect struct {
	path   string
	before []byte // nil where the base does not have the file
	now    []block
}

// An origin is the newest commit that had a ciphertext.
type origin struct{ commit, path string }

// suspect finds the files to look up, and their new ciphertexts.
func (r *rollback) suspect(ctx context.Context) error {
	files := r.sealed.differing(r.base)
	found := make([]*suspect, len(files))
	err := r.sealed.each(ctx, files, func(i int, path string) error {
		data, sh, err := r.sealed.read(path)
		if err != nil || sh == nil || sh.meta == nil {
			return err
		}
		before, _, err := r.base.read(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err == nil && !bytes.Equal(before, data) {
			found[i] = &suspect{path, before, blocks(path, data)}
		}
		return err
	})
	for _, s := range found {
		if s == nil {
			continue
		}
		r.suspects = append(r.suspects, s)
		before := ciphertextIDs(s.before)
		for _, b := range s.now {
			for _, v := range append(slices.Clone(b.values), scalar{text: b.mac}) {
				if id := ciphertextID(v.text); id != "" && !before[id] {
					r.fresh[id] = true
				}
			}
		}
	}
	return err
}

// learn reads the history of the suspects.
func (r *rollback) learn(ctx context.Context, history *repo.Snapshot) error {
	var paths []string
	added := map[string]bool{}
	for _, s := range r.suspects {
		paths = append(paths, s.path)
		if s.before == nil {
			added[s.path] = true
		}
	}
	if len(added) > 0 {
		gone, err := r.deleted(ctx)
		if err != nil {
			return err
		}
		paths = append(paths, gone...)
	}
	return history.Versions(ctx, paths, func(v repo.Version) error {
		if added[v.Path] {
			added[v.Path] = false // as it was last
			for id := range ciphertextIDs(v.Data) {
				delete(r.fresh, id)
			}
			return ctx.Err()
		}
		for id := range ciphertextIDs(v.Data) {
			if _, known := r.old[id]; !known && r.fresh[id] {
				r.old[id] = origin{v.Commit, v.Path}
			}
		}
		return ctx.Err()
	})
}

// deleted lists the encrypted files of the base that are gone.
func (r *rollback) deleted(ctx context.Context) ([]string, error) {
	var gone []string
	for _, path := range r.base.within("") {
		if _, ok := r.sealed.tree.Lookup(path); ok {
			continue
		}
		_, sh, err := r.base.read(path)
		if err != nil {
			return nil, err
		}
		if sh != nil && sh.meta != nil {
			gone = append(gone, path)
		}
	}
	return gone, ctx.Err()
}

// forget drops what the base still has, in whatever file.
func (r *rollback) forget(ctx context.Context) error {
	if len(r.old) == 0 {
		return nil
	}
	for _, path := range r.base.within("") {
		data, _, err := r.base.read(path)
		if err != nil {
			return err
		}
		for id := range ciphertextIDs(data) {
			delete(r.old, id)
		}
	}
	return ctx.Err()
}

// judge reports the old ciphertexts of one file, and an old mac where none shows.
func (r *rollback) judge(s *suspect) []finding.Finding {
	before := blocks(s.path, s.before)
	if len(before) > 0 && len(s.now) > 0 && goesBack(before[0], s.now[0]) {
		return nil // Compare says so, of the whole file
	}
	seen := map[int]bool{} // documents that Compare reports
	for _, pair := range pairs(before, s.now) {
		seen[pair[1].doc] = untouched(pair[0], pair[1])
	}
	var out []finding.Finding
	for _, b := range s.now {
		if seen[b.doc] {
			continue
		}
		n := len(out)
		for _, v := range b.values {
			if from, ok := r.old[ciphertextID(v.text)]; ok {
				out = append(out, from.finding(s.path, "the ciphertext of "+quoteName(v.leaf), v.span, b.object, v.pointer()))
			}
		}
		if from, ok := r.old[ciphertextID(b.mac)]; ok && len(out) == n {
			out = append(out, from.finding(s.path, "the mac", b.macAt, b.object, ""))
		}
	}
	return out
}

func (o origin) finding(path, what string, at finding.Span, object *finding.Object, pointer string) finding.Finding {
	from := "commit " + o.commit[:min(shortCommit, len(o.commit))]
	if o.path != path {
		from += ", of " + o.path
	}
	return finding.Finding{
		Rule: ruleRollback, Severity: finding.Error, Location: at, Object: object, Pointer: pointer, Help: helpRollback,
		Message: what + " is that of an older version (" + from + "): an old secret is put back, as a git revert does",
	}
}

// ciphertextPattern finds what may be a ciphertext, wherever it is in a file.
var ciphertextPattern = regexp.MustCompile(`ENC\[AES256_GCM,[^\]\s]*\]`)

// ciphertextIDs are the ids of all ciphertexts of a file, macs included.
func ciphertextIDs(data []byte) map[string]bool {
	ids := map[string]bool{}
	for _, text := range ciphertextPattern.FindAll(toUTF8(data), -1) {
		if id := ciphertextID(string(text)); id != "" {
			ids[id] = true
		}
	}
	return ids
}

// ciphertextID is the iv and the tag of a ciphertext: no two have both by chance.
// It is empty where a text is none.
func ciphertextID(text string) string {
	if !isEnc(text) {
		return ""
	}
	c, reason := parseEnc(text)
	if reason != "" {
		return ""
	}
	return string(c.iv) + string(c.tag)
}
