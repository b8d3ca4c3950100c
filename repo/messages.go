package repo

import (
	"bytes"
	"context"
	"fmt"
)

// Messages calls fn with the message of each commit of from..to, as it is stored:
// in the encoding that the commit names. The order and the errors are those of
// [Snapshot.Added].
func (s *Snapshot) Messages(ctx context.Context, from, to string, fn func(commit string, text []byte) error) error {
	g, err := s.history(ctx)
	if err != nil {
		return err
	}
	commits, err := g.commits(from, to)
	if err != nil {
		return fmt.Errorf("repository %s: %w", s.root, err)
	}
	if len(commits) == 0 {
		return nil
	}
	ids := make([]string, len(commits))
	for i, c := range commits {
		ids[i] = c.ID
	}
	return g.objects(ids, "commit", func(i int, content []byte) error {
		_, text, _ := bytes.Cut(content, []byte("\n\n"))
		return fn(ids[i], text)
	})
}
