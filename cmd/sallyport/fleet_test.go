package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/testdata/fleet"
	"github.com/sallyport/sallyport/testdata/peer"
)

// shellLoop is what people run today: for each overlay kustomize, then
// kubeconform and conftest on what it printed. kubeconform gets no schemas, since
// they would have to be downloaded; that only makes the loop faster.
const shellLoop = `
for overlay in $(find "$FLEET" -path "*/overlays/*" -name kustomization.yaml -printf "%h\n"); do
  [ -f "$overlay/kustomization.yaml" ] || continue
  "$KUSTOMIZE" build "$overlay" >"$OUT" || exit 1
  "$KUBECONFORM" -strict -ignore-missing-schemas -schema-location "$EMPTY/{{.ResourceKind}}.json" <"$OUT" || exit 1
  "$CONFTEST" test --quiet --no-fail --all-namespaces -p "$POLICIES" "$OUT" >/dev/null || exit 1
done
`

// BenchmarkFleet checks a repository of 1,000 overlays (100 with -short) as a
// whole process, and does the same with the shell loop over the same tree.
// Run it with -benchtime 1x; the loop takes minutes.
func BenchmarkFleet(b *testing.B) {
	opts := fleet.Options{}
	if testing.Short() {
		opts = fleet.Options{Apps: 20, Envs: 5}
	}
	dir := b.TempDir()
	if err := fleet.Write(dir, opts); err != nil {
		b.Fatal(err)
	}
	binary := filepath.Join(b.TempDir(), "sallyport")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	b.Run("sallyport", func(b *testing.B) {
		for b.Loop() {
			measure(b, exec.Command(binary, "check", dir, "-o", "json"))
		}
	})
	b.Run("loop", func(b *testing.B) {
		policies, err := filepath.Abs("../../policies")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			cmd := exec.Command("bash", "-c", shellLoop)
			cmd.Env = append(os.Environ(), "FLEET="+dir, "EMPTY="+b.TempDir(), "OUT="+filepath.Join(b.TempDir(), "out.yaml"), "POLICIES="+policies)
			for _, name := range []string{"kustomize", "kubeconform", "conftest"} {
				cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%s", map[string]string{"kustomize": "KUSTOMIZE", "kubeconform": "KUBECONFORM", "conftest": "CONFTEST"}[name], peer.Binary(b, name)))
			}
			measure(b, cmd)
		}
	})
}

// measure runs a whole process and reports its CPU seconds and peak memory,
// those of its children included.
func measure(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	b.ReportMetric(cmd.ProcessState.UserTime().Seconds()+cmd.ProcessState.SystemTime().Seconds(), "cpu-s/op")
	b.ReportMetric(float64(used.Maxrss)/1024, "peak-MiB")
}
