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
// whole process: everything, and after an edit of nothing, of one overlay and of
// a base that twenty overlays share; with verdicts of an earlier run, and as a
// change. It does the same with the shell loop over the same tree, which knows
// of no change.
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
	commitFleet(b, dir)
	cache := "--cache-dir=" + filepath.Join(b.TempDir(), "cache")
	check := func(name, file string, args ...string) {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				edited(b, filepath.Join(dir, file), n, func() { measure(b, exec.Command(binary, append([]string{"check", dir, "-o", "json"}, args...)...)) })
				n++
			}
		})
	}
	const leaf, base = "apps/accounts-api/overlays/prod-eu/kustomization.yaml", "apps/accounts-api/base/deployment.yaml"
	check("everything", "", "--no-cache")
	check("everything into the cache", "", cache)
	check("no change", "", cache)
	check("one leaf", leaf, cache)
	check("one base", base, cache)
	check("change of nothing", "", "--changed-since=HEAD", "--no-cache")
	check("change of one leaf", leaf, "--changed-since=HEAD", "--no-cache")
	check("change of one base", base, "--changed-since=HEAD", "--no-cache")
	check("change of nothing, with the cache", "", "--changed-since=HEAD", cache)
	check("change of one leaf, with the cache", leaf, "--changed-since=HEAD", cache)
	check("change of one base, with the cache", base, "--changed-since=HEAD", cache)
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

// commitFleet makes the fleet a Git repository with one commit.
func commitFleet(b *testing.B, dir string) {
	b.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "fleet"}} {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=test", "-c", "user.email=test@shop.example"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

// edited runs fn while a file has another label than in any earlier round, so that
// nothing has been judged before. Without a file nothing is edited.
func edited(b *testing.B, file string, round int, fn func()) {
	b.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		fn()
		return
	}
	write := func(data []byte) {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	write(append(data, fmt.Sprintf("# round %d\n", round)...))
	fn()
	write(data)
}
