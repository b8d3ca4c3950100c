// Package secrets knows what is encrypted in a repository, and how, without a
// key: the structure of sops files, the sealed tree that everything else reads,
// the way of every secret through a render, and plaintext where a secret
// belongs.
//
// # The sealed tree
//
// [Seal] wraps a tree. Reading through it, every value that sops encrypted is a
// token of 64 characters, and so is every plaintext value of a Secret, of a
// secretGenerator and of the files that one names. Tokens are made from the
// place of a value (and, where it is encrypted, from the ciphertext), never from
// the plaintext. Nothing behind the seal, be it kustomize, a schema, a policy or
// a report, can print a secret, because it never sees one. Lines keep their
// numbers; [Sealed.Original] gives the columns in the repository.
//
// # The token flow
//
// kustomize can copy any field into any other. [Sealed.CheckRendered] follows
// the tokens: each must end up whole in data or stringData of a v1 Secret. Where
// one is found anywhere else, whole or in part, a secret would leak when the
// real value takes its place.
//
// What can be found: a token, and a part of one from 12 characters on, as it is,
// in another case, in base64 or in hexadecimal. What cannot: shorter parts, parts
// that are encrypted or compressed, and a value that a program computes at run
// time. None of these is ever replaced by the real value, which only happens to
// whole tokens in permitted fields.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// Sealed is a tree in which tokens stand for all secrets. It is safe for
// concurrent use. Files are sealed when they are first read and kept.
type Sealed struct {
	tree     repo.Tree
	uses     map[string]use
	mentions []*Mentions // by kustomization, sorted
	sheets   sync.Map    // path to *lazySheet
	columns  sync.Map    // path to *columns, of files that sealing changed

	mu     sync.Mutex
	hidden map[string][]finding.Span // places of secrets that only the render showed
}

type lazySheet struct {
	once  sync.Once
	sheet *sheet // nil where the file holds nothing to seal
	err   error
}

// Seal wraps a tree. It reads the kustomizations of the tree at once, to learn
// which files their generators turn into Secrets, and everything else on demand.
//
// Encrypted strings of Kubernetes manifests become tokens one by one; encrypted
// numbers and booleans become a placeholder of their type; a dotenv file keeps
// its keys; any other encrypted file becomes one token as a whole. The sops block
// and encrypted comments are blanked out. [IsReference] says which plaintext
// values are let through.
func Seal(ctx context.Context, tree repo.Tree) (*Sealed, error) {
	return SealKnowing(ctx, tree, func(string) *Mentions { return nil })
}

// SealKnowing is Seal where known gives the mentions of the kustomizations whose
// bytes are what they were when [Sealed.Mentions] told them, and nil of all others.
// What is known is not read.
func SealKnowing(ctx context.Context, tree repo.Tree, known func(path string) *Mentions) (*Sealed, error) {
	mentions, err := findMentions(ctx, tree, known)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Sealed{tree: tree, uses: usesOf(mentions), mentions: mentions, hidden: map[string][]finding.Span{}}, nil
}

// Mentions returns what a kustomization says about other files. It is nil for
// other files, and where what it says does not depend on its own bytes alone.
func (s *Sealed) Mentions(path string) *Mentions {
	i, ok := slices.BinarySearchFunc(s.mentions, path, func(m *Mentions, path string) int { return strings.Compare(m.kustomization, path) })
	if !ok || s.mentions[i].others {
		return nil
	}
	return s.mentions[i]
}

// Files lists every entry of the tree underneath.
func (s *Sealed) Files() []repo.Entry { return s.tree.Files() }

// Lookup returns the entry at a clean path. Its size is that of the file before
// it was sealed.
func (s *Sealed) Lookup(path string) (repo.Entry, bool) { return s.tree.Lookup(path) }

// IsDir reports whether any entry lies below path.
func (s *Sealed) IsDir(path string) bool { return s.tree.IsDir(path) }

// ReadFile returns a file with tokens for its secrets. A file that may hold
// secrets and cannot be parsed, or must not be, is refused with a
// *repo.RefusedError.
func (s *Sealed) ReadFile(path string) ([]byte, error) {
	data, err := s.tree.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sh, err := s.sheet(path, data)
	switch {
	case err != nil:
		return nil, err
	case sh == nil:
		return data, nil
	}
	return sh.sealed, nil
}

// sheet returns what is secret in a file, nil where nothing is.
func (s *Sealed) sheet(path string, data []byte) (*sheet, error) {
	v, _ := s.sheets.LoadOrStore(path, &lazySheet{})
	lazy := v.(*lazySheet)
	lazy.once.Do(func() {
		use := s.uses[path]
		if !mayMatter(path, data, use) {
			return
		}
		if sh := newSheet(path, data, use); sh.refused != nil {
			lazy.sheet, lazy.err = sh, sh.refused
		} else if len(sh.edits) > 0 || len(sh.values) > 0 || len(sh.findings) > 0 || len(sh.exposed) > 0 {
			lazy.sheet = sh
			if len(sh.edits) > 0 {
				s.columns.Store(path, sh.columns())
			}
		}
	})
	return lazy.sheet, lazy.err
}

// read is ReadFile for our own checks: the bytes as they are in the repository,
// and the sheet. Refused files give no bytes and no error: whoever builds a
// target from one says so.
func (s *Sealed) read(path string) ([]byte, *sheet, error) {
	data, err := s.tree.ReadFile(path)
	var refused *repo.RefusedError
	if errors.As(err, &refused) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("secrets: %w", err)
	}
	sh, _ := s.sheet(path, data)
	return data, sh, nil
}
