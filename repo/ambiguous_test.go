package repo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

// TestAmbiguousNames holds that a tag cannot stand in for the branch that a
// change is compared with.
func TestAmbiguousNames(t *testing.T) {
	f := newRepository(t)
	f.write("a.yaml", "a: 1\n")
	f.commit()
	f.git("update-ref", "refs/remotes/origin/main", "HEAD")
	f.git("branch", "other")
	for _, rev := range []string{"origin/main", "other", "other~0", "HEAD"} {
		f.open(repo.Selector{Rev: rev})
	}
	f.git("tag", "origin/main")
	f.git("tag", "other")
	for _, rev := range []string{"origin/main", "other", "other~0", "other^{commit}"} {
		err := openErr(t, f.dir, repo.Selector{Rev: rev})
		if !errors.Is(err, repo.ErrRevision) || !strings.Contains(err.Error(), "refs/tags/") {
			t.Errorf("%s: %v", rev, err)
		}
	}
	f.open(repo.Selector{Rev: "refs/remotes/origin/main"})
}
