package apply_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply"
	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestServerFails: the API server is killed and comes back, is slow, cuts
// connections or loses answers in the middle of a run, and the run goes through
// as if it had not.
func TestServerFails(t *testing.T) {
	t.Parallel() // it waits most of the time
	plane := controlplane.Start(t, controlplane.Options{APIServerOnly: true})
	for name, fault := range map[string]func(t *testing.T){
		"restart":     func(t *testing.T) { plane.RestartAPIServer(t) },
		"drop":        func(t *testing.T) { plane.DropConnections(t) },
		"lose answer": func(t *testing.T) { plane.LoseAnswer(t) },
		"slow":        func(t *testing.T) { plane.Delay(t, 40*time.Millisecond) },
		"refuse": func(t *testing.T) {
			plane.Refuse(t, true)
			time.Sleep(time.Second)
			plane.Refuse(t, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := roomIn(t, plane)
			r.opts.PruneBudget = apply.Budget{Share: 1, Count: -1}
			if _, err := r.run(t, configMaps(0, 20)); err != nil {
				t.Fatal(err)
			}
			for _, at := range []string{"write superset", "apply ", "prune "} {
				var struck atomic.Bool
				done := make(chan struct{})
				r.opts.Step = func(step string) {
					if strings.HasPrefix(step, at) && struck.CompareAndSwap(false, true) {
						go func() { defer close(done); fault(t) }()
					}
				}
				for _, state := range []string{configMaps(10, 30), configMaps(0, 20)} {
					if _, err := r.run(t, state); err != nil {
						t.Fatalf("at %q: %v", at, err)
					}
				}
				<-done
				if name == "slow" {
					plane.Delay(t, 0)
				}
			}
			if got := r.members(t); len(got) != 20 || got[0] != "ConfigMap/c000" {
				t.Errorf("inventory: %v", got)
			}
			if got := strings.Count(r.kubectl(t, "get", "configmap", "-o", "name", "-l", r.opts.Set.Selector()), "\n"); got != 20 {
				t.Errorf("%d members", got)
			}
		})
	}
}
