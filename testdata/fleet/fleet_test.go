package fleet_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/fleet"
	"github.com/sallyport/sallyport/testdata/peer"
)

func write(t *testing.T, opts fleet.Options) string {
	t.Helper()
	dir := t.TempDir()
	if err := fleet.Write(dir, opts); err != nil {
		t.Fatal(err)
	}
	return dir
}

// digest returns one hash over all paths and contents, and the number of files.
func digest(t *testing.T, dir string) (sum string, files int) {
	t.Helper()
	h := sha256.New()
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		fmt.Fprintf(h, "%s\x00%d\x00%s", name, len(data), data)
		files++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil)), files
}

func TestWriteIsDeterministic(t *testing.T) {
	opts := fleet.Options{Apps: 3, Envs: 4}
	a, files := digest(t, write(t, opts))
	b, _ := digest(t, write(t, opts))
	if a != b {
		t.Error("the same options give different bytes")
	}
	// .sops.yaml, 4 + 3 files of components, 8 for each base, 5 for each overlay
	if want := 1 + 7 + 3*8 + 12*5; files != want {
		t.Errorf("%d files, want %d", files, want)
	}
}

func TestDefaultSize(t *testing.T) {
	if n := (fleet.Options{}).Overlays(); n != 1000 {
		t.Errorf("%d overlays by default", n)
	}
	dir := write(t, fleet.Options{})
	overlays, err := filepath.Glob(filepath.Join(dir, "apps/*/overlays/*/kustomization.yaml"))
	if err != nil || len(overlays) != 1000 {
		t.Errorf("%d overlays, %v: names must not collide", len(overlays), err)
	}
}

func TestNegativeSize(t *testing.T) {
	if err := fleet.Write(t.TempDir(), fleet.Options{Apps: -1}); err == nil {
		t.Error("no error")
	}
}

func TestOverlaysBuild(t *testing.T) {
	kustomize := peer.Binary(t, "kustomize")
	dir := write(t, fleet.Options{Apps: 2, Envs: 4})
	overlays, err := filepath.Glob(filepath.Join(dir, "apps/*/overlays/*"))
	if err != nil || len(overlays) != 8 {
		t.Fatal(overlays, err)
	}
	for _, overlay := range overlays {
		cmd := exec.Command(kustomize, "build", overlay)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Fatalf("%s: %v\n%s", overlay, err, stderr.String())
		}
		if n := strings.Count("\n"+string(out), "\nkind: "); n != fleet.ObjectsPerOverlay {
			t.Errorf("%s: %d objects, want %d", overlay, n, fleet.ObjectsPerOverlay)
		}
		region := filepath.Base(overlay)[strings.LastIndex(filepath.Base(overlay), "-")+1:]
		for _, want := range []string{"REGION: " + region, "CACHE_TTL: 60s", "- name: STAGE", "fsGroup: 10001", "@sha256:", "name: collector\n"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %q in its render", overlay, want)
			}
		}
	}
}

// The real programs read the made-up secrets to the point where only the key is
// missing.
func TestCredentialsAreWellFormed(t *testing.T) {
	dir := filepath.Join(write(t, fleet.Options{Apps: 1, Envs: 1}), "apps/accounts-api/overlays/dev-eu")
	_, identity := peer.NewAgeKey(t)

	sops := peer.Command(t, "sops", dir, "decrypt", "credentials.enc.yaml")
	sops.Env = append(sops.Env, "SOPS_AGE_KEY_FILE="+identity)
	if out, err := sops.CombinedOutput(); err == nil || !strings.Contains(unfold(out), "identity did not match any of the recipients") {
		t.Errorf("sops: %v\n%s", err, out)
	}
	status, err := peer.Command(t, "sops", dir, "filestatus", "credentials.enc.yaml").CombinedOutput()
	if err != nil || !strings.Contains(string(status), `"encrypted":true`) {
		t.Errorf("sops filestatus: %v\n%s", err, status)
	}
	data, err := os.ReadFile(filepath.Join(dir, "credentials.enc.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, armored, _ := strings.Cut(string(data), "enc: |\n")
	armored, _, _ = strings.Cut(armored, "          recipient:")
	age := peer.Command(t, "age", dir, "--decrypt", "--identity", identity)
	age.Stdin = strings.NewReader(strings.ReplaceAll(armored, "            ", ""))
	if out, err := age.CombinedOutput(); err == nil || !strings.Contains(string(out), "no identity matched any of the recipients") {
		t.Errorf("age: %v\n%s", err, out)
	}
}

// unfold undoes the line breaks that sops puts into its messages.
func unfold(message []byte) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(string(message), "|", "")), " ")
}
