package decrypt

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

const (
	// maxFile is the largest encrypted file in bytes. A Secret holds 1 MiB at
	// most, base64 and the block of sops add a half, and a file may hold several.
	maxFile = 8 << 20
	// maxTarget is how many bytes the values of one target may have: all of it is
	// in memory at once, a dozen times over in the forms that are redacted.
	maxTarget = 32 << 20
	// maxFileTime is how long one file may take: an honest one takes a
	// millisecond, and a second where a cloud is asked for the key.
	maxFileTime = 30 * time.Second
)

// opened is one decrypted file.
type opened struct {
	opaque
	values map[string]*value // by token
	binds  map[string]*value // values of [secrets.BindKey], by the place of their Secret
	all    []*value          // everything that was decrypted
	suffix string            // of keys that the file leaves unencrypted
	size   int               // of all, in bytes
}

// A value is one decrypted value.
type value struct {
	opaque
	file string
	key  string // RFC 6901 pointer in its document; empty for a file as a whole
	home string // the place of the Secret that it belongs to
	text Plaintext
	used bool // it stands in the target, alone or within its file
}

// decrypt opens one file of the repository.
func (j *job) decrypt(ctx context.Context, path string) (*opened, error) {
	data, format, err := j.sealed.Ciphertext(path)
	switch {
	case errors.Is(err, secrets.ErrNotEncrypted):
		return nil, &Error{File: path, Code: CodeMalformed}
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, &Error{File: path, Code: CodeTooLarge}
	}
	l := layoutOf(path, format)
	if l.parsesYAML && len(source.Check(path, data)) > 0 {
		return nil, &Error{File: path, Code: CodeUnsafe}
	}
	o := &opening{job: j, path: path, data: data, layout: l}
	return limited(ctx, path, maxFileTime, o.run)
}

// limited runs sops apart: it takes no context, and it may panic. What takes too
// long is left behind; its result goes nowhere.
func limited(ctx context.Context, path string, most time.Duration, run func() (*opened, *Error)) (*opened, error) {
	timed, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	type outcome struct {
		file *opened
		err  *Error
	}
	done := make(chan outcome, 1)
	go func() {
		var out outcome
		defer func() {
			if recover() != nil { // the panic may hold a value
				out = outcome{err: &Error{Code: CodeMalformed}}
			}
			done <- out
		}()
		out.file, out.err = run()
	}()
	select {
	case out := <-done:
		if out.err != nil {
			out.err.File = path
			return nil, out.err
		}
		return out.file, nil
	case <-timed.Done():
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, &Error{File: path, Code: CodeTimeout}
	}
}

// opening is one file while it is decrypted.
type opening struct {
	opaque
	job    *job
	path   string
	data   []byte
	layout layout
}

func (o *opening) run() (*opened, *Error) {
	quiet()
	docs, err := o.layout.documents(o.path, o.data)
	if err != nil {
		return nil, &Error{Code: CodeMalformed}
	}
	tree, err := o.layout.store.LoadEncryptedFile(o.data)
	if err != nil || len(tree.Branches) != len(docs) {
		return nil, &Error{Code: CodeMalformed}
	}
	key, code := o.job.dataKey(&tree.Metadata)
	if code != "" {
		return nil, &Error{Code: code}
	}
	defer func() {
		clear(key)
		tree.Metadata.DataKey = nil
	}()
	leaves := encryptedLeaves(tree.Branches, docs)
	if err := unlock(tree, key, leaves); err != nil {
		return nil, err
	}
	return o.collect(tree, leaves)
}

// unlock decrypts the tree in place and verifies its MAC.
func unlock(tree sops.Tree, key []byte, leaves []leaf) *Error {
	if at := firstBroken(leaves, key); at != nil {
		return &Error{Key: at.pointer(), Code: CodeValue}
	}
	cipher := aes.NewCipher()
	computed, err := tree.Decrypt(key, cipher)
	if err != nil {
		return &Error{Code: CodeValue}
	}
	at := tree.Metadata.LastModified.Format(time.RFC3339)
	mac, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, key, at)
	if err != nil || mac != computed || computed == "" {
		return &Error{Code: CodeMAC}
	}
	return nil
}

// firstBroken finds the value that sops would fail at, which its error names
// only in words that quote it.
func firstBroken(leaves []leaf, key []byte) *leaf {
	for i, l := range leaves {
		if !opens(l, key) {
			return &leaves[i]
		}
	}
	return nil
}

// opens reports whether a value can be decrypted at its place. sops panics on a
// value of type bytes.
func opens(l leaf, key []byte) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_, err := aes.NewCipher().Decrypt(l.enc, key, l.path())
	return err == nil
}

// collect takes the values out of the decrypted tree.
func (o *opening) collect(tree sops.Tree, leaves []leaf) (*opened, *Error) {
	out := &opened{values: map[string]*value{}, binds: map[string]*value{}, suffix: tree.Metadata.UnencryptedSuffix}
	for _, l := range leaves {
		v, token, err := o.value(l)
		if err != nil {
			return nil, err
		}
		out.add(v)
		if token != "" {
			out.values[token] = v
		}
		if l.tokens[len(l.tokens)-1] == secrets.BindKey {
			out.binds[v.home] = v
		}
	}
	if token := secrets.SealedFileToken(o.path, o.data); o.job.wants(token) {
		text, err := o.layout.store.EmitPlainFile(tree.Branches)
		if err != nil {
			return nil, &Error{Code: CodeMalformed}
		}
		out.values[token] = &value{file: o.path, text: NewPlaintext(string(text))}
		out.add(out.values[token])
	}
	return out, nil
}

// wants reports whether a token stands in the target.
func (j *job) wants(token string) bool {
	return slices.ContainsFunc(j.sites, func(s site) bool { return s.token == token })
}

func (f *opened) add(v *value) {
	f.all = append(f.all, v)
	f.size += len(v.text.Reveal())
}

// value takes one leaf. A value that is no string has no token: it can only be
// part of a whole file.
func (o *opening) value(l leaf) (v *value, token string, _ *Error) {
	v = &value{file: o.path, key: l.pointer(), home: l.home()}
	switch now := l.get().(type) {
	case string:
		if secrets.IsSealed(now) {
			return nil, "", &Error{Key: v.key, Code: CodeNotSelected}
		}
		v.text = NewPlaintext(o.layout.line(now))
		return v, secrets.SealedToken(o.path, l.doc, l.tokens, l.enc), nil
	case int, float64, bool, time.Time:
		b, err := sops.ToBytes(now)
		if err != nil {
			return nil, "", &Error{Key: v.key, Code: CodeValue}
		}
		v.text = NewPlaintext(string(b))
		return v, "", nil
	}
	return nil, "", &Error{Key: v.key, Code: CodeValue}
}
