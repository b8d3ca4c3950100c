package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/report"
)

// TestDiffCanary holds that a diff prints no secret value, token or ciphertext,
// in any format, whatever happens to the files that hold them: all of them new,
// gone, moved, or changed.
func TestDiffCanary(t *testing.T) {
	dir := canaryRepository(t)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("commit", "-q", "--allow-empty", "-m", "empty")
	git("checkout", "-q", "-b", "change")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	git("tag", "all")
	holds := func(step, base string, more ...string) {
		t.Helper()
		for _, format := range report.DiffFormats() {
			args := append([]string{"diff", "-o", format, "--show-noise"}, more...)
			if base != "" {
				args = append(args, base)
			}
			s, out, errs := world(nil)
			t.Chdir(dir)
			run(context.Background(), s, args)
			if out.Len() == 0 && format != "unified" {
				t.Errorf("%s: %v printed nothing: %s", step, args, errs)
			}
			text := out.String() + errs.String()
			for what, value := range canaries {
				for form, secret := range forms(value) {
					if strings.Contains(text, secret) {
						t.Errorf("%s: %v prints the %s value, %s", step, args, what, form)
					}
				}
			}
			for _, bad := range []string{"sopsTok0", "plainTok", "ENC[AES", "c29wc1Rvaz", "cGxhaW5Ub2"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: %v prints %s", step, args, bad)
				}
			}
		}
	}
	holds("everything new", "main")
	holds("everything gone", "all", "--rev", "all")
	for _, move := range []string{"good", "bad", "generated", "replaced"} {
		git("mv", move, move+"2")
	}
	holds("moved", "all")
	for _, file := range []string{"bad2/plain.yaml", "good2/sealed.yaml", "replaced2/secret.yaml", "replaced2/config.yaml", "generated2/kustomization.yaml", "generated2/g.env", "bad2/pod.yaml", "bad2/helm.yaml"} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("password", "passphrase", "TOKEN", "KEY", "copy", "copied").Replace(string(data))
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	holds("changed", "all")
	holds("removed", "all", "--target", "nothing*", "--target", "replaced*")
	holds("between", "", "--between", "good2", "generated2")
}
