package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkedIn runs check with a cache directory and returns what it prints.
func checkedIn(t *testing.T, cache, dir string, args ...string) string {
	t.Helper()
	s, out, errs := world(nil)
	args = append([]string{"check", dir, "-o", "json"}, args...)
	if cache != "" {
		args = append(args, "--cache-dir", cache)
	}
	if code := run(context.Background(), s, args); code > exitFindings {
		t.Fatalf("exit %d: %s", code, errs)
	}
	return out.String()
}

// entriesOf lists the entries of a kind.
func entriesOf(t *testing.T, cache, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(cache, kind+"-*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no entry of kind %s: %v", kind, err)
	}
	return found
}

// TestCacheSaysTheSame holds that a run that reads what an earlier one found, as a
// whole or in parts, prints the same bytes as one without a cache.
func TestCacheSaysTheSame(t *testing.T) {
	dir, cache := copyOf(t, "../../testdata/demo"), t.TempDir()
	same := func(what string) {
		t.Helper()
		if got, want := checkedIn(t, cache, dir), checkedIn(t, "", dir, "--no-cache"); got != want {
			t.Errorf("%s: the cache says\n%s\nwant\n%s", what, got, want)
		}
	}
	same("an empty cache")
	same("nothing changed")
	for _, entry := range entriesOf(t, cache, "run") {
		if err := os.Remove(entry); err != nil {
			t.Fatal(err)
		}
	}
	same("only parts are kept")
	files, err := filepath.Glob(filepath.Join(dir, "base", "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write := func(data []byte) {
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(append([]byte("# moved\n"), data...))
		same("a line before " + file)
		write(data)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.yaml"), []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {p: correct-horse}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	same("a secret beside the targets")
	if err := os.RemoveAll(filepath.Join(dir, "base", "worker")); err != nil {
		t.Fatal(err)
	}
	same("a base removed")
}

// TestCacheDamaged holds that damaged, cut, foreign and exchanged entries are as
// none, and are replaced.
func TestCacheDamaged(t *testing.T) {
	dir, cache := copyOf(t, "../../testdata/demo"), t.TempDir()
	want := checkedIn(t, cache, dir)
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"empty":   func([]byte) []byte { return nil },
		"a bit":   func(b []byte) []byte { b[len(b)-7] ^= 4; return b },
		"version": func(b []byte) []byte { return append([]byte("sallyport verdicts 0\n"), b[21:]...) },
		"foreign": func([]byte) []byte { return []byte("gob\x00\xff\xff\xff\x7f") },
	} {
		for _, kind := range []string{"run", "parts"} {
			entry := entriesOf(t, cache, kind)[0]
			data, err := os.ReadFile(entry)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(entry, damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := checkedIn(t, cache, dir); got != want {
			t.Errorf("%s: the report differs", name)
		}
	}
	// An entry under the name of another is not taken for it.
	run, parts := entriesOf(t, cache, "run")[0], entriesOf(t, cache, "parts")[0]
	data, _ := os.ReadFile(parts)
	if err := os.WriteFile(run, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := checkedIn(t, cache, dir); got != want {
		t.Error("exchanged entries: the report differs")
	}
}

// TestCacheHoldsNoSecret holds that no secret value of a repository full of them
// is in the cache or in the report of a shard, in any form.
func TestCacheHoldsNoSecret(t *testing.T) {
	dir, cache := canaryRepository(t), t.TempDir()
	outputs := map[string]string{"the report of a shard": checkedIn(t, "", dir, "--shard", "1/1")}
	checkedIn(t, cache, dir)
	for _, kind := range []string{"run", "parts"} {
		data, err := os.ReadFile(entriesOf(t, cache, kind)[0])
		if err != nil {
			t.Fatal(err)
		}
		outputs["the entry of the "+kind] = string(data)
	}
	for name, output := range outputs {
		for what, value := range canaries {
			for form, text := range forms(value) {
				if strings.Contains(output, text) {
					t.Errorf("%s holds the %s value, %s", name, what, form)
				}
			}
		}
	}
}

// copyOf copies a directory, so that a test can change it.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestCacheOfTheRepository holds that a repository cannot bring its own verdicts:
// not as files, and not behind a symbolic link.
func TestCacheOfTheRepository(t *testing.T) {
	dir := copyOf(t, "../../testdata/demo")
	brought := filepath.Join(dir, ".cache")
	if err := os.Mkdir(brought, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(brought, "run-0"), []byte("verdict"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(brought, link); err != nil {
		t.Fatal(err)
	}
	for _, cache := range []string{brought, link} {
		s, _, errs := world(nil)
		if code := run(context.Background(), s, []string{"check", dir, "--cache-dir", cache}); code != exitUsage {
			t.Errorf("--cache-dir %s: exit %d, want %d: %s", cache, code, exitUsage, errs)
		}
	}
}
