package apply_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// workload is n objects in the proportions of a usual target.
func workload(n int) []string {
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}"
	account := "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}"
	mix := []string{configMap("web", "1"), configMap("web", "1"), configMap("web", "1"), configMap("web", "1"), secret, secret,
		account, service, deployment, deployment}
	docs := make([]string, n)
	for i := range docs {
		for _, name := range []string{"web", "db"} {
			mixed := mix[i%len(mix)]
			if strings.Contains(mixed, "metadata: {name: "+name) {
				docs[i] = strings.Replace(mixed, "metadata: {name: "+name, fmt.Sprintf("metadata: {name: %s-%04d", name, i), 1)
			}
		}
	}
	return docs
}

// BenchmarkApply measures whole runs against an API server without controllers:
// created, without a change, and with one. It reports the requests of a run and
// the largest heap seen.
func BenchmarkApply(b *testing.B) {
	plane := controlplane.Start(b, controlplane.Options{APIServerOnly: true})
	for _, n := range []int{200, 2000} {
		docs := workload(n)
		b.Run(fmt.Sprintf("create-%d", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				r := roomIn(b, plane)
				b.StartTimer()
				measured(b, r, docs)
			}
		})
		r := roomIn(b, plane)
		if _, err := r.run(b, documents(docs...)); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("unchanged-%d", n), func(b *testing.B) {
			for b.Loop() {
				measured(b, r, docs)
			}
		})
		b.Run(fmt.Sprintf("one-change-%d", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				docs[0] = strings.Replace(configMap("web-0000", "x"), `"x"`, fmt.Sprintf("%q", fmt.Sprint(b.N, "-", i)), 1)
				measured(b, r, docs)
			}
		})
	}
}

func measured(b *testing.B, r *room, docs []string) {
	objects := r.manifests(b, documents(docs...))
	runtime.GC()
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var largest uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			largest = max(largest, m.HeapAlloc)
			select {
			case <-stop:
				peak <- largest
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	got, err := r.runObjects(b.Context(), objects)
	close(stop)
	largest := <-peak
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(got.Requests), "requests/op")
	b.ReportMetric(float64(largest)/(1<<20), "peak-MiB")
}
