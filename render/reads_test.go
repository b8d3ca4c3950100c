package render

import (
	"context"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/peer"
)

// TestReadsForeseen holds that every path that a build asks for is known before
// the build: what changes nothing that Reads names changes no target.
func TestReadsForeseen(t *testing.T) {
	for _, name := range []string{"onedr0p-home-ops-2022-08", "onedr0p-home-ops", "gitops-catalog", "operate-first-apps"} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			snap, err := repo.Open(ctx, peer.Corpus(t, name), repo.Selector{})
			if err != nil {
				t.Fatal(err)
			}
			found, err := Discover(ctx, snap, DiscoverOptions{})
			if err != nil {
				t.Fatal(err)
			}
			b := NewBuilder(snap, Options{})
			for i, target := range found.Targets {
				if testing.Short() && i%10 != 0 {
					continue
				}
				foreseen, exact := b.Reads(target)
				if !exact {
					continue
				}
				r, err := b.Build(ctx, target)
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range r.Reads.Files {
					if !slices.Contains(foreseen.Files, file) {
						t.Errorf("%s reads %s, which was not foreseen", target.Path, file)
					}
				}
				for _, file := range r.Reads.Missing {
					if !slices.Contains(foreseen.Missing, file) {
						t.Errorf("%s misses %s, which was not foreseen", target.Path, file)
					}
				}
			}
		})
	}
}
