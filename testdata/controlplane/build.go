package controlplane

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/peer"
)

// Version is the version of Kubernetes that the control plane says it is; it
// must be that of k8s.io/kubernetes in testdata/e2e/go.mod.
const Version = "v1.36.3"

// Binary returns the path of the program testdata/e2e, which is etcd, the whole
// control plane and kubectl. It is built once for each content of that module
// and version of Go: about six minutes of processor time and 630 MB of modules
// the first time. With -short the test is skipped, also when it is built.
func Binary(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a control plane, which -short leaves out")
	}
	src, err := findSource()
	if err != nil {
		t.Fatalf("control plane: %v", err)
	}
	key, err := sourceKey(src)
	if err != nil {
		t.Fatalf("control plane: %v", err)
	}
	dir := peer.Cached(t, "e2e", key, func(tmp string) error { return build(src, filepath.Join(tmp, "e2e"), peer.GoEnviron()) })
	return filepath.Join(dir, "e2e")
}

// findSource walks up from the package under test to the nested module.
func findSource() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		src := filepath.Join(dir, "testdata", "e2e")
		if _, err := os.Stat(filepath.Join(src, "go.mod")); err == nil {
			return src, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no testdata/e2e above the package under test")
		}
		dir = parent
	}
}

// sourceKey names all that the program is made from: the files of the module,
// the compiler and the platform.
func sourceKey(src string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH, ldflags())
	root, err := os.OpenRoot(src)
	if err != nil {
		return "", err
	}
	defer root.Close()
	for _, pattern := range []string{"go.mod", "go.sum", "*.go", "stages/*.yaml"} {
		names, err := filepath.Glob(filepath.Join(src, pattern)) // sorted
		if err != nil {
			return "", err
		}
		for _, name := range names {
			rel, err := filepath.Rel(src, name)
			if err != nil {
				return "", err
			}
			content, err := root.ReadFile(rel)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "%s %d\n%s", rel, len(content), content)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16], nil
}

// build makes the program. Downloading comes first and alone, so that a proxy
// that cannot be reached is told from code that does not compile.
func build(src, bin string, env []string) error {
	if err := goCommand(src, env, "list", "-deps", "-f", "", "."); err != nil {
		return fmt.Errorf("the modules of testdata/e2e are not all in the module cache, and the module proxy did not give them; "+
			"let GOPROXY reach one, or fill the cache once with \"go list -C testdata/e2e -deps .\": %w", err)
	}
	return goCommand(src, env, "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags(), "-o", bin, ".")
}

// goCommand runs the go command in the module. Without cgo the result is the same
// on every machine, and runs on every machine.
func goCommand(dir string, env []string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clip(env), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// ldflags stamp the version, without which the server calls itself v0.0.0 and
// clients refuse it.
func ldflags() string {
	flags := []string{"-s", "-w"}
	numbers := strings.Split(strings.TrimPrefix(Version, "v"), ".")
	for _, p := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, v := range []string{
			"gitVersion=" + Version,
			"gitMajor=" + numbers[0],
			"gitMinor=" + numbers[1],
			"gitTreeState=clean",
			"gitCommit=" + strings.Repeat("0", 40),
			"buildDate=2026-01-01T00:00:00Z",
		} {
			flags = append(flags, "-X", p+"."+v)
		}
	}
	return strings.Join(flags, " ")
}
