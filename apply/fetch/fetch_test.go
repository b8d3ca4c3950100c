package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/apply/fetch"
	"github.com/sallyport/sallyport/repo"
)

// fill gives a repository all that a snapshot must tell apart.
func (o origin) fill() string {
	o.t.Helper()
	if err := os.Symlink("web.yaml", filepath.Join(o.dir, "link")); err != nil {
		o.t.Skip("symbolic links cannot be made here")
	}
	o.git("update-index", "--add", "--cacheinfo", "160000,"+o.git("rev-parse", "HEAD")+",module")
	o.git("config", "core.fileMode", "true")
	script := filepath.Join(o.dir, "run.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		o.t.Fatal(err)
	}
	o.commit("huge.bin", strings.Repeat("x", repo.MaxFileSize+1))
	for i := range 30 { // deltas
		o.commit("big.yaml", strings.Repeat("kind: Pod\n", 500)+fmt.Sprint(i))
	}
	return o.commit("deep/er/than/web.yaml", "version https://git-lfs.github.com/spec/v1\n")
}

func TestLocal(t *testing.T) {
	o := newOrigin(t)
	sha := o.fill()
	s := open(t, o.local())
	wantCommit(t, s, o, sha)
	if s.Ref() != "refs/heads/main" || s.Signer() != "" || s.Time().Format("2006-01-02") != "2026-01-01" {
		t.Errorf("ref %q, signer %q, time %v", s.Ref(), s.Signer(), s.Time())
	}
	o.git("gc", "-q", "--aggressive", "--prune=now")
	wantCommit(t, open(t, o.local()), o, sha)
}

func TestHTTPS(t *testing.T) {
	o := newOrigin(t)
	sha := o.fill()
	opts := o.web(nil)
	s := open(t, opts)
	wantCommit(t, s, o, sha)
	if ok, err := s.Contains(context.Background(), o.git("rev-parse", "HEAD~3")); ok || err != nil {
		t.Errorf("a shallow history has its third parent: %v, %v", ok, err)
	}
	s.Close()
	opts.Depth = 5
	s = open(t, opts)
	for rev, want := range map[string]bool{"HEAD": true, "HEAD~3": true, "HEAD~20": false} {
		if ok, err := s.Contains(context.Background(), o.git("rev-parse", rev)); ok != want || err != nil {
			t.Errorf("history has %s: %v, %v", rev, ok, err)
		}
	}
}

// The mirror is a repository that Git finds nothing wrong with, and there is one
// at a time.
func TestMirror(t *testing.T) {
	o := newOrigin(t)
	opts := o.web(nil)
	open(t, opts).Close()
	sha := o.commit("web.yaml", "kind: Job\n")
	s := open(t, opts)
	wantCommit(t, s, o, sha)
	found, err := filepath.Glob(filepath.Join(opts.Mirror, "*.git"))
	if err != nil || len(found) != 1 {
		t.Fatalf("repositories in the mirror: %v, %v", found, err)
	}
	mirror := origin{t, found[0]}
	if out := mirror.git("fsck", "--strict", sha); out != "" {
		t.Errorf("git fsck: %s", out)
	}
}

// What the mirror has is not fetched again.
func TestMirrorIsUsed(t *testing.T) {
	o := newOrigin(t)
	packs := 0
	opts := o.web(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				packs++
			}
			next.ServeHTTP(w, r)
		})
	})
	for range 3 {
		s := open(t, opts)
		wantCommit(t, s, o, o.git("rev-parse", "HEAD"))
		s.Close()
	}
	if packs != 1 {
		t.Errorf("%d packs were fetched, want 1", packs)
	}
}

func TestDamagedMirror(t *testing.T) {
	o := newOrigin(t)
	sha := o.fill()
	opts := o.web(nil)
	for name, damage := range map[string]func(path string){
		"cut":     func(p string) { must(t, os.Truncate(p, 40)) },
		"empty":   func(p string) { must(t, os.Truncate(p, 0)) },
		"deleted": func(p string) { must(t, os.Remove(p)) },
		"changed": func(p string) { flip(t, p) },
	} {
		for _, kind := range []string{"*.pack", "*.idx"} {
			t.Run(name+kind, func(t *testing.T) {
				open(t, opts).Close()
				found, err := filepath.Glob(filepath.Join(opts.Mirror, "*.git", "objects", "pack", kind))
				if err != nil || len(found) != 1 {
					t.Fatalf("%v, %v", found, err)
				}
				must(t, os.Chmod(found[0], 0o600))
				damage(found[0])
				s := open(t, opts)
				wantCommit(t, s, o, sha)
				s.Close()
			})
		}
	}
}

