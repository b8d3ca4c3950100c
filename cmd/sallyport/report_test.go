package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/report"
	"github.com/sallyport/sallyport/testdata/peer"
)

// shardsOf checks a directory in n shards and returns their JSON reports.
func shardsOf(t *testing.T, dir string, n int, args ...string) []string {
	t.Helper()
	var files []string
	for i := range n {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.json", i))
		s, _, errs := world(nil)
		args := append([]string{"check", dir, "--shard", fmt.Sprintf("%d/%d", i+1, n), "-o", "json=" + file}, args...)
		if code := run(context.Background(), s, args); code > exitFindings {
			t.Fatalf("exit %d: %s", code, errs)
		}
		files = append(files, file)
	}
	return files
}

// TestMergeIsTheWhole holds that the merged report of any number of shards is that
// of one run, byte for byte, in every format.
func TestMergeIsTheWhole(t *testing.T) {
	dirs := map[string]string{"demo": "../../testdata/demo"}
	if !testing.Short() {
		dirs["archive"] = peer.Corpus(t, "onedr0p-home-ops-2022-08")
	}
	shards := []int{1, 2, 3, 7}
	if testing.Short() {
		shards = []int{3}
	}
	type result struct {
		code     int
		out, err string
	}
	do := func(args ...string) result {
		s, out, errs := world(nil)
		code := run(context.Background(), s, args)
		return result{code, out.String(), errs.String()}
	}
	for name, dir := range dirs {
		merged := map[int][]string{}
		for _, n := range shards {
			merged[n] = shardsOf(t, dir, n)
		}
		for _, format := range report.Formats() {
			if format == "html" {
				continue // shows the graph, which needs the repository
			}
			want := do("check", dir, "-o", format)
			for _, n := range shards {
				if got := do(append([]string{"report", "merge", "--source", dir, "-o", format}, merged[n]...)...); got != want {
					t.Errorf("%s in %d shards as %s: exit %d, want %d\n%s\n%s", name, n, format, got.code, want.code, got.err, want.err)
				}
			}
		}
	}
}

// TestMergeRefuses holds that what is not the whole of one run is not merged.
func TestMergeRefuses(t *testing.T) {
	a := shardsOf(t, "../../testdata/demo", 2)
	b := shardsOf(t, "../../testdata/demo", 2, "--strict")
	c := shardsOf(t, "../../testdata/demo", 3)
	for want, files := range map[string][]string{
		"shard 2/2 is missing":              {a[0]},
		"shard 1/2 is given twice":          {a[0], a[0]},
		"saw another revision":              {a[0], b[1]},
		"are not of one run":                {a[0], c[1]},
		"shards 1/3, 3/3 are missing":       {c[1]},
		"report_test.go: not a JSON report": {"report_test.go"},
		"needs the reports of all shards":   {},
	} {
		s, _, errs := world(nil)
		if code := run(context.Background(), s, append([]string{"report", "merge"}, files...)); code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("exit %d, want %d with %q: %s", code, exitUsage, want, errs)
		}
	}
}
