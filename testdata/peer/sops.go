package peer

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// NewAgeKey makes an age key with the real age-keygen. It returns the public
// recipient, and the file that holds the identity, which is deleted when the
// test ends.
func NewAgeKey(t testing.TB) (recipient, identityFile string) {
	t.Helper()
	identityFile = filepath.Join(t.TempDir(), "identity.txt")
	run(t, "age-keygen", filepath.Dir(identityFile), "-o", identityFile)
	recipient = run(t, "age-keygen", filepath.Dir(identityFile), "-y", identityFile)
	return recipient, identityFile
}

// Encrypt encrypts a file in place with the real sops for one age recipient, or
// several joined by commas. Further arguments go to sops encrypt. A .sops.yaml
// above the file counts, the environment and the home directory of whoever runs
// the test do not.
func Encrypt(t testing.TB, recipient, path string, args ...string) {
	t.Helper()
	args = append([]string{"encrypt", "--in-place", "--age", recipient}, args...)
	run(t, "sops", filepath.Dir(path), append(args, path)...)
}

// Command returns a command that runs a peer in dir. Keys and settings in the
// environment and the home directory of whoever runs the test do not count.
func Command(t testing.TB, name, dir string, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command(Binary(t, name), args...)
	cmd.Dir = dir
	cmd.Env = append(without(cmd.Environ(), "SOPS_", "AGE_", "VAULT_", "AWS_", "GOOGLE_", "AZURE_", "HOME", "XDG_"),
		"HOME="+home, "XDG_CONFIG_HOME="+home)
	return cmd
}

// run returns the standard output of a peer without the last newline.
func run(t testing.TB, name, dir string, args ...string) string {
	t.Helper()
	cmd := Command(t, name, dir, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("peer %s: %v\n%s", name, err, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}