// A bit that changes anywhere on disk is noticed before anything is read.
func TestFlippedBits(t *testing.T) {
	o := newOrigin(t)
	sha := o.commit("web.yaml", "kind: Job\n")
	opts := o.web(nil)
	for at := 12; ; at += 29 {
		open(t, opts).Close()
		found, err := filepath.Glob(filepath.Join(onlyMirror(t, opts), "objects", "pack", "*.pack"))
		must(t, err)
		data, err := os.ReadFile(found[0])
		must(t, err)
		if at >= len(data) {
			return
		}
		data[at] ^= 4
		must(t, os.Chmod(found[0], 0o600))
		must(t, os.WriteFile(found[0], data, 0o600))
		s := open(t, opts)
		wantCommit(t, s, o, sha)
		s.Close()
	}
}

// Whoever can write the mirror can at most make it be fetched anew: here another
// commit's objects, whole and with valid checksums, stand under the name of ours.
func TestForgedMirror(t *testing.T) {
	o := newOrigin(t)
	opts := o.web(nil)
	open(t, opts).Close()
	old := onlyMirror(t, opts)
	sha := o.commit("web.yaml", "kind: Job\n")
	name := filepath.Join(opts.Mirror, sha+"-1.git")
	must(t, os.Rename(old, name))
	wantCommit(t, open(t, opts), o, sha)
}

// loose is where a repository on disk has an object that is in no pack.
func (o origin) loose(sha string) string {
	return filepath.Join(o.dir, ".git", "objects", sha[:2], sha[2:])
}

// Whatever lies under the name of an object is hashed: a blob, a tree and a commit
// of other content are refused, whoever put them there.
func TestForgedObject(t *testing.T) {
	for _, kind := range []string{"HEAD:web.yaml", "HEAD^{tree}", "HEAD"} {
		o := newOrigin(t)
		good := o.git("rev-parse", kind)
		o.commit("web.yaml", "kind: Evil\n")
		evil, err := os.ReadFile(o.loose(o.git("rev-parse", kind)))
		must(t, err)
		o.git("update-ref", "refs/heads/main", "HEAD~1")
		must(t, os.Chmod(o.loose(good), 0o600))
		must(t, os.WriteFile(o.loose(good), evil, 0o600))
		s, err := fetch.Open(context.Background(), o.local())
		if err == nil {
			_, err = snapshot(t, s).ReadFile("web.yaml")
		}
		if err == nil || !strings.Contains(err.Error(), "another content than its name says") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func onlyMirror(t *testing.T, opts fetch.Options) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(opts.Mirror, "*.git"))
	if err != nil || len(found) != 1 {
		t.Fatalf("mirror: %v, %v", found, err)
	}
	return found[0]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
}

func TestReferences(t *testing.T) {
	o := newOrigin(t)
	first := o.git("rev-parse", "HEAD")
	o.git("tag", "light")
	o.git("tag", "-a", "-m", "x", "v1")
	o.git("tag", "-a", "-m", "x", "of-tag", "v1")
	o.git("branch", "stable")
	second := o.commit("web.yaml", "kind: Job\n")
	for _, opts := range []fetch.Options{o.local(), o.web(nil)} {
		for ref, want := range map[string]string{
			"": second, "HEAD": second, "main": second, "refs/heads/stable": first, "stable": first, "light": first, "v1": first,
			"refs/tags/v1": first, "of-tag": first, first: first, second: second,
		} {
			opts.Ref = ref
			s := open(t, opts)
			if s.Revision() != want {
				t.Errorf("%q: %s, want %s", ref, s.Revision(), want)
			}
			s.Close()
		}
		o.git("branch", "-f", "v1", "main")
		for ref, why := range map[string]string{
			"nowhere": "no branch and no tag", first[:9]: "all 40 digits", "v1": "ambiguous", "main~1": "no branch",
			strings.Repeat("0", 39) + "1": "", "refs/heads/nowhere": "no branch",
		} {
			opts.Ref = ref
			if err := refused(t, opts); !strings.Contains(err.Error(), why) {
				t.Errorf("%q: %v, want: %s", ref, err, why)
			}
		}
		o.git("branch", "-D", "v1")
	}
}

