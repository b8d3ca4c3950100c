package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/finding"
)

// Compare judges what became of the encrypted files of an earlier state of the
// tree, and of its creation rules: a type of a value that was changed, an older
// file or value put back, a recipient taken out without a new data key, a value
// that is encrypted no longer, and creation rules that let more people in. All
// findings are about the tree itself.
//
// The creation rules are compared with those of e, which are of the trusted
// revision, and with those of base where e has none.
func (s *Sealed) Compare(ctx context.Context, base *Sealed, e Expectations) ([]finding.Finding, error) {
	files := s.differing(base)
	found := make([][]finding.Finding, len(files))
	err := s.each(ctx, files, func(i int, path string) (err error) {
		found[i], err = s.compareFile(base, path, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	rules, err := s.compareRules(ctx, base, e)
	return append(slices.Concat(found...), rules...), err
}

// differing lists the readable files that may not have the bytes that they have in
// base: all, unless its tree tells by a method Unchanged.
func (s *Sealed) differing(base *Sealed) []string {
	files := s.within("")
	if t, ok := base.tree.(interface{ Unchanged(path string) bool }); ok {
		files = slices.DeleteFunc(files, t.Unchanged)
	}
	return files
}

func (s *Sealed) compareFile(base *Sealed, path string, e Expectations) ([]finding.Finding, error) {
	if _, ok := base.tree.Lookup(path); !ok {
		return nil, nil
	}
	before, _, err := base.read(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !mayBeEncrypted(before) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	after, sh, err := s.read(path)
	if err != nil || after == nil || bytes.Equal(before, after) {
		return nil, err
	}
	old := blocks(path, before)
	if len(old) == 0 {
		return nil, nil
	}
	c := &comparison{sealed: s, sheet: sh, path: path, e: e, stood: standing(old)}
	now := blocks(path, after)
	if len(now) > 0 {
		c.blocks(old[0], now[0])
	}
	for _, pair := range pairs(old, now) {
		c.values(pair[0], pair[1])
		c.identity(pair[0], pair[1])
	}
	c.plaintext(old, contents(path, after, isDotenv(before) || isINI(before)))
	return c.out, nil
}

// mayBeEncrypted is a fast look: false means that sops did not write the bytes.
func mayBeEncrypted(data []byte) bool {
	return bytes.Contains(toUTF8(data), []byte("ENC[AES256_GCM")) || bytes.Contains(data, []byte("sops"))
}

// pairs finds the documents that are the same object before and after, or at the
// same index where they are none.
func pairs(old, now []block) [][2]block {
	var out [][2]block
	for _, n := range now {
		at := slices.IndexFunc(old, func(o block) bool { return sameDocument(o, n) })
		if at < 0 {
			at = slices.IndexFunc(old, func(o block) bool { return o.doc == n.doc })
		}
		if at >= 0 {
			out = append(out, [2]block{old[at], n})
		}
	}
	return out
}

func sameDocument(a, b block) bool {
	return a.object != nil && b.object != nil && *a.object == *b.object
}

// comparison is the state of comparing one file.
type comparison struct {
	sealed *Sealed
	sheet  *sheet // of the file as it is now
	path   string
	e      Expectations
	stood  map[string][]string // paths of each ciphertext before, by id
	out    []finding.Finding
}

func (c *comparison) report(rule string, severity finding.Severity, at finding.Span, message, help string) {
	c.out = append(c.out, finding.Finding{Rule: rule, Severity: severity, Message: message, Help: help, Location: at})
}

const helpRollback = "take the newest version of the file, and change it with sops; to go back on purpose, encrypt the old value anew"

// blocks compares the sops blocks.
func (c *comparison) blocks(old, now block) {
	if goesBack(old, now) {
		c.report(ruleRollback, finding.Error, now.modified,
			"lastmodified goes back: an older version of the file is put back, as a git revert does", helpRollback)
	} else if older(now.meta.Version, old.meta.Version) {
		c.report(ruleRollback, finding.Warning, now.version,
			"the version of sops goes back: an older sops wrote the file, or an older file is put back", helpRollback)
	}
	if untouched(old, now) && now.meta.LastModified.After(old.meta.LastModified) {
		c.report(ruleMetadata, finding.Error, now.modified,
			"lastmodified was changed and the mac was not: sops writes both, and finds the mac wrong", helpByHand)
	}
	if what := blockField(old.meta, now.meta); what != "" && untouched(old, now) {
		c.report(ruleMetadata, finding.Error, now.meta.Span, what+" was changed and the mac was not: sops finds the mac wrong", helpByHand)
	}
	c.unrotated(old, now)
}

// blockField names a field that decides about the mac, and that is not the same in
// two blocks; "" where none is. What other rules select shows without a base.
func blockField(old, now Metadata) string {
	switch a, b := old.Selection, now.Selection; {
	case old.MACOnlyEncrypted != now.MACOnlyEncrypted:
		return "mac_only_encrypted"
	case a.EncryptedCommentRegex != b.EncryptedCommentRegex:
		return "encrypted_comment_regex"
	case a.UnencryptedCommentRegex != b.UnencryptedCommentRegex:
		return "unencrypted_comment_regex"
	}
	return ""
}

const helpByHand = "put it back; change encrypted files with sops only"

// goesBack reports whether a block is older than the one before it.
func goesBack(old, now block) bool {
	return now.meta.LastModified.Before(old.meta.LastModified) && !now.meta.LastModified.IsZero()
}

// untouched reports whether nothing says that sops wrote the file again: it never
// writes one mac twice, while lastmodified is a text that anybody can change.
func untouched(old, now block) bool { return now.mac == old.mac && now.mac != "" }

// older compares versions of sops, as far as they are numbers.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, err1 := strconv.Atoi(x[i])
		n, err2 := strconv.Atoi(y[i])
		if err1 != nil || err2 != nil {
			return false
		}
		if m != n {
			return m < n
		}
	}
	return false
}

// unrotated reports recipients that were taken out while the data key stayed: a
// ciphertext or a wrapped key that is the same proves it.
func (c *comparison) unrotated(old, now block) {
	has := func(b block, r Recipient) bool {
		return slices.ContainsFunc(b.grants, func(g grant) bool { return sameKey(r, g.Recipient) })
	}
	if !sameDataKey(old, now) {
		return
	}
	for _, g := range old.grants {
		if g.Kind != unknownKind && !has(now, g.Recipient) {
			c.report(ruleUnrotated, finding.Error, now.meta.Span,
				"recipient "+shortID(g.Recipient)+" was taken out, but the data key was kept: whoever had it can read every later version",
				"run `sops rotate -i FILE`, and rotate the values too: history keeps them")
		}
	}
}

// sameDataKey reports whether anything shows that two versions of a file are
// encrypted with one key.
func sameDataKey(old, now block) bool {
	seen := map[string]bool{}
	for _, g := range old.grants {
		seen[g.enc] = g.enc != ""
	}
	for _, v := range old.values {
		seen[v.text] = seen[v.text] || isEnc(v.text)
	}
	return slices.ContainsFunc(now.grants, func(g grant) bool { return seen[g.enc] }) ||
		slices.ContainsFunc(now.values, func(v scalar) bool { return isEnc(v.text) && seen[v.text] })
}

// values compares the encrypted values of a document.
func (c *comparison) values(old, now block) {
	before := map[string]scalar{}
	for _, v := range old.values {
		before[v.pointer()] = v
	}
	changed := -1
	for i, v := range now.values {
		was, ok := before[v.pointer()]
		if c.swapped(now, v) {
			continue
		}
		if changed < 0 && isEnc(v.text) && !sameCiphertext(was.text, v.text) {
			changed = i
		}
		if ok {
			c.kind(now, was, v)
		}
	}
	if changed >= 0 && untouched(old, now) {
		v := now.values[changed]
		c.report(ruleRollback, finding.Error, v.span, "the ciphertext of "+quoteName(v.leaf)+
			" was changed and the mac was not: sops did not write it, it is from elsewhere or from an older version", helpRollback)
	}
	c.missing(old, now)
}

// missing reports an encrypted value that was taken out under the same mac.
func (c *comparison) missing(old, now block) {
	if !untouched(old, now) {
		return
	}
	stands := standing([]block{now})
	keys := map[string]bool{}
	for _, v := range now.values {
		keys[v.pointer()] = true
	}
	for _, v := range old.values {
		if id := ciphertextID(v.text); id != "" && len(stands[id]) == 0 && !keys[v.pointer()] {
			c.report(ruleMetadata, finding.Error, now.meta.Span, "the ciphertext of "+quoteName(v.leaf)+
				" was taken out and the mac was not changed: sops finds the mac wrong", helpByHand)
			return
		}
	}
}

// swapped reports a ciphertext that stood at another key of the file. sops binds
// each value to its path, so what was moved by hand cannot be decrypted there;
// whoever does not hold sops to that would take one secret for the other.
func (c *comparison) swapped(now block, v scalar) bool {
	paths := c.stood[ciphertextID(v.text)]
	if len(paths) == 0 || slices.Contains(paths, sopsPath(v)) {
		return false
	}
	c.out = append(c.out, finding.Finding{
		Rule: ruleMetadata, Severity: finding.Error, Location: v.span, Object: now.object, Pointer: v.pointer(),
		Message: fmt.Sprintf("the ciphertext of %s is the one that was under %s: it is bound to that key, and cannot be decrypted here",
			quoteName(v.leaf), strconv.Quote(strings.ReplaceAll(paths[0], ":", "."))),
		Help: helpByHand,
	})
	return true
}

// standing lists where each ciphertext stands.
func standing(blocks []block) map[string][]string {
	out := map[string][]string{}
	for _, b := range blocks {
		for _, v := range b.values {
			if id := ciphertextID(v.text); id != "" {
				out[id] = append(out[id], sopsPath(v))
			}
		}
	}
	return out
}

// sopsPath is a value's path as sops authenticates it: the keys.
func sopsPath(v scalar) string { return strings.Join(v.keys, ":") }

// kind compares the type of a value. With the same ciphertext the change has no
// honest reason: it makes sops show the decrypted value in an error.
func (c *comparison) kind(now block, was, v scalar) {
	a, bad := parseEnc(was.text)
	b, worse := parseEnc(v.text)
	if bad != "" || worse != "" || a.kind == b.kind {
		return
	}
	f := finding.Finding{
		Rule: ruleTypeChanged, Severity: finding.Error, Location: v.span, Object: now.object, Pointer: v.pointer(),
		Message: fmt.Sprintf("the type of %s was changed from %s to %s, its ciphertext was not: decrypting it would show the value in an error",
			quoteName(v.leaf), a.kind, b.kind),
		Help: "put the type back; change values with sops only",
	}
	if !sameCiphertext(was.text, v.text) {
		f.Severity = finding.Warning
		f.Message = fmt.Sprintf("the value of %s was changed, and its type from %s to %s", quoteName(v.leaf), a.kind, b.kind)
		f.Help = "make sure that readers of the value expect the new type"
	}
	c.out = append(c.out, f)
}

// sameCiphertext compares values but for their types.
func sameCiphertext(a, b string) bool {
	a, _, _ = strings.Cut(a, ",type:")
	b, _, _ = strings.Cut(b, ",type:")
	return a == b
}
