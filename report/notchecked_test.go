package report

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// What could not be judged is counted as what it is: objects, whole targets, files
// that no target asked for, and the commits of a change.
func TestNotCheckedIsCountedAsWhatItIs(t *testing.T) {
	r := &finding.Report{
		Summary: finding.Summary{Targets: 1, NotChecked: 5},
		Targets: []finding.Target{{Path: "prod", Status: finding.Passed}},
		NotChecked: []finding.NotChecked{
			{Target: "prod", Object: finding.Object{Kind: "Widget", Name: "a"}, Check: "schema", Reason: "no schema"},
			{Target: "prod", Object: finding.Object{Kind: "Widget", Name: "b"}, Check: "schema", Reason: "no schema"},
			{Target: "prod", Check: "policy", Reason: "the target does not render"},
			{Check: "secrets", Reason: "big.bin is larger than 16 MiB, and was not searched"},
			{Check: "commits", Reason: "too many"},
		},
	}
	var b strings.Builder
	if err := WriteVerdict(&b, r); err != nil {
		t.Fatal(err)
	}
	const want = `no findings in 1 target, 0 objects, 2 objects, 1 target, 1 file, 1 commit range not checked
not checked: 2 objects: no schema
not checked: 1 commit range: too many
not checked: 1 target: the target does not render
not checked: 1 file: big.bin is larger than 16 MiB, and was not searched
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
