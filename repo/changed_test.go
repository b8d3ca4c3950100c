package repo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/repo"
)

func changed(t *testing.T, s, base *repo.Snapshot) string {
	t.Helper()
	changes, err := s.Changed(t.Context(), base)
	if err != nil {
		t.Fatalf("Changed: %v", err)
	}
	var out []string
	for _, c := range changes {
		out = append(out, c.Status.String()+" "+c.Path)
	}
	return strings.Join(out, ", ")
}

func at(t *testing.T, s *repo.Snapshot, rev string) *repo.Snapshot {
	t.Helper()
	other, err := s.At(t.Context(), rev)
	if err != nil {
		t.Fatalf("At(%s): %v", rev, err)
	}
	return other
}

// chmod sets the bit that Git keeps.
func (f fixture) chmod(name string, executable bool) {
	f.t.Helper()
	mode := os.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	if err := os.Chmod(f.path(name), mode); err != nil {
		f.t.Fatal(err)
	}
}

func TestChangedKinds(t *testing.T) {
	f := newRepository(t)
	for _, name := range []string{"same", "edited", "gone", "old-name", "run", "to-link", "to-directory", "dir/x"} {
		f.write(name, "content of "+name)
	}
	f.symlink("same", "link")
	f.symlink("gone", "from-link")
	base := f.commit()
	f.write("edited", "content of EDITED")
	f.remove("gone")
	f.git("mv", "old-name", "new-name")
	f.chmod("run", true)
	f.remove("to-link")
	f.symlink("same", "to-link")
	f.remove("to-directory")
	f.write("to-directory/y", "y")
	f.remove("link")
	f.symlink("eman", "link")
	f.remove("from-link")
	f.write("from-link", "gone")
	f.write("untracked", "u")
	f.write(".gitignore", "ignored\n")
	f.write("ignored", "i")
	const want = "added .gitignore, modified edited, type changed from-link, deleted gone, modified link, added new-name, " +
		"deleted old-name, modified run, deleted to-directory, added to-directory/y, type changed to-link, added untracked"
	check := func(sel repo.Selector) {
		t.Helper()
		s := f.open(sel)
		if got := changed(t, s, at(t, s, base)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", s.Kind(), got, want)
		}
		if got := changed(t, s, s); got != "" {
			t.Errorf("%s against itself: %s", s.Kind(), got)
		}
	}
	check(repo.Selector{})
	f.git("add", "-A")
	check(repo.Selector{})
	check(repo.Selector{Staged: true})
	f.git("commit", "-q", "-m", "c")
	check(repo.Selector{})
	check(repo.Selector{Rev: "HEAD"})
}

func TestChangedSubmodule(t *testing.T) {
	sub := newRepository(t)
	sub.write("s", "1")
	sub.commit()
	f := newRepository(t)
	f.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.dir, "vendor")
	base := f.commit()
	s := f.open(repo.Selector{})
	if got := changed(t, s, at(t, s, base)); got != "" {
		t.Errorf("unchanged: %s", got)
	}
	inner := fixture{t, f.path("vendor")}
	inner.write("s", "2")
	inner.commit()
	f.git("config", "diff.ignoreSubmodules", "all")
	f.git("add", "vendor")
	for _, sel := range []repo.Selector{{}, {Staged: true}} {
		s := f.open(sel)
		if got := changed(t, s, at(t, s, base)); got != "modified vendor" {
			t.Errorf("%s: %q", s.Kind(), got)
		}
		if id, ok := s.ID("vendor"); ok {
			t.Errorf("%s: a submodule has the id %s", s.Kind(), id)
		}
	}
	f.remove("vendor")
	s = f.open(repo.Selector{})
	if got := changed(t, s, at(t, s, base)); got != "deleted vendor" {
		t.Errorf("removed: %q", got)
	}
	f.write("vendor", "a file now")
	s = f.open(repo.Selector{})
	if got := changed(t, s, at(t, s, base)); got != "type changed vendor" {
		t.Errorf("replaced: %q", got)
	}
	wantFile(t, s, "vendor", "a file now")
}

