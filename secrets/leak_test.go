package secrets

import (
	"slices"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// A replacement's source is the secret value itself: one place, named once.
func TestLeakNamesAPlaceOnce(t *testing.T) {
	leaks := 0
	for _, f := range judge(t, memTree(leakRule().Bad)) {
		if f.Rule != ruleLeak {
			continue
		}
		leaks++
		at := []finding.Span{f.Location}
		for _, r := range f.Related {
			if slices.Contains(at, r.Location) {
				t.Errorf("%s is named twice: %v", r.Location, f.Related)
			}
			at = append(at, r.Location)
		}
		if len(at) < 2 {
			t.Errorf("the secret value is not named: %v", f)
		}
	}
	if leaks == 0 {
		t.Error("the example leaks nothing")
	}
}
