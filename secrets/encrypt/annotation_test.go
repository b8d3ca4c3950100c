package encrypt

import (
	"strings"
	"testing"
)

// An annotation that repeats the values stays as it is; whoever seals is told.
func TestSealWarnsOfAnnotations(t *testing.T) {
	text := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations:\n    " + lastApplied +
		": '{\"kind\":\"Secret\",\"stringData\":{\"a\":\"c4nary\"}}'\nstringData:\n  a: c4nary\n"
	files, err := newRepository(t, map[string]string{"s.yaml": text}).prepare(Options{}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w := files[0].Warnings; len(w) != 1 || !strings.Contains(w[0].Message, lastApplied) || strings.Contains(w[0].Message, "c4nary") || w[0].Span.Start.Line != 6 {
		t.Errorf("got %v", w)
	}
}
