package render

import (
	"fmt"
	"strings"
	"testing"
)

// A target of too many objects is refused before kustomize sees it, wherever they
// come from; the last that is allowed is not.
func TestTooManyObjects(t *testing.T) {
	docs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "---\n{kind: A,metadata: {name: b%d}}\n", i)
		}
		return b.String()
	}
	list := "apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- {kind: A,apiVersion: v1,metadata: {name: b}}\n", maxObjects)
	for name, test := range map[string]struct {
		files memory
		want  bool
	}{
		"one file":         {memory{"a/kustomization.yaml": "resources: [x.yaml]", "a/x.yaml": docs(maxObjects + 1)}, true},
		"the last":         {memory{"a/kustomization.yaml": "resources: [x.yaml]", "a/x.yaml": docs(maxObjects)}, false},
		"two files":        {memory{"a/kustomization.yaml": "resources: [x.yaml, y.yaml]", "a/x.yaml": docs(maxObjects), "a/y.yaml": docs(1)}, true},
		"a list":           {memory{"a/kustomization.yaml": "resources: [x.yaml, y.yaml]", "a/x.yaml": list, "a/y.yaml": docs(1)}, true},
		"generators":       {memory{"a/kustomization.yaml": "configMapGenerator:\n" + strings.Repeat("- name: a\n", maxObjects+1)}, true},
		"few and large":    {memory{"a/kustomization.yaml": "resources: [x.yaml]", "a/x.yaml": "kind: A\n# " + strings.Repeat("x", (maxObjects+1)*minObjectSize)}, false},
		"used a few times": {memory{"a/kustomization.yaml": "resources: [l, r]", "a/l/kustomization.yaml": "resources: [../x]", "a/r/kustomization.yaml": "resources: [../x]", "a/x/kustomization.yaml": "resources: [x.yaml]", "a/x/x.yaml": docs(maxObjects/2 + 1)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBuilder(test.files, Options{})
			p := b.planOf(record(test.files), Target{Path: "a", Kind: Kustomize})
			got := len(p.faults) > 0 && strings.Contains(p.faults[0].Message, "objects")
			if got != test.want {
				t.Errorf("refused %v, want %v: %v", got, test.want, p.faults)
			}
		})
	}
}
