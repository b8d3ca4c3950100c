package gate

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// Findings from a render are at columns of the repository's files, not of the
// sealed text, in which tokens are longer than what they stand for.
func TestColumnsOfTheRepository(t *testing.T) {
	secret := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"q"},"stringData":{"a":"CANARY2"},"typo":1}`
	flow := "{apiVersion: v1, kind: Secret, metadata: {name: f}, stringData: {a: x1}, typo: 1}\n"
	files := map[string]string{
		"kustomization.yaml": "resources: [q.json, f.yaml]\n", "q.json": secret, "f.yaml": flow,
	}
	c := newCheckout(t, files)
	result, err := Check(context.Background(), Options{Path: c.dir})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"q.json": strings.Index(secret, `"typo"`) + 1, "f.yaml": strings.Index(flow, "typo") + 1}
	for _, f := range result.Report.Findings {
		for _, span := range append([]finding.Related{{Location: f.Location}}, f.Related...) {
			width := len(strings.TrimSuffix(files[span.Location.File], "\n")) + 1
			if span.Location.Start.Column > width || span.Location.End.Column > width {
				t.Errorf("%s is at %v to column %d, of a line of %d", f.Rule, span.Location, span.Location.End.Column, width-1)
			}
		}
		if strings.Contains(f.Message, "typo") {
			if got := f.Location.Start.Column; got != want[f.Location.File] && got != want[f.Location.File]+len(`typo: `) && got != want[f.Location.File]+len(`"typo":`) {
				t.Errorf("the field is at %v, want column %d", f.Location, want[f.Location.File])
			}
			delete(want, f.Location.File)
		}
	}
	if len(want) > 0 {
		t.Errorf("no finding about the unknown field in %v: this proves nothing", want)
	}
}
