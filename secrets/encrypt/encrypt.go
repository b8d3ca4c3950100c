// Package encrypt seals plaintext files for the recipients that a repository's
// creation rules name. It needs public keys only: nothing here knows an
// identity, looks for one, or could open a file again.
//
// # In place
//
// sops writes a file anew from what it understood of it: indentation, quotes,
// blank lines and flow collections are gone afterwards. Here only the values
// change, and the sops block is added; every other byte stays. That is only safe
// where both sides agree about the text, so the work is done twice. sops' own
// code reads the file and computes every ciphertext and the MAC; our parser says
// where the values stand. Then sops' code reads the result, opens it with the
// data key that is still in memory, and every leaf and its place is compared with
// the original. What does not come back equal is not written.
//
// # Comments
//
// sops encrypts the comments between encrypted values, and so does this package,
// as a line that was commented out may hold an old secret. Comments that are
// plain prose stay readable.
//
// # Plaintext
//
// Values are in memory only. No error, no warning and no temporary file holds
// one; the errors of sops, which quote values, are never passed on.
package encrypt

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// Options change how files are sealed. The zero value follows the creation rules
// alone.
type Options struct {
	// Recipients are age recipients for files that no creation rule is for.
	// Where a rule is, they must be exactly those of the rule.
	Recipients []string
	// Creation holds the creation rules; nil is the snapshot itself.
	Creation repo.Tree
	// AllComments encrypts comments that are plain prose too, as sops does.
	AllComments bool
}

// File is a file that was sealed in memory. [Write] puts it into its place.
type File struct {
	Path       string // relative to the repository root
	Format     secrets.Format
	Unnamed    bool // sops must be told the format, which the name does not say
	Values     int  // how many were encrypted
	Comments   int  // how many were encrypted
	Open       int  // comments that stay readable, being plain prose
	Recipients []secrets.Recipient
	Rule       finding.Span // of the creation rule; zero where Options named the recipients
	Selection  secrets.Selection
	Warnings   []Warning
	Committed  string // a revision that holds the file in the open, HEAD or @{upstream}; or empty

	before, after []byte
	isManifest    bool // holds a Kubernetes object
}

// Warning is something about a sealed file that its author should know.
type Warning struct {
	Span    finding.Span
	Message string
}

// Error says why a file is not sealed, and where. Hint is the way on, if there
// is one. Neither quotes a value.
type Error struct {
	Span    finding.Span
	Message string
	Hint    string
}

func (e *Error) Error() string { return e.Span.String() + ": " + e.Message }

// refusal is an Error about a file as a whole.
type refusal string

func (r refusal) Error() string { return string(r) }

// Seal seals files in memory. paths are relative to the root of the snapshot,
// which is a work tree. Nothing is written, and nothing is sealed unless all
// files can be: the error joins one *Error for each file that cannot.
func Seal(ctx context.Context, snap *repo.Snapshot, paths []string, opts Options) ([]*File, error) {
	tree, err := secrets.Seal(ctx, snap)
	if err != nil {
		return nil, err
	}
	if opts.Creation == nil {
		opts.Creation = snap
	}
	b := &batch{snap: snap, tree: tree, opts: opts}
	var files []*File
	var refused []error
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := b.file(ctx, path)
		if err != nil {
			refused = append(refused, named(path, err))
			continue
		}
		files = append(files, f)
	}
	if len(refused) == 0 {
		refused, err = b.check(ctx, files)
	}
	if err := errors.Join(append(refused, err)...); err != nil {
		return nil, err
	}
	return files, b.history(ctx, files)
}

// named makes an *Error about a file of what went wrong. What is about the
// machine and not about the file stays what it is.
func named(path string, err error) error {
	var place *Error
	var reason refusal
	var unread *repo.RefusedError
	at := finding.Span{File: path}
	switch {
	case errors.As(err, &place):
		if place.Span.File == "" {
			place.Span = at
		}
		return place
	case errors.As(err, &reason):
		return &Error{Span: at, Message: string(reason)}
	case errors.As(err, &unread):
		return &Error{Span: at, Message: unread.Reason}
	}
	return fmt.Errorf("%s: %w", path, err)
}
