package secrets

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
	"github.com/sallyport/sallyport/testdata/peer"
)

func corpus(t testing.TB, name string) (*repo.Snapshot, *Sealed) {
	t.Helper()
	snap, err := repo.Open(context.Background(), peer.Corpus(t, name), repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Seal(context.Background(), snap)
	if err != nil {
		t.Fatal(err)
	}
	return snap, s
}

// A repository whose secrets are encrypted gives no finding about them.
func TestCorpusEncrypted(t *testing.T) {
	_, s := corpus(t, "onedr0p-home-ops-2022-08")
	ctx := context.Background()
	files, err := s.Encrypted(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 52 {
		t.Errorf("got %d encrypted files, want 52", len(files))
	}
	found, err := s.CheckFiles(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	// The one value that is not encrypted: a password that the chart is given.
	plain := "cluster/apps/monitoring/unifi-poller/helm-release.yaml:37:30"
	for _, f := range found {
		if f.Location.String() != plain {
			t.Errorf("%s %s: %s", f.Location, f.Rule, f.Message)
		}
	}
	if len(found) != 1 {
		t.Errorf("%d findings, want 1 at %s", len(found), plain)
	}
	d, err := render.Discover(ctx, s, render.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	builder, flows := render.NewBuilder(s, render.Options{}), 0
	for _, target := range d.Targets {
		r, err := builder.Build(ctx, target)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.CheckRendered(r) {
			if f.Location.String() == plain {
				continue
			}
			t.Errorf("%s: %s %s: %s", target.Path, f.Location, f.Rule, f.Message)
		}
		flows += len(s.Flows(r))
	}
	if flows == 0 {
		t.Error("no secret was followed")
	}
}

// Every value of every Secret of this repository is in plaintext, and found.
func TestCorpusPlaintext(t *testing.T) {
	snap, s := corpus(t, "gitops-catalog")
	found, err := s.CheckFiles(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]bool{}
	for _, f := range found {
		if f.Location.Start.Line == 0 {
			t.Errorf("%s has no line: %s", f.Location, f.Message)
		}
		if f.Object != nil {
			at[f.Location.File+f.Pointer+f.Object.String()] = true
		}
	}
	secrets := 0
	for _, e := range snap.Files() {
		data, err := snap.ReadFile(e.Path)
		if err != nil || !source.IsYAML(e.Path) {
			continue
		}
		f, err := source.Parse(e.Path, data)
		if err != nil {
			continue
		}
		for _, doc := range f.Docs {
			if v, err := source.Decode(doc.Root); err == nil && expectPlaintext(t, e.Path, v, at) {
				secrets++
			}
		}
	}
	if secrets < 49 {
		t.Errorf("got %d Secrets with plaintext, want at least 49", secrets)
	}
}

// expectPlaintext reports whether v is a Secret with a value, and fails the test
// for each value that no finding names.
func expectPlaintext(t *testing.T, path string, v any, at map[string]bool) bool {
	m, ok := v.(map[string]any)
	if !ok || m["kind"] != "Secret" {
		return false
	}
	metadata, _ := m["metadata"].(map[string]any)
	object := finding.Object{Kind: "Secret"}
	object.Name, _ = metadata["name"].(string)
	object.Namespace, _ = metadata["namespace"].(string)
	plain := false
	for _, field := range []string{"data", "stringData"} {
		values, _ := m[field].(map[string]any)
		for key, value := range values {
			if value == nil || strings.TrimSpace(value.(string)) == "" {
				continue
			}
			plain = true
			if !at[path+source.Pointer(field, key)+object.String()] {
				t.Errorf("%s: %s %s was not found", path, field, key)
			}
		}
	}
	return plain
}

// Sealing and checking take time linear in a file's size, whatever it repeats.
// No time is measured: what grows with the square of half a mebibyte does not
// end before the test's timeout.
func TestHostileRepetition(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes in one goroutine")
	}
	size := 512 << 10
	if testing.Short() {
		size = 32 << 10
	}
	for _, piece := range []string{
		"-----BEGIN PRIVATE KEY-----", "Secret'", "Secret \"", "x://", "x://a:", `"auth": "`, "AGE-SECRET-KEY-1",
		"client-key-data: ", "name: key env value ", "A", "AAAA=", "A\n", `\x41`, "${a", "{{", "ENC[AES256_GCM,", "sops_mac=",
		"[sops]\n", "kind: Secret\n", "#ENC[AES256_GCM,type:comment]", "plainTok", "sops: {", "password: hunter2\n", "- password: hunter2\n", "secretGenerator: [",
	} {
		text := strings.Repeat(piece, size/len(piece))
		s := seal(t, memTree{"s.yaml": text, "s.txt": text})
		for _, path := range []string{"s.yaml", "s.txt"} {
			_, _ = s.ReadFile(path) // a refusal is fine
			s.Masked(path)
		}
		check(t, s)
	}
}

func BenchmarkSeal(b *testing.B) {
	snap, _ := corpus(b, "operate-first-apps")
	size := warm(snap)
	b.SetBytes(size)
	for b.Loop() {
		s, err := Seal(context.Background(), snap)
		if err != nil {
			b.Fatal(err)
		}
		err = s.each(context.Background(), s.within(""), func(_ int, path string) error {
			_, _ = s.ReadFile(path)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckFiles(b *testing.B) {
	snap, s := corpus(b, "operate-first-apps")
	b.SetBytes(warm(snap))
	for b.Loop() {
		if _, err := s.CheckFiles(context.Background(), ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckRepository is what a user waits for: everything that is known of
// the files of a repository, from their bytes on.
func BenchmarkCheckRepository(b *testing.B) {
	for _, name := range []string{"operate-first-apps", "onedr0p-home-ops-2022-08"} {
		b.Run(name, func(b *testing.B) {
			snap, _ := corpus(b, name)
			b.SetBytes(warm(snap))
			for b.Loop() {
				s, err := Seal(context.Background(), snap)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.CheckFiles(context.Background(), ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// warm reads every file once, so that the disk is not measured.
func warm(snap *repo.Snapshot) int64 {
	size := 0
	for _, e := range snap.Files() {
		data, _ := snap.ReadFile(e.Path)
		size += len(data)
	}
	return int64(size)
}
