package secrets

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
)

// manySecrets are n manifests in one file, each with a value in plaintext.
func manySecrets(n int) memTree {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s%d\nstringData:\n  password: canary%d\n---\n", i, i)
	}
	return memTree{"s.yaml": text.String()}
}

func judged(t testing.TB, tree memTree) []finding.Finding {
	t.Helper()
	found, err := seal(t, tree).CheckFiles(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A file with twice as many Secrets takes about twice the memory to judge, not
// four times: no step looks at the whole file for each of them.
func TestManySecretsAreJudgedInLinearSpace(t *testing.T) {
	const n = 2000
	allocated := func(n int) uint64 {
		tree := manySecrets(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		found := judged(t, tree)
		runtime.ReadMemStats(&after)
		if len(found) != n {
			t.Fatalf("%d findings, want %d", len(found), n)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(n) // what is made once does not count
	once, twice := allocated(n), allocated(2*n)
	if twice > 3*once {
		t.Errorf("%d Secrets take %d bytes, and %d take %d", n, once, 2*n, twice)
	}
}

// BenchmarkManySecrets judges files of more and more Secrets: ns/secret must stay.
func BenchmarkManySecrets(b *testing.B) {
	for _, n := range []int{1000, 4000, 16000} {
		tree := manySecrets(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				judged(b, tree)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/secret")
		})
	}
}
