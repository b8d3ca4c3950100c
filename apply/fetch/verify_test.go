package fetch_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/apply/fetch"
)

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("%s %v: %v\n%s", name, args, err, exit.Stderr)
	}
	return string(out)
}

// sshSigner makes commits of a repository signed by a new ssh key, whose public
// half is returned.
func (o origin) sshSigner() string {
	o.t.Helper()
	need(o.t, "ssh-keygen")
	key := filepath.Join(o.t.TempDir(), "key")
	run(o.t, nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
	o.git("config", "gpg.format", "ssh")
	o.git("config", "user.signingKey", key)
	public, err := os.ReadFile(key + ".pub")
	must(o.t, err)
	return strings.TrimSpace(string(public))
}

func TestSSHSignatures(t *testing.T) {
	o := newOrigin(t)
	unsigned := o.git("rev-parse", "HEAD")
	key := o.sshSigner()
	sha := o.commit("web.yaml", "kind: Job\n", "-S")
	other := newOrigin(t).sshSigner()
	now := func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	for line, why := range map[string]string{
		"a@example.com " + key:                                                 "",
		"*@example.com,b@x " + key + " comment":                                "",
		`"a@example.com" namespaces="file,git" ` + key:                         "",
		`a@example.com namespaces="g*" ` + key:                                 "",
		`a@example.com valid-after="20260601",valid-before="20270101Z" ` + key: "",
		"# nothing\n\na@example.com " + other + "\nb@example.com " + key:       "",
		"a@example.com " + other:                                               "is not among the allowed signers",
		`a@example.com namespaces="file" ` + key:                               "not allowed in the namespace git",
		`a@example.com valid-before="20260601" ` + key:                         "expired on 2026-06-01",
		`a@example.com valid-before="20260601115959Z" ` + key:                  "expired on 2026-06-01T11:59:59Z",
		`a@example.com valid-after="202606011201" ` + key:                      "valid only after",
		`a@example.com cert-authority ` + key:                                  "1: cert-authority is not supported",
		"a@example.com " + other + "\na@example.com " + canary:                 ":2: it is not",
		`a@example.com valid-before="soon" ` + key:                             "a date is",
		`a@example.com verify-required ` + key:                                 "unknown option",
		key:                                                                    "",
		`"a@example.com ` + strings.Split(key, " ")[0]:                         "quotation mark",
		"# nobody": "allows nobody",
	} {
		opts := o.local()
		opts.Now, opts.Verify = now, fetch.Verify{AllowedSignersFile: file(t, line+"\n")}
		if line == key {
			refused(t, opts) // a line without principals
			continue
		}
		if why == "" {
			if s := open(t, opts); s.Revision() != sha || s.Signer() == "" {
				t.Errorf("%s: revision %s, signer %q", line, s.Revision(), s.Signer())
			}
			continue
		}
		if err := refused(t, opts); !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want: %s", line, err, why)
		}
	}
	opts := o.local()
	opts.Ref, opts.Verify = unsigned, fetch.Verify{AllowedSignersFile: file(t, "a@example.com "+key)}
	if err := refused(t, opts); !errors.Is(err, fetch.ErrSignature) || !strings.Contains(err.Error(), "is not signed") {
		t.Error(err)
	}
}

// What was signed by ssh-keygen for files is no signature of a commit.
func TestSSHSignatureOfAnotherNamespace(t *testing.T) {
	o := newOrigin(t)
	key := o.sshSigner()
	payload := filepath.Join(t.TempDir(), "commit")
	must(t, os.WriteFile(payload, []byte(o.git("cat-file", "commit", "HEAD")+"\n"), 0o600))
	for namespace, why := range map[string]string{"file": "not made for git", "git": ""} {
		os.Remove(payload + ".sig")
		run(t, nil, "ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", o.git("config", "user.signingKey"), payload)
		signature, err := os.ReadFile(payload + ".sig")
		must(t, err)
		o.reset(o.signWith(o.git("cat-file", "commit", "HEAD")+"\n", string(signature)))
		opts := o.local()
		opts.Verify.AllowedSignersFile = file(t, "a@example.com "+key)
		if why == "" {
			open(t, opts)
		} else if err := refused(t, opts); !strings.Contains(err.Error(), why) {
			t.Error(err)
		}
		o.reset(o.git("rev-parse", "refs/keep"))
	}
}