// Neither the flags of the index nor conversions hide what is on disk.
func TestChangedIsRaw(t *testing.T) {
	f := newRepository(t)
	f.write("assumed", "a")
	f.write("skipped", "s")
	f.write("text", "line\nline\n")
	base := f.commit()
	f.git("update-index", "--assume-unchanged", "assumed")
	f.git("update-index", "--skip-worktree", "skipped")
	f.write("assumed", "b")
	f.write("skipped", "t")
	f.git("config", "core.autocrlf", "true")
	f.remove("text")
	f.git("checkout", "-q", "text")
	settle(t, f)
	s := f.open(repo.Selector{})
	if got := changed(t, s, at(t, s, base)); got != "modified assumed, modified skipped, modified text" {
		t.Error(got)
	}
	wantID(t, s, "text", f.pipe("line\r\nline\r\n", "hash-object", "--stdin", "--no-filters"))
}

func TestChangedModesOnADiskWithoutThem(t *testing.T) {
	f := newRepository(t)
	f.write("a", "a")
	f.write("b", "b")
	base := f.commit()
	f.git("config", "core.fileMode", "false")
	f.chmod("a", true)
	f.write("b", "c")
	s := f.open(repo.Selector{})
	if got := changed(t, s, at(t, s, base)); got != "modified b" {
		t.Errorf("work tree: %q", got)
	}
	f.git("update-index", "--chmod=+x", "a")
	s = f.open(repo.Selector{Staged: true})
	if got := changed(t, s, at(t, s, base)); got != "modified a" {
		t.Errorf("index: %q", got)
	}
}

// Two things that nobody can read are not known to be equal.
func TestChangedUnknown(t *testing.T) {
	f := newRepository(t)
	f.git("init", "-q", "nested")
	f.write("nested/b", "b")
	if got := changed(t, f.open(repo.Selector{}), f.open(repo.Selector{})); got != "modified nested" {
		t.Error(got)
	}
}

func TestChangedOutsideGit(t *testing.T) {
	a, b, c := newFixture(t), newFixture(t), newRepository(t)
	a.write("x", "1")
	b.write("x", "2")
	b.write("y", "y")
	if got := changed(t, b.open(repo.Selector{}), a.open(repo.Selector{})); got != "modified x, added y" {
		t.Error(got)
	}
	if _, err := a.open(repo.Selector{}).Changed(t.Context(), c.open(repo.Selector{})); err == nil {
		t.Error("a directory and a repository were compared")
	}
}

