package fetch

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// The names of references begin with these.
const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// references are what a repository offers, by full name.
type references struct {
	hashes map[string]plumbing.Hash
	head   string        // the branch that HEAD is; "" where it is not known
	tip    plumbing.Hash // of HEAD; zero where there is none
}

// wanted is what a reference means: one object, from now on.
type wanted struct {
	name string // in full; "" for a commit that was named by its SHA
	hash plumbing.Hash
}

var (
	fullSHA  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortSHA = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// resolve finds what the user means. A name that a branch and a tag have is
// refused: whoever may push a tag could choose what is applied.
func (r references) resolve(ref string) (wanted, error) {
	if fullSHA.MatchString(ref) {
		return wanted{hash: plumbing.NewHash(ref)}, nil
	}
	if ref == "" || ref == "HEAD" {
		return r.defaultBranch()
	}
	candidates := []string{branchPrefix + ref, tagPrefix + ref}
	if strings.HasPrefix(ref, "refs/") {
		candidates = []string{ref}
	}
	var found []wanted
	for _, name := range candidates {
		if hash, ok := r.hashes[name]; ok {
			found = append(found, wanted{name, hash})
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return wanted{}, fmt.Errorf("%w: %q is ambiguous, %s and %s have that name; write the one you mean in full",
			ErrReference, ref, found[0].name, found[1].name)
	case shortSHA.MatchString(ref):
		return wanted{}, fmt.Errorf("%w: %q is no branch and no tag; a commit is named by all 40 digits of its SHA", ErrReference, ref)
	}
	return wanted{}, fmt.Errorf("%w: %q is no branch and no tag", ErrReference, ref)
}

func (r references) defaultBranch() (wanted, error) {
	if hash, ok := r.hashes[r.head]; ok {
		return wanted{r.head, hash}, nil
	}
	if !r.tip.IsZero() {
		return wanted{"HEAD", r.tip}, nil
	}
	return wanted{}, fmt.Errorf("%w: the repository has no default branch; name one", ErrReference)
}

// advertises reports whether a hash is the tip of a reference, which every server
// gives.
func (r references) advertises(hash plumbing.Hash) bool {
	for _, h := range r.hashes {
		if h == hash {
			return true
		}
	}
	return hash == r.tip
}