// signWith puts a signature into the head of a commit.
func (o origin) signWith(commit, signature string) string {
	o.t.Helper()
	o.git("update-ref", "refs/keep", "HEAD")
	head, body, _ := strings.Cut(commit, "\n\n")
	signature = strings.ReplaceAll(strings.TrimSuffix(signature, "\n"), "\n", "\n ")
	return o.pipe(head+"\ngpgsig "+signature+"\n\n"+body, "hash-object", "-t", "commit", "-w", "--stdin")
}

func (o origin) reset(sha string) { o.git("update-ref", "refs/heads/main", sha) }

// Another commit with the signature of a good one is refused, in each part of it.
func TestForgedCommit(t *testing.T) {
	o := newOrigin(t)
	key := o.sshSigner()
	o.commit("web.yaml", "kind: Job\n", "-S")
	good := o.git("cat-file", "commit", "HEAD") + "\n"
	signature := good[strings.Index(good, "gpgsig "):strings.Index(good, " -----END SSH SIGNATURE-----\n")] + " -----END SSH SIGNATURE-----\n"
	evil := o.tree("100644 blob " + o.blob("kind: Evil\n") + "\tweb.yaml")
	opts := o.local()
	opts.Verify.AllowedSignersFile = file(t, "a@example.com "+key)
	open(t, opts)
	for name, forged := range map[string]string{
		"tree":        strings.Replace(good, o.git("rev-parse", "HEAD^{tree}"), evil, 1),
		"second tree": "tree " + evil + "\n" + good,
		"message":     good + "more\n",
		"twice":       strings.Replace(good, signature, signature+signature, 1),
		"hidden":      strings.Replace(good, "committer ", "x-extra "+signature+"committer ", 1),
		"garbage":     strings.Replace(good, "U1NIU0lH", "AAAAAAAA", 1),
		"unsigned":    strings.Replace(good, signature, "", 1),
	} {
		sha := o.pipe(forged, "hash-object", "-t", "commit", "-w", "--stdin", "--literally")
		o.reset(sha)
		if err := refused(t, opts); !errors.Is(err, fetch.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTagSignatures(t *testing.T) {
	o := newOrigin(t)
	key := o.sshSigner()
	o.git("tag", "-s", "-m", "release", "v1")
	o.git("tag", "-a", "-m", "no release", "v2")
	o.git("tag", "v3")
	o.git("update-ref", "refs/tags/v4", o.git("rev-parse", "refs/tags/v1"))
	unsigned := o.git("rev-parse", "HEAD")
	o.commit("web.yaml", "kind: Job\n", "-S")
	o.git("tag", "-a", "-m", "signed commit", "v5")
	o.git("tag", "-s", "-m", "of a tag", "v6", "v2")
	for _, c := range []struct{ require, ref, why string }{
		{"tag", "v1", ""}, {"tag", "v2", "tag v2 is not signed"}, {"tag", "v3", "no annotated tag"}, {"tag", "main", "no annotated tag"},
		{"tag", "v4", `is the tag "v1" under another name`}, {"tag", "v5", "not signed"}, {"tag", "v6", "is of a tag"},
		{"commit", "v1", "commit " + unsigned + " is not signed"}, {"commit", "v5", ""}, {"commit", "main", ""},
		{"either", "v1", ""}, {"either", "v5", ""}, {"either", "main", ""}, {"either", "v2", "; and signature refused: commit"},
		{"either", unsigned, "not signed"}, {"both", "main", "what must be signed"},
	} {
		for _, opts := range []fetch.Options{o.local(), o.web(nil)} {
			opts.Ref, opts.Verify = c.ref, fetch.Verify{Require: c.require, AllowedSignersFile: file(t, "a@example.com "+key)}
			if c.why == "" {
				open(t, opts).Close()
			} else if err := refused(t, opts); !errors.Is(err, fetch.ErrSignature) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s of %s: %v, want: %s", c.require, c.ref, err, c.why)
			}
		}
	}
	opts := o.local()
	opts.Verify.Require = "commit"
	if err := refused(t, opts); !strings.Contains(err.Error(), "no key is given") {
		t.Error(err)
	}
}

// keyring is a home of gpg in a short path, as its sockets need.
func keyring(t *testing.T) []string {
	t.Helper()
	need(t, "gpg")
	home, err := os.MkdirTemp("", "gpg")
	must(t, err)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	return []string{"GNUPGHOME=" + home}
}

func newGPGKey(t *testing.T, home []string, name, expires string) (export string) {
	t.Helper()
	run(t, home, "gpg", "--batch", "-q", "--faked-system-time", "20260101T000000", "--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", expires)
	return run(t, home, "gpg", "--batch", "-q", "--armor", "--export", name)
}

func TestGPGSignatures(t *testing.T) {
	o := newOrigin(t)
	home := keyring(t)
	good, short, other := newGPGKey(t, home, "good@example.com", "never"), newGPGKey(t, home, "short@example.com", "1y"), newGPGKey(t, home, "other@example.com", "never")
	wrapper := filepath.Join(t.TempDir(), "gpg")
	must(t, os.WriteFile(wrapper, []byte("#!/bin/sh\n"+home[0]+" exec gpg --faked-system-time 20260301T000000 \"$@\"\n"), 0o700))
	o.git("config", "gpg.program", wrapper)
	by := func(name string) string {
		o.git("config", "user.signingKey", name)
		return o.commit("web.yaml", name, "-S")
	}
	commits := map[string]string{"good": by("good@example.com"), "short": by("short@example.com")}
	fingerprint := strings.Split(run(t, home, "gpg", "--batch", "--with-colons", "--fingerprint", "good@example.com"), "fpr:::::::::")[1][:40]
	o.git("config", "user.signingKey", "good@example.com")
	o.git("tag", "-s", "-m", "x", "v1")
	for _, c := range []struct {
		ref, keys, why string
		year           int
	}{
		{commits["good"], good, "", 2026}, {commits["good"], other + good, "", 2026}, {"v1", good, "is signed by the OpenPGP key", 2026},
		{commits["good"], other, fingerprint + ", which is in no keyring", 2026},
		{commits["short"], good + short, "", 2026}, {commits["short"], good + short, "has expired", 2028},
		{commits["good"], canary, "holds no OpenPGP public key", 2026},
		{commits["good"], good + "-----BEGIN PGP PRIVATE KEY BLOCK-----\n" + canary, "holds a private key", 2026},
	} {
		opts := o.local()
		opts.Now = func() time.Time { return time.Date(c.year, 6, 1, 0, 0, 0, 0, time.UTC) }
		opts.Ref, opts.Verify = c.ref, fetch.Verify{GPGKeyringFiles: []string{file(t, c.keys)}}
		if c.why == "" {
			if s := open(t, opts); s.Signer() == "" {
				t.Error("no signer")
			}
		} else if err := refused(t, opts); !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want: %s", c.ref, err, c.why)
		}
	}
	opts := o.local()
	opts.Now = func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }
	opts.Ref, opts.Verify = "v1", fetch.Verify{Require: "tag", GPGKeyringFiles: []string{file(t, good)}}
	if s := open(t, opts); s.Signer() != fingerprint {
		t.Errorf("signer %q, want %q", s.Signer(), fingerprint)
	}
	binary := run(t, home, "gpg", "--batch", "-q", "--export", "good@example.com")
	opts.Verify.GPGKeyringFiles = []string{file(t, binary), file(t, short)}
	open(t, opts)
	opts.Verify.AllowedSignersFile = file(t, "a "+newOrigin(t).sshSigner())
	open(t, opts)
	must(t, checkForged(o, commits["good"], opts))
}

// checkForged changes the message of a commit that gpg signed.
func checkForged(o origin, sha string, opts fetch.Options) error {
	o.reset(o.pipe(o.git("cat-file", "commit", sha)+"\nmore\n", "hash-object", "-t", "commit", "-w", "--stdin"))
	opts.Ref, opts.Verify.Require = "", "commit"
	if err := refused(o.t, opts); !strings.Contains(err.Error(), "not valid") {
		return fmt.Errorf("a changed commit: %w", err)
	}
	return nil
}
