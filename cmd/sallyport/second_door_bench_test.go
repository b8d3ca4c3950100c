//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// BenchmarkApply measures whole runs of the program against a real API server:
// fetch, gate, decrypt, apply, health and prune of 200 and of 2,000 objects, where
// nothing is there, without news, and with one change. "requests" are those of
// the engine, "all-requests" what the API server counted. Run it once:
//
//	go test ./cmd/sallyport -run '^$' -bench BenchmarkApply -benchtime 1x -timeout 30m
func BenchmarkApply(b *testing.B) {
	plane := controlplane.Start(b, controlplane.Options{})
	bin := filepath.Join(b.TempDir(), "sallyport")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=auto") // as the image
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, n := range []int{200, 2000} {
		m := &measured{Cluster: plane, bin: bin, estate: newEstate(b), namespace: plane.Namespace(b), runner: plane.Namespace(b)}
		m.fill(b, n)
		for _, phase := range []string{"create", "no-op", "one-change"} {
			b.Run(fmt.Sprintf("objects=%d/%s", n, phase), func(b *testing.B) {
				for i := range b.N {
					if phase == "one-change" {
						m.write(b, map[string]string{"all/changed.yaml": configMapOf(m.namespace, "changed", fmt.Sprintf("%s %d", phase, i))})
						m.commit(b, phase)
					}
					m.apply(b)
				}
			})
		}
	}
}

// measured is a repository of one target with many objects.
type measured struct {
	*controlplane.Cluster
	*estate
	bin, config, namespace, runner string
}

// fill writes n objects: of twenty two are Deployments without pods, one is a
// Secret, one a ServiceAccount, and the others are ConfigMaps.
func (m *measured) fill(b *testing.B, n int) {
	b.Helper()
	var objects strings.Builder
	resources := []string{"objects.yaml", "changed.yaml"}
	for i := range n - 1 {
		name := fmt.Sprintf("object-%04d", i)
		switch i % 20 {
		case 0, 1:
			fmt.Fprintf(&objects, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: %s}\nspec:\n  replicas: 0\n"+
				"  selector: {matchLabels: {app: %[1]s}}\n  template:\n    metadata: {labels: {app: %[1]s}}\n    spec: {containers: [{name: a, image: registry.example.com/a:1}]}\n", name, m.namespace)
		case 2:
			file := name + ".secret.yaml"
			m.write(b, map[string]string{"all/" + file: fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\nstringData: {a: b}\n", name, m.namespace)})
			m.seal(b, "all/"+file)
			resources = append(resources, file)
		case 3:
			fmt.Fprintf(&objects, "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: %s}\n", name, m.namespace)
		default:
			objects.WriteString("---\n" + configMapOf(m.namespace, name, "begin"))
		}
	}
	m.write(b, map[string]string{
		"all/kustomization.yaml": "resources: [" + strings.Join(resources, ", ") + "]\n",
		"all/objects.yaml":       objects.String(), "all/changed.yaml": configMapOf(m.namespace, "changed", "begin"),
	})
	m.commit(b, "begin")
	dir := b.TempDir()
	m.config = filepath.Join(dir, "config.yaml")
	err := os.WriteFile(m.config, []byte("apiVersion: sallyport.dev/v1\nkind: Config\nbundled: {disable: [image-digest, probes-missing, resources-missing, run-as-root]}\n"+
		"targets: {include: [all]}\napply:\n  source: {url: \"file://"+m.dir+"\", ref: main, mirror: "+filepath.Join(dir, "mirror")+"}\n"+
		"  identities: {files: ["+m.identity+"]}\n  health: {timeout: 5m, stable: 1s}\n"), 0o600)
	if err != nil {
		b.Fatal(err)
	}
}

func configMapOf(namespace, name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s}\ndata: {text: %q}\n", name, namespace, value)
}

// apply runs the program once and reports what it took.
func (m *measured) apply(b *testing.B) {
	b.Helper()
	before := len(m.Audit(b))
	cmd := exec.Command(m.bin, "apply", "--config", m.config, "--kubeconfig", m.Admin, "--namespace", m.runner, "-o", "json", "-q")
	cmd.Env = []string{"HOME=" + b.TempDir(), "PATH=/"}
	begin := time.Now()
	out, err := cmd.Output()
	wall := time.Since(begin)
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var outcome outcomeJSON
	if err := json.Unmarshal(out, &outcome); err != nil {
		b.Fatal(err)
	}
	all := 0
	for _, e := range m.Audit(b)[before:] {
		if strings.HasPrefix(e.UserAgent, "sallyport/") {
			all++
		}
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	b.ReportMetric(wall.Seconds(), "wall-s")
	b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
	b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB") // kB on Linux
	b.ReportMetric(float64(outcome.Targets[0].Requests), "requests")
	b.ReportMetric(float64(all), "all-requests")
	b.ReportMetric(float64(runtime.NumCPU()), "cpus")
}
