package gate

import (
	"reflect"
	"testing"

	"github.com/sallyport/sallyport/diff"
)

// TestDiffOfChange holds that a run about a change compares what it has open as a
// run of its own does.
func TestDiffOfChange(t *testing.T) {
	r := newCheckout(t, overlays())
	r.write(map[string]string{"new/pod.yaml": pod, "new/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: correct-horse}\n"})
	opts := Options{Path: r.dir, ChangedSince: "main", Diff: diff.Options{Unified: true}}
	want, err := Diff(t.Context(), opts, "main")
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.check(opts).Diff(t.Context(), opts.Diff)
	if err != nil || !reflect.DeepEqual(got, want) || !want.Differs() {
		t.Errorf("%v: got\n%+v\nwant\n%+v", err, got, want)
	}
	if _, err := r.check(Options{}).Diff(t.Context(), opts.Diff); err == nil {
		t.Error("without a change there is something to compare")
	}
}