func TestNotACommit(t *testing.T) {
	o := newOrigin(t)
	o.git("tag", "tree", "HEAD^{tree}")
	opts := o.local()
	opts.Ref = "tree"
	if err := refused(t, opts); !errors.Is(err, fetch.ErrReference) || !strings.Contains(err.Error(), "is a tree, not a commit") {
		t.Error(err)
	}
}

// A branch that moves while its commit is read changes nothing: not the SHA, not
// one file.
func TestMovedBranch(t *testing.T) {
	o := newOrigin(t)
	sha := o.git("rev-parse", "HEAD")
	moved := false
	opts := o.web(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && !moved {
				moved = true
				o.commit("web.yaml", "kind: Job\n")
			}
			next.ServeHTTP(w, r)
		})
	})
	s := open(t, opts)
	if !moved || s.Revision() != sha {
		t.Fatalf("moved %v, revision %s, want %s", moved, s.Revision(), sha)
	}
	o.commit("web.yaml", "kind: CronJob\n")
	if data, err := snapshot(t, s).ReadFile("web.yaml"); err != nil || string(data) != "kind: Pod\n" {
		t.Errorf("web.yaml: %q, %v", data, err)
	}
}

// A branch that was rewritten is what it is now.
func TestRewrittenBranch(t *testing.T) {
	o := newOrigin(t)
	opts := o.web(nil)
	opts.Depth = fetch.AllHistory
	before := o.commit("web.yaml", "kind: Job\n")
	open(t, opts).Close()
	o.git("update-ref", "refs/heads/main", "HEAD~1")
	o.git("read-tree", "HEAD")
	after := o.commit("web.yaml", "kind: CronJob\n")
	s := open(t, opts)
	wantCommit(t, s, o, after)
	if ok, err := s.Contains(context.Background(), before); ok || err != nil {
		t.Errorf("the new history has the old commit: %v, %v", ok, err)
	}
}

// Replace references and grafts would show other files under the same SHA.
func TestReplaceReferences(t *testing.T) {
	o := newOrigin(t)
	sha := o.git("rev-parse", "HEAD")
	evil := o.blob("kind: Evil\n")
	o.git("replace", o.git("rev-parse", "HEAD:web.yaml"), evil)
	o.git("replace", sha, o.git("commit-tree", o.tree("100644 blob "+evil+"\tweb.yaml"), "-m", "evil"))
	for _, opts := range []fetch.Options{o.local(), o.web(nil)} {
		s := open(t, opts)
		if data, err := snapshot(t, s).ReadFile("web.yaml"); s.Revision() != sha || err != nil || string(data) != "kind: Pod\n" {
			t.Errorf("%s: %q, %v", s.Revision(), data, err)
		}
		s.Close()
		if opts.Mirror == "" {
			continue
		}
		mirror := origin{t, onlyMirror(t, opts)} // planted in the mirror too
		must(t, os.MkdirAll(filepath.Join(mirror.dir, "refs", "replace"), 0o700))
		must(t, os.WriteFile(filepath.Join(mirror.dir, "refs", "replace", sha), []byte(evil+"\n"), 0o600))
		s = open(t, opts)
		if data, err := snapshot(t, s).ReadFile("web.yaml"); err != nil || string(data) != "kind: Pod\n" {
			t.Errorf("planted: %q, %v", data, err)
		}
	}
}

// rawTree writes a tree that Git itself would refuse to write.
func (o origin) rawTree(entries ...[3]string) string {
	o.t.Helper()
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e[0] + " " + e[1] + "\x00")
		for i := 0; i < len(e[2]); i += 2 {
			var c byte
			if _, err := fmt.Sscanf(e[2][i:i+2], "%02x", &c); err != nil {
				o.t.Fatal(err)
			}
			b.WriteByte(c)
		}
	}
	return o.pipe(b.String(), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
}

