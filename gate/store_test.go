package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyNamed is a key for tests.
func keyNamed(name string) key {
	h := newHasher()
	h.add(name)
	return h.key()
}

// TestStoreIsBounded holds that a store keeps its bound whatever is written, that
// what was used last stays, and that the files of others do.
func TestStoreIsBounded(t *testing.T) {
	const entry = 40 << 10
	s := store{t.TempDir(), 256 << 10, 64 << 10} // six entries fit, in the proportions of the real bounds
	text := strings.Repeat("x", entry)
	foreign := filepath.Join(s.dir, "notes.txt")
	if err := os.WriteFile(foreign, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(-10 * time.Hour)
	for i := range 9 {
		k := keyNamed(fmt.Sprint(i))
		s.save(entryRun, k, text)
		used := start.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(s.path(entryRun, k), used, used); err != nil {
			t.Fatalf("entry %d is not kept: %v", i, err)
		}
		var got string
		if i == 0 {
			continue
		}
		if !s.load(entryRun, keyNamed("0"), &got) || got != text { // marks it as used now
			t.Fatalf("after entry %d the one that is used all the time is gone", i)
		}
	}
	total, names := sizeOf(t, s.dir)
	if total -= entry; total > s.maxAll {
		t.Errorf("%d KiB are kept, of %d: %v", total>>10, s.maxAll>>10, names)
	}
	if total < s.maxAll-2*entry {
		t.Errorf("only %d KiB are kept: %v", total>>10, names)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("the file of somebody else: %v", err)
	}
	for i, want := range map[int]bool{0: true, 1: false, 2: false, 8: true} {
		var got string
		if s.load(entryRun, keyNamed(fmt.Sprint(i)), &got) != want {
			t.Errorf("entry %d is kept: %v, want %v", i, !want, want)
		}
	}
}

// TestStoreForgets holds that entries which nobody used for long go, that so does
// what a process left that died, and that what another is just writing stays.
func TestStoreForgets(t *testing.T) {
	s := newStore(t.TempDir())
	old, dead, written := s.path(entryParts, keyNamed("old")), filepath.Join(s.dir, temporary+"1"), filepath.Join(s.dir, temporary+"2")
	s.save(entryParts, keyNamed("old"), "old")
	for _, name := range []string{dead, written} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	age(t, old, maxStoreAge+time.Hour)
	age(t, dead, markUsedAfter+time.Hour)
	s.save(entryParts, keyNamed("new"), "new")
	for name, want := range map[string]bool{old: false, dead: false, written: true, s.path(entryParts, keyNamed("new")): true} {
		if _, err := os.Stat(name); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(name), err == nil, want)
		}
	}
}

// TestStoreTooLarge holds that an entry that would push out most others is not kept.
func TestStoreTooLarge(t *testing.T) {
	const most = 64 << 10
	for size, want := range map[int]int{most / 2: 1, most: 0} {
		s := store{t.TempDir(), 256 << 10, most}
		s.save(entryRun, keyNamed(fmt.Sprint(size)), strings.Repeat("x", size))
		if _, names := sizeOf(t, s.dir); len(names) != want {
			t.Errorf("an entry of %d bytes: kept are %v", size, names)
		}
	}
}

func age(t *testing.T, name string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	if err := os.Chtimes(name, at, at); err != nil {
		t.Fatal(err)
	}
}

func sizeOf(t *testing.T, dir string) (total int64, names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		names = append(names, e.Name())
	}
	return total, names
}