func TestChangedCancelled(t *testing.T) {
	f := newFixture(t)
	f.write("x", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.open(repo.Selector{}).Changed(ctx, f.open(repo.Selector{})); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Over random edits Changed is what comparing every byte says, and ids are
// equal exactly where bytes are.
func TestChangedEqualsComparingBytes(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := newRepository(t)
		f.write(".gitignore", "*.log")
		f.edit(r, 30)
		base := f.commit()
		for range 2 {
			f.edit(r, 6)
			if r.IntN(2) == 0 {
				f.git("add", "-A")
				f.edit(r, 3)
			}
			snapshots := []*repo.Snapshot{f.open(repo.Selector{}), f.open(repo.Selector{Staged: true}), f.open(repo.Selector{Rev: base})}
			oracles := []map[string]string{f.onDisk(), f.inTree(f.git("write-tree")), f.inTree(base)}
			for i, s := range snapshots {
				for j, other := range snapshots {
					if got, want := changed(t, s, other), compared(oracles[i], oracles[j]); got != want {
						t.Fatalf("seed %d: %s against %s:\n got %s\nwant %s", seed, s.Kind(), other.Kind(), got, want)
					}
					wantEqualIDs(t, s, other)
				}
			}
		}
	}
}

func wantEqualIDs(t *testing.T, a, b *repo.Snapshot) {
	t.Helper()
	for _, e := range a.Files() {
		x, okX := a.ID(e.Path)
		y, okY := b.ID(e.Path)
		dataX, errX := a.ReadFile(e.Path)
		dataY, errY := b.ReadFile(e.Path)
		if okX != (errX == nil) || okY != (errY == nil) {
			t.Errorf("%s: id %v, %v; read %v, %v", e.Path, okX, okY, errX, errY)
		}
		if okX && okY && (x == y) != bytes.Equal(dataX, dataY) {
			t.Errorf("%s: ids %s and %s of %q and %q", e.Path, x, y, dataX, dataY)
		}
	}
}

// edit makes n random changes: few names and short contents, so that they meet.
func (f fixture) edit(r *rand.Rand, n int) {
	f.t.Helper()
	for range n {
		name := fmt.Sprintf("d%d/f%d", r.IntN(3), r.IntN(6))
		switch r.IntN(8) {
		case 0:
			f.remove(name)
		case 1:
			f.remove(name)
			_ = os.Remove(f.path(name[:2])) // only if it is empty
			if _, err := os.Stat(f.path(name[:2])); err == nil {
				f.symlink(fmt.Sprint(r.IntN(3)), name)
			}
		case 2:
			if info, err := os.Lstat(f.path(name)); err == nil && info.Mode().IsRegular() {
				f.chmod(name, r.IntN(2) == 0)
			}
		case 3:
			f.write(name+".log", "ignored")
		default:
			if info, err := os.Lstat(f.path(name)); err == nil && !info.Mode().IsRegular() {
				f.remove(name)
			}
			f.write(name, strings.Repeat(fmt.Sprint(r.IntN(3)), 1+r.IntN(2)))
		}
	}
}

// onDisk reads the work tree as Git sees it: kind and bytes by path.
func (f fixture) onDisk() map[string]string {
	f.t.Helper()
	files := map[string]string{}
	for _, name := range strings.Split(f.git("ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		info, err := os.Lstat(f.path(name))
		if name == "" || err != nil || info.IsDir() {
			continue
		}
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink(f.path(name))
			if err != nil {
				f.t.Fatal(err)
			}
			files[name] = "120000 " + target
			continue
		}
		data, err := os.ReadFile(f.path(name))
		if err != nil {
			f.t.Fatal(err)
		}
		kind := "100644 "
		if info.Mode()&0o100 != 0 {
			kind = "100755 "
		}
		files[name] = kind + string(data)
	}
	return files
}

// inTree reads a tree of files without line breaks.
func (f fixture) inTree(tree string) map[string]string {
	f.t.Helper()
	var names, modes, objects []string
	for _, record := range strings.Split(f.git("ls-tree", "-r", "-z", tree), "\x00") {
		if meta, name, ok := strings.Cut(record, "\t"); ok {
			fields := strings.Fields(meta)
			names, modes, objects = append(names, name), append(modes, fields[0]), append(objects, fields[2])
		}
	}
	answers := strings.Split(f.pipe(strings.Join(objects, "\n"), "cat-file", "--batch", "--buffer"), "\n")
	files := map[string]string{}
	for i, name := range names {
		files[name] = modes[i] + " " + answers[2*i+1]
	}
	return files
}

func compared(now, base map[string]string) string {
	var out []string
	for name, a := range now {
		b, ok := base[name]
		switch {
		case !ok:
			out = append(out, name+"\x00added")
		case a[:3] != b[:3]:
			out = append(out, name+"\x00type changed")
		case a != b:
			out = append(out, name+"\x00modified")
		}
	}
	for name := range base {
		if _, ok := now[name]; !ok {
			out = append(out, name+"\x00deleted")
		}
	}
	slices.Sort(out)
	for i, line := range out {
		name, status, _ := strings.Cut(line, "\x00")
		out[i] = status + " " + name
	}
	return strings.Join(out, ", ")
}