func TestForbiddenTrees(t *testing.T) {
	o := newOrigin(t)
	blob := o.blob("x")
	sub := o.tree("100644 blob " + blob + "\tx.yaml")
	for name, tree := range map[string]string{
		"..":        o.rawTree([3]string{"40000", "..", sub}),
		".":         o.rawTree([3]string{"40000", ".", sub}),
		".git":      o.rawTree([3]string{"40000", ".git", sub}),
		".GIT":      o.rawTree([3]string{"100644", ".GIT", blob}),
		"a/../../x": o.rawTree([3]string{"100644", "a/../../x", blob}),
		"":          o.rawTree([3]string{"100644", "", blob}),
		"twice":     o.rawTree([3]string{"100644", "twice", blob}, [3]string{"100644", "twice", blob}),
		"100600":    o.rawTree([3]string{"100600", "x", blob}),
		"directory": o.rawTree([3]string{"100644", "a", blob}, [3]string{"40000", "a", sub}),
	} {
		o.commitTree(tree)
		s, err := fetch.Open(context.Background(), o.local())
		if err == nil {
			_, err = s.Snapshot(context.Background())
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A kilobyte of trees that stands for ten billion files ends at the limit.
func TestTreeBomb(t *testing.T) {
	o := newOrigin(t)
	tree, kind := o.blob("x"), "100644 blob "
	for range 10 {
		var lines []string
		for i := range 10 {
			lines = append(lines, kind+tree+"\t"+fmt.Sprint("f", i))
		}
		tree, kind = o.tree(lines...), "040000 tree "
	}
	o.commitTree(tree)
	if err := refused(t, o.local()); !errors.Is(err, fetch.ErrTooLarge) {
		t.Error(err)
	}
}

func TestTooLarge(t *testing.T) {
	o := newOrigin(t)
	random := make([]byte, 300<<10)
	for i, x := 0, uint32(1); i < len(random); i++ {
		x = x*1664525 + 1013904223
		random[i] = byte(x >> 24)
	}
	o.commit("noise.bin", string(random))
	opts := o.web(nil)
	opts.MaxSize = 100 << 10
	if err := refused(t, opts); !errors.Is(err, fetch.ErrTooLarge) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(opts.Mirror, "*.git")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	opts.MaxSize = 1 << 20
	open(t, opts)
}

// An object of 130 MiB from a pack of 130 KiB is refused before it is unpacked.
func TestPackBomb(t *testing.T) {
	o := newOrigin(t)
	o.commit("zeros.bin", string(make([]byte, 130<<20)))
	if err := refused(t, o.web(nil)); !errors.Is(err, fetch.ErrTooLarge) || !strings.Contains(err.Error(), "128 MiB") {
		t.Error(err)
	}
}

// cutAnswer ends the pack early.
type cutAnswer struct {
	http.ResponseWriter
	left int
}

func (c *cutAnswer) Write(p []byte) (int, error) {
	n := min(c.left, len(p))
	c.left -= n
	_, err := c.ResponseWriter.Write(p[:n])
	return len(p), err
}

func TestTruncatedPack(t *testing.T) {
	o := newOrigin(t)
	o.fill()
	for _, after := range []int{0, 10, 60, 100, 400, 2000} {
		opts := o.web(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					w = &cutAnswer{w, after}
				}
				next.ServeHTTP(w, r)
			})
		})
		refused(t, opts)
		if left, _ := filepath.Glob(filepath.Join(opts.Mirror, "*.git")); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestLock(t *testing.T) {
	o := newOrigin(t)
	opts := o.web(nil)
	s := open(t, opts)
	if err := refused(t, opts); !errors.Is(err, fetch.ErrLocked) {
		t.Error(err)
	}
	s.Close()
	open(t, opts)
}

func TestConcurrentReaders(t *testing.T) {
	o := newOrigin(t)
	for i := range 50 {
		o.pipe("", "update-index", "--add", "--cacheinfo", "100644,"+o.blob(strings.Repeat("y", i*100))+","+fmt.Sprintf("f%d.yaml", i))
	}
	o.git("commit", "-q", "-m", "many")
	s := open(t, o.web(nil))
	snap := snapshot(t, s)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				if data, err := snap.ReadFile(fmt.Sprintf("f%d.yaml", i)); err != nil || len(data) != i*100 {
					t.Errorf("f%d.yaml: %d bytes, %v", i, len(data), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	o := newOrigin(t)
	s := open(t, o.web(nil))
	snap := snapshot(t, s)
	must(t, s.Close())
	must(t, s.Close())
	if _, err := snap.ReadFile("web.yaml"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after Close: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	o := newOrigin(t)
	ctx, cancel := context.WithCancel(context.Background())
	opts := o.web(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
	})
	if _, err := fetch.Open(ctx, opts); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
