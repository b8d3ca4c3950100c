package encrypt

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/testdata/peer"
)

// sopsWithSSH opens s.yaml with an SSH key.
func sopsWithSSH(t *testing.T, r *repository) *exec.Cmd {
	cmd := peer.Command(t, "sops", r.dir, "decrypt", "s.yaml")
	cmd.Env = append(cmd.Env, "SOPS_AGE_SSH_PRIVATE_KEY_FILE="+r.identities)
	return cmd
}

// names lists a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestWriteKeepsMode(t *testing.T) {
	r := newRepository(t, map[string]string{"a.env": "A=b\n"})
	name := filepath.Join(r.dir, "a.env")
	if err := os.Chmod(name, 0o604); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(name, 12, 34); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	r.seal("a.env")
	after, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if before.Mode() != after.Mode() || ownerOf(before) != ownerOf(after) {
		t.Errorf("was %v %v, is %v %v", before.Mode(), ownerOf(before), after.Mode(), ownerOf(after))
	}
	if got := names(t, r.dir); got != ".sops.yaml a.env" {
		t.Errorf("left behind: %s", got)
	}
}

// A rename that fails leaves that file and the later ones as they were, and no
// temporary file.
func TestWriteRenameFails(t *testing.T) {
	r := newRepository(t, map[string]string{"a.env": "A=b\n", "b.env": "A=b\n", "c.env": "A=b\n"})
	files, err := r.prepare(Options{}, "a.env", "b.env", "c.env")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	broken := errors.New("broken")
	w := &writer{rename: func(from, to string) error {
		if calls++; calls == 2 {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: broken}
		}
		return os.Rename(from, to)
	}}
	err = w.write(r.dir, files)
	if !errors.Is(err, broken) || err.Error() != "write b.env: broken (1 of 3 files were sealed, the rest is as it was)" {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(r.read("a.env"), "ENC[") || r.read("b.env") != "A=b\n" || r.read("c.env") != "A=b\n" {
		t.Error("the files are not as promised")
	}
	if got := names(t, r.dir); got != ".sops.yaml a.env b.env c.env" {
		t.Errorf("left behind: %s", got)
	}
}

// What changed meanwhile, and what has a second name, stays as it is; so do all
// files with it.
func TestWriteRefuses(t *testing.T) {
	for want, change := range map[string]func(name string) error{
		"changed while": func(name string) error { return os.WriteFile(name, []byte("A=new\n"), 0o600) },
		"hard link":     func(name string) error { return os.Link(name, name+"2") },
		"no regular":    func(name string) error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) },
		"no such file":  os.Remove,
	} {
		r := newRepository(t, map[string]string{"a.env": "A=b\n", "b.env": "A=b\n"})
		files, err := r.prepare(Options{}, "a.env", "b.env")
		if err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(r.dir, "b.env")); err != nil {
			t.Skip(err)
		}
		if err := Write(r.dir, files); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "(nothing was sealed)") {
			t.Errorf("got %v, want %q", err, want)
		}
		if r.read("a.env") != "A=b\n" || strings.Contains(names(t, r.dir), "sealed") {
			t.Errorf("%s: not as before: %s", want, names(t, r.dir))
		}
	}
}

const sealDir = "SALLYPORT_TEST_SEAL_DIR"

// TestWriteKilled kills a process that seals, at any moment. Each file is then as
// it was or sealed, and what the process left behind holds no value.
func TestWriteKilled(t *testing.T) {
	if dir := os.Getenv(sealDir); dir != "" {
		sealAll(t, dir)
		return
	}
	untouched, sealed := 0, 0
	for range 12 {
		files := map[string]string{}
		for i := range 30 {
			files["f"+string(rune('a'+i%26))+string(rune('a'+i/26))+".yaml"] = head + "stringData:\n  a: c4nary\n"
		}
		r := newRepository(t, files)
		if dir, err := os.MkdirTemp("/dev/shm", "seal"); err == nil { // syncing to a busy disk takes minutes
			t.Cleanup(func() { os.RemoveAll(dir) })
			r.dir = dir
			for path, text := range files {
				r.write(path, text)
			}
			r.write(".sops.yaml", "creation_rules: [{age: RECIPIENT}]\n")
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriteKilled$")
		cmd.Env = append(os.Environ(), sealDir+"="+r.dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 2000 { // until it begins to write
			if strings.Contains(names(t, r.dir), ".sealed-") {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		for name := range strings.FieldsSeq(names(t, r.dir)) {
			text := r.read(name)
			switch {
			case name == ".sops.yaml":
			case text == files[name]:
				untouched++
			case strings.Contains(text, "c4nary"):
				t.Errorf("%s is neither as it was nor sealed:\n%s", name, text)
			case files[name] != "":
				sealed++
				if !strings.HasSuffix(text, "version: 3.13.3\n") {
					t.Errorf("%s is cut short", name)
				}
			}
		}
	}
	t.Logf("%d files as they were, %d sealed", untouched, sealed)
}

func sealAll(t *testing.T, dir string) {
	snap, err := repo.Open(t.Context(), dir, repo.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range snap.Files() {
		if strings.HasPrefix(e.Path, "f") {
			paths = append(paths, e.Path)
		}
	}
	files, err := Seal(context.Background(), snap, paths, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, files); err != nil {
		t.Fatal(err)
	}
}
