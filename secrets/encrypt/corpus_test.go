package encrypt

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/testdata/peer"
)

// corpusCopy is a copy of a real repository with a rule for everything.
func corpusCopy(t *testing.T, name string) *repository {
	t.Helper()
	from := peer.Corpus(t, name)
	r := newRepository(t, nil)
	r.dir = t.TempDir()
	if err := os.CopyFS(r.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return r
}

// Every Secret that a real repository has in plaintext is sealed in place, or
// refused for what it is; the real sops gives back the values.
func TestSealCorpus(t *testing.T) {
	r := corpusCopy(t, "gitops-catalog")
	snap := r.snapshot()
	tree, err := secrets.Seal(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	found, err := tree.CheckFiles(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range found {
		if f.Rule == "secret-plaintext" && f.Object != nil && f.Object.Kind == "Secret" && !slices.Contains(paths, f.Location.File) {
			paths = append(paths, f.Location.File)
		}
	}
	sealed, refused := 0, 0
	for _, path := range paths {
		text := r.read(path)
		files, err := Seal(t.Context(), snap, []string{path}, Options{Recipients: []string{r.recipient}})
		if err != nil {
			t.Logf("refused: %v", err)
			refused++
			continue
		}
		if err := Write(r.dir, files); err != nil {
			t.Fatal(err)
		}
		sealed++
		if files[0].Format == secrets.YAML {
			if got, want := secretsIn(t, r.sops("decrypt", path)), secretsIn(t, text); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: other values come back", path)
			}
			sameOutline(t, text, r.read(path))
		}
	}
	t.Logf("%d files sealed, %d refused", sealed, refused)
	if sealed < 3*refused {
		t.Error("too many are refused")
	}
}

// Files that others sealed are recognised.
func TestSealedCorpus(t *testing.T) {
	r := corpusCopy(t, "onedr0p-home-ops-2022-08")
	snap := r.snapshot()
	tree, err := secrets.Seal(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	files, err := tree.Encrypted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no encrypted files")
	}
	for _, f := range files {
		if _, err := Seal(t.Context(), snap, []string{f.Path}, Options{}); err == nil || !strings.Contains(err.Error(), "is sealed already") {
			t.Errorf("%s: got %v", f.Path, err)
		}
	}
}
