package job

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply"
)

// TestForget: nothing more is told of a target that is gone from the repository,
// so that no alert fires for it; of one that a run did not come to, all stays.
func TestForget(t *testing.T) {
	m := newMetrics()
	run := func(err error, targets ...*TargetOutcome) {
		m.ran(&Outcome{Revision: "r", Targets: targets}, err, time.Second, time.Unix(1, 0))
	}
	told := func() []string {
		families, err := m.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var targets []string
		for _, f := range families {
			for _, metric := range f.GetMetric() {
				for _, label := range metric.GetLabel() {
					if label.GetName() == "target" && f.GetName() == "sallyport_last_success_timestamp_seconds" {
						targets = append(targets, label.GetValue())
					}
				}
			}
		}
		return targets
	}
	done := func(name string) *TargetOutcome { return &TargetOutcome{Target: name, Result: &apply.Result{}} }
	run(nil, done("a"), done("b"))
	failed := errors.New("failed")
	run(failed) // as when the host is away
	run(failed, &TargetOutcome{Target: "a"})
	if got := told(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("forgotten too early: %v", got)
	}
	run(failed, &TargetOutcome{Target: "a", Err: failed})
	if got := told(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("still told: %v", got)
	}
}
