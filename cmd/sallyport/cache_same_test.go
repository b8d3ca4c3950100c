package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/sallyport/sallyport/testdata/attacks"
	"github.com/sallyport/sallyport/testdata/peer"
)

// attackStep is how many attacks are passed over for each that is tried with a
// cache: a dozen of them, of most rows of the table.
const attackStep = 21

// TestCacheSaysTheSameOfAttacks holds that verdicts which are kept of one state of
// a repository, and of other repositories in the same directory, hide no attack:
// the run that has them prints the bytes of one that has none.
func TestCacheSaysTheSameOfAttacks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	all, w, cache := attacks.Read(t, "../../testdata/attacks"), attacks.NewWorkshop(t), t.TempDir()
	for i := 0; i < len(all); i += attackStep {
		a := all[i]
		r := repository{w.Build(t, a)}
		said := func(flags ...string) string {
			s, out, errs := world(nil)
			code := run(t.Context(), s, append([]string{"check", r.Dir, "-o", "json"}, flags...))
			return fmt.Sprintf("%s%sexit %d\n", out, errs, code)
		}
		for _, branch := range []string{attacks.BranchBase, attacks.BranchAttack} {
			r.Checkout(branch)
			want := said("--no-cache")
			for _, what := range []string{"what is new", "all of it kept"} {
				if got := said("--cache-dir", cache); got != want {
					t.Errorf("%s, %s, %s: the cache says\n%s\nwant\n%s", a.Name, branch, what, got, want)
				}
			}
		}
	}
}

// TestCacheSaysTheSameOfAnArchive holds the same of a large repository, of which
// the whole verdict is kept, or only its parts.
func TestCacheSaysTheSameOfAnArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir, cache := peer.Corpus(t, "gitops-catalog"), t.TempDir()
	want := checkedIn(t, "", dir, "--no-cache")
	for _, what := range []string{"nothing kept", "all of it kept", "parts kept"} {
		if what == "parts kept" {
			for _, entry := range entriesOf(t, cache, "run") {
				if err := os.Remove(entry); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := checkedIn(t, cache, dir); got != want {
			t.Errorf("%s: the cache says %d bytes, want %d", what, len(got), len(want))
		}
	}
}
