package peer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/peer"
)

func TestBinary(t *testing.T) {
	for name, args := range map[string][]string{
		"age":         {"--version"},
		"age-keygen":  {"--version"},
		"conftest":    {"--version"},
		"kubeconform": {"-v"},
		"kustomize":   {"version"},
		"sops":        {"--version", "--disable-version-check"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := peer.Binary(t, name)
			if out, err := peer.Command(t, name, ".", args...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if again := peer.Binary(t, name); again != bin {
				t.Errorf("asked twice: %s and %s", bin, again)
			}
		})
	}
}

func TestEncrypt(t *testing.T) {
	t.Setenv("SOPS_AGE_RECIPIENTS", "age1nobody")
	recipient, identity := peer.NewAgeKey(t)
	if !strings.HasPrefix(recipient, "age1") {
		t.Fatalf("recipient %q", recipient)
	}
	file := filepath.Join(t.TempDir(), "db.yaml")
	if err := os.WriteFile(file, []byte("kind: Secret\nstringData:\n  password: canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	peer.Encrypt(t, recipient, file, "--encrypted-regex", "^(data|stringData)$")
	sealed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(sealed); strings.Contains(s, "canary") || !strings.Contains(s, "password: ENC[AES256_GCM,") || !strings.Contains(s, recipient) {
		t.Fatalf("not encrypted for the recipient:\n%s", sealed)
	}
	cmd := peer.Command(t, "sops", filepath.Dir(file), "decrypt", file)
	cmd.Env = append(cmd.Env, "SOPS_AGE_KEY_FILE="+identity)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "password: canary") {
		t.Errorf("decrypt: %v\n%s", err, out)
	}
}

func TestCorpus(t *testing.T) {
	dir := peer.Corpus(t, "flux2-multi-tenancy")
	if _, err := os.Stat(filepath.Join(dir, "tenants")); err != nil {
		t.Error(err)
	}
	if again := peer.Corpus(t, "flux2-multi-tenancy"); again != dir {
		t.Errorf("asked twice: %s and %s", dir, again)
	}
}

func TestAbsentCorpusSkips(t *testing.T) {
	skipped := t.Run("inner", func(t *testing.T) {
		defer func() {
			if !t.Skipped() {
				t.Error("an absent archive does not skip the test")
			}
		}()
		peer.Corpus(t, "no-such-repository")
	})
	if !skipped {
		t.Error("an absent archive fails the test")
	}
}
