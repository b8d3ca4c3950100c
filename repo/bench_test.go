package repo_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/fleet"
)

// BenchmarkSnapshot opens a repository of 1,000 overlays, 5,408 files, and
// reads every file once.
func BenchmarkSnapshot(b *testing.B) {
	dir := b.TempDir()
	if err := fleet.Write(dir, fleet.Options{}); err != nil {
		b.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "c"}, {"gc", "-q"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = dir, identity()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	for name, sel := range map[string]repo.Selector{"worktree": {}, "index": {Staged: true}, "commit": {Rev: "HEAD"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				readEverything(b, dir, sel)
			}
		})
	}
	if err := os.RemoveAll(dir + "/.git"); err != nil {
		b.Fatal(err)
	}
	b.Run("directory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readEverything(b, dir, repo.Selector{})
		}
	})
}

func readEverything(b *testing.B, dir string, sel repo.Selector) {
	s, err := repo.Open(context.Background(), dir, sel)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range s.Files() {
		if _, err := s.ReadFile(e.Path); err != nil {
			b.Fatal(err)
		}
	}
}
