package controlplane_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

// TestBuild does nothing but build, so that make can do it before anything that
// has a time limit.
func TestBuild(t *testing.T) { controlplane.Binary(t) }

func TestVersion(t *testing.T) {
	c := controlplane.Shared(t)
	if out := c.Kubectl(t, "version"); !strings.Contains(out, "Server Version: "+controlplane.Version+"\n") {
		t.Errorf("it is not %s:\n%s", controlplane.Version, out)
	}
}
