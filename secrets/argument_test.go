package secrets

import (
	"strings"
	"testing"
)

// An argument that sets a credential to a literal is one; a reference, a file, a
// switch or the name of a Secret is none.
func TestArgument(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec:\n  containers:\n  - name: w\n    args:\n    - "
	for arg, want := range map[string]string{
		"--password=c4nary-1x":         "secret-plaintext a.yaml:8:7 /spec/containers/0/args/0",
		"--db.password=c4nary":         "secret-plaintext a.yaml:8:7 /spec/containers/0/args/0",
		"--password=$(PASSWORD)":       "",
		"--password-file=/run/p":       "",
		"--password=/run/secrets/p":    "",
		"--tls-secret=web-tls":         "",
		"--enable-token=true":          "",
		"--image-pull-secret=registry": "",
		"run --password=x y":           "secret-plaintext a.yaml:8:7 /spec/containers/0/args/0",
	} {
		if got := strings.Join(check(t, seal(t, memTree{"a.yaml": pod + arg + "\n"})), "|"); got != want {
			t.Errorf("%s: got %q, want %q", arg, got, want)
		}
	}
}
