// Package peer gives tests the real programs that sallyport is compared with,
// and the archives of real repositories that it is measured on.
//
// Programs are built once from their pinned modules and kept in the user's
// cache directory; archives are extracted there. Tests must not write to either.
package peer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// program is a main package and the version of its module.
type program struct{ path, version string }

// programs returns the peers by name, at the versions that the comparison is
// made with.
func programs() map[string]program {
	return map[string]program{
		"actionlint":  {"github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12"},
		"age":         {"filippo.io/age/cmd/age", "v1.3.2"},
		"age-keygen":  {"filippo.io/age/cmd/age-keygen", "v1.3.2"},
		"conftest":    {"github.com/open-policy-agent/conftest", "v0.71.1"},
		"kubeconform": {"github.com/yannh/kubeconform/cmd/kubeconform", "v0.8.0"},
		"kustomize":   {"sigs.k8s.io/kustomize/kustomize/v5", "v5.8.2"},
		"sops":        {"github.com/getsops/sops/v3/cmd/sops", "v3.13.3"},
	}
}

// Binary returns the path of a peer program: actionlint, age, age-keygen,
// conftest, kubeconform, kustomize or sops. The first test that asks builds it, which
// takes up to some minutes; tests of other packages that ask meanwhile wait.
// With -short a program that was not built before skips the test.
func Binary(t testing.TB, name string) string {
	t.Helper()
	p, ok := programs()[name]
	if !ok {
		t.Fatalf("peer %s: no such program", name)
	}
	dir := cacheDir(t, "peers")
	bin := filepath.Join(dir, name+"-"+p.version, name)
	if exists(bin) {
		return bin
	}
	if testing.Short() {
		t.Skipf("peer %s %s is not built yet; run once without -short", name, p.version)
	}
	if err := once(filepath.Dir(bin), func(tmp string) error { return p.install(tmp) }); err != nil {
		t.Fatalf("peer %s %s: %v", name, p.version, err)
	}
	return bin
}

// Cached returns the directory kind/name in the user's cache. The first test
// that asks lets fill make it; tests of other packages that ask meanwhile wait.
// It is whole or not there.
func Cached(t testing.TB, kind, name string, fill func(tmp string) error) string {
	t.Helper()
	dir := filepath.Join(cacheDir(t, kind), name)
	if exists(dir) {
		return dir
	}
	if err := once(dir, fill); err != nil {
		t.Fatalf("%s %s: %v", kind, name, err)
	}
	return dir
}

// GoEnviron returns the environment for the go command that builds a program of
// another module: as the test binary found it, free of the flags and the
// workspace of the module under test.
func GoEnviron() []string {
	return append(without(environment, "GOFLAGS", "GOBIN", "GOOS", "GOARCH", "GOEXPERIMENT", "GOWORK"), "GOFLAGS=", "GOWORK=off")
}

// install builds the program into dir.
func (p program) install(dir string) error {
	cmd := exec.Command("go", "install", p.path+"@"+p.version)
	cmd.Dir = dir
	cmd.Env = append(GoEnviron(), "GOBIN="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// once makes the directory dir with fill, unless it is there. Others see all of
// it or nothing, and a second process waits for the first.
func once(dir string, fill func(tmp string) error) error {
	unlock, err := lockedfile.MutexAt(dir + ".lock").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if exists(dir) {
		return nil
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := fill(tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// The user's cache and environment as they are when the test binary starts: a
// test that gives itself another home must not build everything anew in there.
var (
	userCache, errUserCache = os.UserCacheDir()
	environment             = os.Environ()
)

func cacheDir(t testing.TB, name string) string {
	t.Helper()
	if errUserCache != nil {
		t.Fatalf("peer: %v", errUserCache)
	}
	dir := filepath.Join(userCache, "sallyport", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("peer: %v", err)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// without returns env without the named variables; a name that ends in "_"
// stands for all that begin so.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.ContainsFunc(names, func(n string) bool {
			return name == n || strings.HasSuffix(n, "_") && strings.HasPrefix(name, n)
		})
	})
}
