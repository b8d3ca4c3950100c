package encrypt

import (
	"bytes"
	"context"
	"errors"

	"github.com/sallyport/sallyport/repo"
)

// history notes which files a commit holds in the open, so that their values may
// have left the machine.
func (b *batch) history(ctx context.Context, files []*File) error {
	if b.snap.Revision() == "" {
		return nil
	}
	for _, rev := range []string{"@{upstream}", "HEAD"} {
		commit, err := repo.Open(ctx, b.snap.Root(), repo.Selector{Rev: rev})
		if errors.Is(err, repo.ErrRevision) {
			continue // a branch without an upstream
		}
		if err != nil {
			return err
		}
		for _, f := range files {
			data, err := commit.ReadFile(f.Path)
			if err == nil && f.Committed == "" && !bytes.Contains(data, []byte("ENC[AES256_GCM,")) {
				f.Committed = rev
			}
		}
	}
	return nil
}
