package repo_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/fleet"
)

// run runs Git in a benchmark's repository.
func run(b *testing.B, dir, stdin string, args ...string) {
	b.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, identity(), strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// overlays is a repository of applications in 20 environments each.
func overlays(b *testing.B, apps int) (dir string) {
	b.Helper()
	dir = b.TempDir()
	if err := fleet.Write(dir, fleet.Options{Apps: apps}); err != nil {
		b.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond) // the index is later than every file
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "c"}, {"gc", "-q"}} {
		run(b, dir, "", args...)
	}
	return dir
}

// BenchmarkSnapshot opens a repository of 1,000 overlays, 5,408 files, and
// reads every file once.
func BenchmarkSnapshot(b *testing.B) {
	dir := overlays(b, fleet.DefaultApps)
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

// BenchmarkChanged compares a repository of 5,408 files with HEAD, opening both
// each time: unchanged, and as on a system or after a copy where the index
// proves nothing, so that every file is read.
func BenchmarkChanged(b *testing.B) {
	dir := overlays(b, fleet.DefaultApps)
	compare := func(b *testing.B, sel repo.Selector) {
		for b.Loop() {
			s, err := repo.Open(b.Context(), dir, sel)
			if err != nil {
				b.Fatal(err)
			}
			base, err := s.Base(b.Context(), "main")
			if err != nil {
				b.Fatal(err)
			}
			if changes, err := s.Changed(b.Context(), base); err != nil || len(changes) != 0 {
				b.Fatal(changes, err)
			}
		}
	}
	b.Run("worktree", func(b *testing.B) { compare(b, repo.Selector{}) })
	b.Run("index", func(b *testing.B) { compare(b, repo.Selector{Staged: true}) })
	b.Run("commit", func(b *testing.B) { compare(b, repo.Selector{Rev: "HEAD"}) })
	if err := os.WriteFile(dir+"/.git/info/attributes", []byte("* ident\n"), 0o666); err != nil {
		b.Fatal(err)
	}
	b.Run("unproved", func(b *testing.B) { compare(b, repo.Selector{}) })
}

// BenchmarkID names all 5,408 files of an open snapshot of a clean work tree.
func BenchmarkID(b *testing.B) {
	dir := overlays(b, fleet.DefaultApps)
	for b.Loop() {
		b.StopTimer()
		s, err := repo.Open(b.Context(), dir, repo.Selector{})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for _, e := range s.Files() {
			if _, ok := s.ID(e.Path); !ok {
				b.Fatal(e.Path)
			}
		}
	}
}

// history adds commits of five files each to the branch main.
func history(b *testing.B, dir string, commits int) {
	var in strings.Builder
	in.WriteString("reset refs/heads/main\nfrom refs/heads/main^0\n\n")
	for i := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 1\nc\n", 1_800_000_000+i)
		for j := range 5 {
			content := strings.Repeat(fmt.Sprintf("key%d: value\n", i), 100)
			fmt.Fprintf(&in, "M 100644 inline d%d/f%d.yaml\ndata %d\n%s\n", j, i%40, len(content), content)
		}
	}
	run(b, dir, in.String(), "fast-import", "--quiet")
}

// BenchmarkAdded reads what 200 commits of five files each add to a repository
// of 1,000 files.
func BenchmarkAdded(b *testing.B) {
	dir := overlays(b, 10)
	history(b, dir, 200)
	s, err := repo.Open(b.Context(), dir, repo.Selector{Rev: "main"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		if err := s.Added(b.Context(), "main~200", "main", func(repo.Addition) error { n++; return nil }); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkLastChanged dates 1,000 encrypted files, all older than the last 200
// commits.
func BenchmarkLastChanged(b *testing.B) {
	dir := overlays(b, fleet.DefaultApps)
	history(b, dir, 200)
	s, err := repo.Open(b.Context(), dir, repo.Selector{Rev: "main"})
	if err != nil {
		b.Fatal(err)
	}
	var paths []string
	for _, e := range s.Files() {
		if strings.HasSuffix(e.Path, ".enc.yaml") {
			paths = append(paths, e.Path)
		}
	}
	for b.Loop() {
		if times, err := s.LastChanged(b.Context(), paths); err != nil || len(times) != len(paths) || len(paths) == 0 {
			b.Fatal(len(times), len(paths), err)
		}
	}
}
