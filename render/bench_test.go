package render

import (
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/fleet"
)

// cpuTime is what the process has used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkBuild renders a fleet of 200 overlays, of 12 objects each, on all
// processors.
func BenchmarkBuild(b *testing.B) {
	dir := b.TempDir()
	if err := fleet.Write(dir, fleet.Options{Apps: 20, Envs: 10}); err != nil {
		b.Fatal(err)
	}
	tree, err := repo.Open(b.Context(), dir, repo.Selector{})
	if err != nil {
		b.Fatal(err)
	}
	targets := discovered(b, tree, DiscoverOptions{}).Targets
	start, used := time.Now(), cpuTime(b)
	built := 0
	for b.Loop() {
		built += buildAll(b, tree, targets)
	}
	b.ReportMetric(float64(built)/time.Since(start).Seconds(), "overlays/s")
	b.ReportMetric(float64((cpuTime(b)-used).Microseconds())/1000/float64(built), "cpu-ms/overlay")
}

// buildAll builds and prints every target with a new Builder.
func buildAll(b *testing.B, tree repo.Tree, targets []Target) int {
	builder := NewBuilder(tree, Options{})
	work := make(chan Target)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for target := range work {
				r, err := builder.Build(b.Context(), target)
				if err != nil || r.Reason != "" {
					b.Errorf("%s: %v %s", target.Path, err, r.Reason)
				}
				if r.Digest() == "" {
					b.Errorf("%s: no digest", target.Path)
				}
			}
		})
	}
	for _, target := range targets {
		work <- target
	}
	close(work)
	wait.Wait()
	return len(targets)
}

// BenchmarkDiscover finds the targets of the same fleet.
func BenchmarkDiscover(b *testing.B) {
	dir := b.TempDir()
	if err := fleet.Write(dir, fleet.Options{Apps: 20, Envs: 10}); err != nil {
		b.Fatal(err)
	}
	tree, err := repo.Open(b.Context(), dir, repo.Selector{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		discovered(b, tree, DiscoverOptions{})
	}
}
