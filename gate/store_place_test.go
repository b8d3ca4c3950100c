package gate

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// A cache that a push could fill is refused: the root of the repository, a directory
// with files of it, one below a file. What Git ignores, and what lies outside, is not.
func TestCacheOfTheRepository(t *testing.T) {
	c := newCheckout(t, map[string]string{".gitignore": "/kept/\n", "app/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"})
	for _, dir := range []string{".", "app", "app/cm.yaml/x"} {
		_, err := Check(context.Background(), Options{Path: c.dir, Cache: filepath.Join(c.dir, dir), Build: "test"})
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "is in the repository") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	for _, dir := range []string{filepath.Join(c.dir, "kept"), t.TempDir()} {
		if _, err := Check(context.Background(), Options{Path: c.dir, Cache: dir, Build: "test"}); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
