package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxCommits is how many commits are looked through for one.
const maxCommits = 100_000

// Contains reports whether a commit is this one or behind it, as far as the
// history was fetched: an earlier revision that is not contained was rewritten, or
// lies deeper. It is false for what is not a full SHA.
func (s *Source) Contains(ctx context.Context, sha string) (bool, error) {
	seen := map[plumbing.Hash]bool{}
	for queue := []*commit{s.commit}; len(queue) > 0 && len(seen) < maxCommits; queue = queue[1:] {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if queue[0].id == sha {
			return true, nil
		}
		for _, parent := range queue[0].parents {
			if seen[parent] {
				continue
			}
			seen[parent] = true
			data, err := s.objects.get(plumbing.CommitObject, parent)
			if errors.Is(err, plumbing.ErrObjectNotFound) {
				continue // where a shallow history ends
			}
			if err != nil {
				return false, fmt.Errorf("fetch: history of %s: %w", s.commit.id, err)
			}
			c, err := parseCommit(parent, data)
			if err != nil {
				return false, fmt.Errorf("fetch: history of %s: %w", s.commit.id, err)
			}
			queue = append(queue, c)
		}
	}
	return false, nil
}
