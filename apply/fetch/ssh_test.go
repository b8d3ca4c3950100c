package fetch_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sallyport/sallyport/apply/fetch"
)

// newKey returns a key pair, the private half in OpenSSH's form.
func newKey(t *testing.T, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	must(t, err)
	return signer, string(pem.EncodeToMemory(block))
}

// sshd serves git-upload-pack to one key.
type sshd struct {
	origin
	host    ssh.Signer
	config  *ssh.ServerConfig
	client  atomic.Pointer[string] // the public key that is let in, in wire form
	address string
	command string
}

func (o origin) sshd() (*sshd, fetch.Options) {
	o.t.Helper()
	host, _ := newKey(o.t, "")
	client, private := newKey(o.t, "")
	d := &sshd{origin: o, host: host}
	d.admit(client)
	d.config = &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "git" || string(key.Marshal()) != *d.client.Load() {
			return nil, errors.New("not this key")
		}
		return nil, nil
	}}
	d.config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(o.t, err)
	o.t.Cleanup(func() { listener.Close() })
	d.address = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go d.serve(conn)
		}
	}()
	return d, fetch.Options{
		URL: "ssh://git@" + d.address + o.dir, Mirror: filepath.Join(o.t.TempDir(), "mirror"),
		SSH: fetch.SSH{KeyFile: file(o.t, private), KnownHostsFile: file(o.t, d.line(host))},
	}
}

// admit lets one key in and no other.
func (d *sshd) admit(key ssh.Signer) {
	wire := string(key.PublicKey().Marshal())
	d.client.Store(&wire)
}

func (d *sshd) line(key ssh.Signer) string {
	return knownhosts.Line([]string{d.address}, key.PublicKey()) + "\n"
}

func (d *sshd) serve(conn net.Conn) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, d.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				ok := r.Type == "exec"
				if r.WantReply {
					_ = r.Reply(ok, nil)
				}
				if ok {
					d.exec(channel, string(r.Payload[4:]))
				}
			}
		}()
	}
}

func (d *sshd) exec(channel ssh.Channel, command string) {
	defer channel.Close()
	cmd := exec.Command("sh", "-c", command)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environment(), channel, channel, channel.Stderr()
	status := make([]byte, 4)
	if cmd.Run() != nil {
		status[3] = 1
	}
	_, _ = channel.SendRequest("exit-status", false, status)
}

func TestSSH(t *testing.T) {
	o := newOrigin(t)
	first := o.git("rev-parse", "HEAD")
	sha := o.fill()
	_, opts := o.sshd()
	s := open(t, opts)
	wantCommit(t, s, o, sha)
	s.Close()
	// A commit behind the tip, of a server that gives tips only.
	opts.Ref = first
	s = open(t, opts)
	wantCommit(t, s, o, first)
	s.Close()
	o.git("config", "uploadpack.allowAnySHA1InWant", "true")
	opts.Ref = o.git("rev-parse", "HEAD~2")
	wantCommit(t, open(t, opts), o, opts.Ref)
}

func TestSSHScpLike(t *testing.T) {
	o := newOrigin(t)
	opts := fetch.Options{URL: "git@127.0.0.1:" + o.dir, Mirror: t.TempDir()}
	_, key := newKey(t, "")
	host, _ := newKey(t, "")
	opts.SSH = fetch.SSH{KeyFile: file(t, key), KnownHostsFile: file(t, knownhosts.Line([]string{"other.example"}, host.PublicKey()))}
	if err := refused(t, opts); !errors.Is(err, fetch.ErrHostKey) || !strings.Contains(err.Error(), "no host key of 127.0.0.1:22") {
		t.Error(err)
	}
}

// Keys are read for each fetch: one that was rotated counts at once.
func TestSSHRotation(t *testing.T) {
	o := newOrigin(t)
	d, opts := o.sshd()
	open(t, opts).Close()
	fresh, private := newKey(t, canary)
	d.admit(fresh)
	if err := refused(t, opts); !errors.Is(err, fetch.ErrAuth) || !strings.Contains(err.Error(), opts.SSH.KeyFile) {
		t.Error(err)
	}
	opts.SSH.KeyFile = file(t, private)
	if err := refused(t, opts); !errors.Is(err, fetch.ErrCredentials) || !strings.Contains(err.Error(), "no passphrase file") {
		t.Error(err)
	}
	opts.SSH.PassphraseFile = file(t, "wrong-"+canary)
	if err := refused(t, opts); !errors.Is(err, fetch.ErrCredentials) || !strings.Contains(err.Error(), "does not open") {
		t.Error(err)
	}
	opts.SSH.PassphraseFile = file(t, canary+"\n")
	open(t, opts)
}

func TestSSHHostKey(t *testing.T) {
	o := newOrigin(t)
	d, opts := o.sshd()
	other, _ := newKey(t, "")
	for name, c := range map[string]struct{ file, why string }{
		"another key":  {file(t, d.line(other)), ssh.FingerprintSHA256(d.host.PublicKey())},
		"another host": {file(t, knownhosts.Line([]string{"git.example.com"}, d.host.PublicKey())), "no host key of " + d.address},
		"revoked":      {file(t, "@revoked "+d.line(d.host)+d.line(d.host)), ""},
		"empty":        {file(t, ""), "is empty"},
		"none":         {"", "known_hosts file is needed"},
		"missing":      {filepath.Join(t.TempDir(), "x"), "no such file"},
		"no format":    {file(t, canary+" "+canary+" "+canary+"\n"), "cannot be parsed"},
	} {
		opts.SSH.KnownHostsFile = c.file
		if err := refused(t, opts); !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want: %s", name, err, c.why)
		}
	}
}

// A server that accepts a connection and says nothing does not hold a run.
func TestSSHSilentServer(t *testing.T) {
	o := newOrigin(t)
	_, opts := o.sshd()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	host, _ := newKey(t, "")
	opts.URL = "ssh://" + listener.Addr().String() + "/x"
	opts.SSH.KnownHostsFile = file(t, knownhosts.Line([]string{listener.Addr().String()}, host.PublicKey()))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := fetch.Open(ctx, opts); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
