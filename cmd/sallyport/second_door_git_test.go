//go:build linux

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// gitToken is what the https server wants. No output may hold it.
const gitToken = "glpat-c4n4ry-5e0b71d9"

// origin is a repository that is served by https and by ssh, as the credentials
// say that belong into the Secret sallyport-credentials.
type origin struct {
	dir         string
	https, ssh  string            // addresses
	credentials map[string]string // files by name
}

// newOrigin makes an empty repository and serves it until the test ends.
func newOrigin(t testing.TB) *origin {
	t.Helper()
	o := &origin{dir: filepath.Join(t.TempDir(), "fleet.git"), credentials: map[string]string{}}
	if err := os.Mkdir(o.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.git(t, "init", "-q", "-b", "main")
	o.git(t, "config", "uploadpack.allowAnySHA1InWant", "true")
	o.serveHTTPS(t)
	o.serveSSH(t)
	return o
}

func gitEnviron() []string {
	return append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
}

func (o *origin) git(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = o.dir, gitEnviron()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// write writes files below the repository's root.
func (o *origin) write(t testing.TB, files map[string]string) {
	t.Helper()
	for path, text := range files {
		name := filepath.Join(o.dir, path)
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// edit exchanges a text that a file must hold.
func (o *origin) edit(t testing.TB, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s does not hold %q", path, from)
	}
	o.write(t, map[string]string{path: strings.ReplaceAll(string(text), from, to)})
}

// commit commits everything and returns the SHA.
func (o *origin) commit(t testing.TB, message string) string {
	t.Helper()
	o.git(t, "add", "-A")
	o.git(t, "commit", "-q", "-m", message)
	return o.git(t, "rev-parse", "HEAD")
}

func (o *origin) serveHTTPS(t testing.TB) {
	t.Helper()
	backend := &cgi.Handler{
		Path:       filepath.Join(o.git(t, "--exec-path"), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + filepath.Dir(o.dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1"},
		InheritEnv: []string{"PATH"}, Logger: log.New(io.Discard, "", 0), Stderr: io.Discard,
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != gitToken {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	o.https = server.URL + "/fleet.git"
	o.credentials["git-token"] = gitToken + "\n"
	o.credentials["git-ca.crt"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func (o *origin) serveSSH(t testing.TB) {
	t.Helper()
	host, _ := sshKey(t)
	client, private := sshKey(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(client.PublicKey().Marshal()) {
			return nil, errors.New("not this key")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	o.ssh = "ssh://git@" + listener.Addr().String() + o.dir
	o.credentials["ssh-key"] = private
	o.credentials["known_hosts"] = knownhosts.Line([]string{listener.Addr().String()}, host.PublicKey()) + "\n"
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveUploadPack(conn, config)
		}
	}()
}

func sshKey(t testing.TB) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

// serveUploadPack runs the commands that a client sends, as sshd does.
func serveUploadPack(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
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
				_ = r.Reply(r.Type == "exec", nil)
				if r.Type == "exec" {
					execUploadPack(channel, string(r.Payload[4:]))
				}
			}
		}()
	}
}

func execUploadPack(channel ssh.Channel, command string) {
	defer channel.Close()
	cmd := exec.Command("sh", "-c", command)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = gitEnviron(), channel, channel, channel.Stderr()
	status := make([]byte, 4)
	if cmd.Run() != nil {
		status[3] = 1
	}
	_, _ = channel.SendRequest("exit-status", false, status)
}
