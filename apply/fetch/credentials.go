package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"
)

// maxCredential bounds a file with a credential or certificates: the largest
// bundles of certificate authorities are a quarter of it.
const maxCredential = 1 << 20

// dialTimeout is how long a server may take to accept a connection.
const dialTimeout = 30 * time.Second

// defaultUser is the user of every large Git host.
const defaultUser = "git"

// readCredential returns a file's content. Errors name the file and the cause,
// never what is in it.
func readCredential(what, name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", ErrCredentials, what, name, cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredential+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s %s: %w", ErrCredentials, what, name, cause(err))
	case len(data) > maxCredential:
		return nil, fmt.Errorf("%w: %s %s is larger than %d MiB", ErrCredentials, what, name, maxCredential>>20)
	case len(strings.TrimSpace(string(data))) == 0:
		return nil, fmt.Errorf("%w: %s %s is empty", ErrCredentials, what, name)
	}
	return data, nil
}

// readLine returns a credential of one line, without the line's end.
func readLine(what, name string) (string, error) {
	data, err := readCredential(what, name)
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(string(data), "\r\n")
	if strings.ContainsAny(line, "\r\n\x00") {
		return "", fmt.Errorf("%w: %s %s has more than one line", ErrCredentials, what, name)
	}
	return line, nil
}

// cause is the reason in an error of a file system, which is named already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// basic returns the credentials for https, nil where there are none.
func (f *fetcher) basic() (*githttp.BasicAuth, error) {
	if f.opts.HTTPS.PasswordFile == "" {
		return nil, nil
	}
	password, err := readLine("password file", f.opts.HTTPS.PasswordFile)
	if err != nil {
		return nil, err
	}
	auth := &githttp.BasicAuth{Username: f.opts.HTTPS.Username, Password: password}
	if auth.Username == "" {
		auth.Username = f.at.user
	}
	if auth.Username == "" {
		auth.Username = defaultUser
	}
	f.secrets.add(auth.Username + ":" + password)
	f.secrets.add(password)
	return auth, nil
}

// trust returns how the certificate of a server is judged.
func (f *fetcher) trust() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.opts.HTTPS.CAFile == "" {
		return config, nil
	}
	data, err := readCredential("CA file", f.opts.HTTPS.CAFile)
	if err != nil {
		return nil, err
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	if !config.RootCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%w: CA file %s holds no certificate in PEM", ErrCredentials, f.opts.HTTPS.CAFile)
	}
	return config, nil
}

// keyAuth is a private key for a server whose host key is known.
type keyAuth struct{ config ssh.ClientConfig }

func (a *keyAuth) Name() string   { return gitssh.PublicKeysName }
func (a *keyAuth) String() string { return a.Name() }

// ClientConfig returns a copy, which go-git changes.
func (a *keyAuth) ClientConfig() (*ssh.ClientConfig, error) {
	config := a.config
	return &config, nil
}

func (f *fetcher) key() (*keyAuth, error) {
	signer, err := f.signer()
	if err != nil {
		return nil, err
	}
	if f.opts.SSH.KnownHostsFile == "" {
		return nil, fmt.Errorf("%w: a known_hosts file is needed for ssh", ErrHostKey)
	}
	if _, err := readCredential("known_hosts file", f.opts.SSH.KnownHostsFile); err != nil {
		return nil, err
	}
	known, err := gitssh.NewKnownHostsDb(f.opts.SSH.KnownHostsFile)
	if err != nil {
		return nil, fmt.Errorf("%w: known_hosts file %s cannot be parsed", ErrHostKey, f.opts.SSH.KnownHostsFile)
	}
	host := f.at.hostPort()
	algorithms := known.HostKeyAlgorithms(host)
	if len(algorithms) == 0 {
		return nil, fmt.Errorf("%w: %s has no host key of %s: add what `ssh-keyscan` gives, once you have compared it with what the host publishes",
			ErrHostKey, f.opts.SSH.KnownHostsFile, host)
	}
	user := f.at.user
	if user == "" {
		user = defaultUser
	}
	check := known.HostKeyCallback()
	return &keyAuth{ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, Timeout: dialTimeout, HostKeyAlgorithms: algorithms,
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			if check(host, remote, key) != nil {
				return fmt.Errorf("%w: %s shows %s %s, which is not in %s: somebody is in between, or the host has a new key",
					ErrHostKey, host, key.Type(), ssh.FingerprintSHA256(key), f.opts.SSH.KnownHostsFile)
			}
			return nil
		},
	}}, nil
}

// signer reads the private key. Only fixed texts say what is wrong with it.
func (f *fetcher) signer() (ssh.Signer, error) {
	name := f.opts.SSH.KeyFile
	if name == "" {
		return nil, fmt.Errorf("%w: a private key file is needed for ssh", ErrCredentials)
	}
	data, err := readCredential("private key file", name)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	var missing *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case !errors.As(err, &missing):
		return nil, fmt.Errorf("%w: private key file %s cannot be parsed", ErrCredentials, name)
	case f.opts.SSH.PassphraseFile == "":
		return nil, fmt.Errorf("%w: private key file %s is encrypted, and there is no passphrase file", ErrCredentials, name)
	}
	passphrase, err := readLine("passphrase file", f.opts.SSH.PassphraseFile)
	if err != nil {
		return nil, err
	}
	f.secrets.add(passphrase)
	if signer, err = ssh.ParsePrivateKeyWithPassphrase(data, []byte(passphrase)); err != nil {
		return nil, fmt.Errorf("%w: the passphrase in %s does not open private key file %s", ErrCredentials, f.opts.SSH.PassphraseFile, name)
	}
	return signer, nil
}

// hostPort is the host of an ssh URL as known_hosts and the dialler name it.
func (l location) hostPort() string {
	if _, _, err := net.SplitHostPort(l.host); err == nil {
		return l.host
	}
	return net.JoinHostPort(strings.Trim(l.host, "[]"), "22")
}
