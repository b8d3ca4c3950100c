package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/job"
	"github.com/sallyport/sallyport/apply/notify"
)

// TestWriteStatuses: columns stand below each other, what a target tells is not told
// again for the run, and nothing that was told moves the cursor.
func TestWriteStatuses(t *testing.T) {
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	var out strings.Builder
	err := writeStatuses(&streams{out: &out}, "text", "runner", []job.Status{
		{State: notify.Failed, Stage: job.StageApply, Revision: "b", Finished: at,
			Errors: []string{"overlays/prod: apply: preflight: 1 of 4 objects refused", "Service/shop/web: 409 Conflict", "of the run"}, Warnings: []string{"set x"}},
		{Target: "overlays/prod", State: notify.Failed, Stage: job.StageApply, Revision: "b", Good: "a", Finished: at,
			Errors: []string{"overlays/prod: apply: preflight: 1 of 4 objects refused", "Service/shop/web: 409 Conflict"}, Warnings: []string{"old\x1b[2Jversion"}},
		{Target: "overlays/t\tools", State: notify.Drifted, Revision: "b", Good: "b", Finished: at, Drift: []string{"Service/shop/db is missing"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `TARGET           STATE            REVISION  LAST GOOD  FINISHED
(run)            failed in apply  b         -          2026-11-20T03:00:00Z
overlays/prod    failed in apply  b         a          2026-11-20T03:00:00Z
overlays/t ools  drifted          b         b          2026-11-20T03:00:00Z
(run): of the run
(run): note: set x
overlays/prod: apply: preflight: 1 of 4 objects refused
overlays/prod: Service/shop/web: 409 Conflict
overlays/prod: warning: old<U+001B>[2Jversion
overlays/t ools: Service/shop/db is missing
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
