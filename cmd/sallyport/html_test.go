package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// TestHTMLDemo keeps the page of the demo as a file, so that a change of the
// page shows, and anyone can open it.
func TestHTMLDemo(t *testing.T) {
	const golden = "testdata/demo.html"
	want, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/demo")); err != nil {
		t.Fatal(err)
	}
	s, out, errs := world(nil)
	if code := run(context.Background(), s, []string{"check", dir, "-o", "html"}); code != 1 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, wanted := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
	for i := range got {
		if i >= len(wanted) || got[i] != wanted[i] {
			t.Fatalf("%s differs from line %d on (go test ./cmd/sallyport -run HTMLDemo -update writes it): %s", golden, i+1, got[i])
		}
	}
	if len(got) != len(wanted) {
		t.Errorf("%s has %d lines more", golden, len(wanted)-len(got))
	}
}
