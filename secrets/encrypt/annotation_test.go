package encrypt

import (
	"strings"
	"testing"
)

// An annotation that repeats the values would stay as it is: the file is refused,
// and the annotation named.
func TestSealRefusesAnnotations(t *testing.T) {
	const annotation = "kubectl.kubernetes.io/last-applied-configuration"
	text := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations:\n    " + annotation +
		": '{\"kind\":\"Secret\",\"stringData\":{\"a\":\"c4nary\"}}'\nstringData:\n  a: c4nary\n"
	_, err := newRepository(t, map[string]string{"s.yaml": text}).prepare(Options{}, "s.yaml")
	if err == nil || !strings.Contains(err.Error(), annotation) || strings.Contains(err.Error(), "c4nary") {
		t.Errorf("got %v", err)
	}
}
