package attacks

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/testdata/peer"
)

// Workshop makes the repositories of the fixtures. Its keys are made afresh, so
// that nothing in a fixture can ever be opened, and every secret value gets a
// suffix of its own.
type Workshop struct {
	Watch  *Watch
	Twins  map[string]bool // that were played; for the caller
	Marker string          // a file that any program of a repository would write

	t     *testing.T
	keys  map[string]Key
	bases map[string]*Repository // by what they are made from
	salt  string
}

// Key is an age key; File holds the identity.
type Key struct{ Recipient, Identity, File string }

// NewWorkshop makes a workshop, and lets PATH lead to a git that takes notes and
// to nothing else.
func NewWorkshop(t *testing.T) *Workshop {
	salt := make([]byte, 4)
	if _, err := rand.Read(salt); err != nil {
		t.Fatal(err)
	}
	w := &Workshop{t: t, keys: map[string]Key{}, bases: map[string]*Repository{}, Twins: map[string]bool{}, Marker: filepath.Join(t.TempDir(), "ran"), salt: hex.EncodeToString(salt)}
	w.Watch = newWatch(t)
	return w
}

// Key returns the age key of a name.
func (w *Workshop) Key(name string) Key {
	w.t.Helper()
	if k, ok := w.keys[name]; ok {
		return k
	}
	recipient, file := peer.NewAgeKey(w.t)
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	k := Key{Recipient: recipient, File: file, Identity: regexp.MustCompile(`AGE-SECRET-KEY-\S+`).FindString(string(data))}
	w.keys[name] = k
	return k
}

// wrap returns an armored age file of 32 random bytes: what a planted recipient
// looks like, put in by somebody who does not know the data key.
func (w *Workshop) wrap(name string) string {
	w.t.Helper()
	cmd := peer.Command(w.t, "age", ".", "--encrypt", "--armor", "--recipient", w.Key(name).Recipient)
	dataKey := make([]byte, 32)
	if _, err := rand.Read(dataKey); err != nil {
		w.t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader(string(dataKey))
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

// pem returns a fresh private key.
func (w *Workshop) pem() string {
	w.t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

var (
	canaryName  = regexp.MustCompile(`canary-[a-z0-9]+`)
	placeholder = regexp.MustCompile(`\{\{([a-z0-9]+)(?: ([^{}]*))?\}\}`)
)

// Expand fills the placeholders of a text, and makes its canaries unique.
func (r *Repository) Expand(text string) string {
	w := r.Workshop
	text = canaryName.ReplaceAllStringFunc(text, func(name string) string {
		value := name + "-" + w.salt
		r.canary(value)
		return value
	})
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		part := placeholder.FindStringSubmatch(match)
		switch name, arg := part[1], part[2]; name {
		case "age":
			return w.Key(arg).Recipient
		case "identity":
			r.canary(w.Key(arg).Identity)
			return w.Key(arg).Identity
		case "hidden":
			form, name, _ := strings.Cut(arg, " ")
			return r.hiddenIdentity(form, w.Key(name).Identity)
		case "base64":
			return base64.StdEncoding.EncodeToString([]byte(arg))
		case "wrapped":
			return wrapped(base64.StdEncoding.EncodeToString([]byte(arg)))
		case "pem":
			key := w.pem()
			r.canary(strings.Split(key, "\n")[1])
			return strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n"+arg)
		case "pem64":
			key := base64.StdEncoding.EncodeToString([]byte(w.pem()))
			r.canary(key)
			return key
		case "wrap":
			return fmt.Sprintf("%q", w.wrap(arg))
		case "server":
			return w.Watch.server
		case "marker":
			return w.Marker
		case "image":
			return "registry.example/shop@sha256:" + strings.Repeat("0123456789abcdef", 4)
		}
		r.t.Fatalf("unknown placeholder %s", match)
		return ""
	})
}

// wrapped breaks a text into lines that are too short to be taken for anything.
func wrapped(text string) string {
	const width = 20
	var lines []string
	for line := range slices.Chunk([]byte(text), width) {
		lines = append(lines, string(line))
	}
	return strings.Join(lines, "\n")
}

// gzipped packs a text.
func (r *Repository) gzipped(text string) string {
	r.t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(text))
	r.Must("", errors.Join(err, z.Close()))
	return packed.String()
}

// hiddenIdentity lays an age identity out in a way that a search for it misses.
// What of it may not be printed is the rest of it in the same form.
func (r *Repository) hiddenIdentity(form, identity string) string {
	var text string
	switch form {
	case "json":
		text = "\\u0041" + strings.ReplaceAll(identity[1:], "-", "\\u002d")
	case "hex":
		text = hex.EncodeToString([]byte(identity))
	case "twice":
		text = base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(identity))))
	case "gzip":
		text = base64.StdEncoding.EncodeToString([]byte(r.gzipped(identity)))
	case "folded":
		text = identity[:7] + "\n    " + identity[7:30] + "\n    " + identity[30:]
	case "quoted":
		text = identity[:11] + "\\\n    \\" + identity[11:40] + "\\\n    \\" + identity[40:]
	case "breaks":
		text = strings.ReplaceAll(wrapped(identity), "\n", `\n`)
	case "joined":
		text = identity[:9] + "\" +\n  \"" + identity[9:]
	}
	r.canary(identity[45:])
	r.canary(text[len(text)-24:])
	return text
}

func (r *Repository) canary(value string) {
	if !slices.Contains(r.Canaries, value) {
		r.Canaries = append(r.Canaries, value)
	}
}

func (r *Repository) ExpandAll(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = r.Expand(s)
	}
	return out
}

// Watch sees which programs are started, and who connects to a server on this
// machine. PATH leads to a git that takes notes and to nothing else.
type Watch struct {
	server string
	hits   atomic.Int64
	log    string
	git    string
	path   string // PATH as it was, for the commands that build fixtures
}

func newWatch(t *testing.T) *Watch {
	t.Helper()
	w := &Watch{path: os.Getenv("PATH")}
	real, err := exec.LookPath("git")
	if err != nil {
		t.Skip(err)
	}
	w.git = real
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.hits.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	w.server = server.URL

	for _, name := range []string{"sops", "age", "age-keygen"} { // build them while PATH still finds go
		peer.Binary(t, name)
	}
	dir := t.TempDir()
	w.log = filepath.Join(dir, "log")
	bin := filepath.Join(dir, "bin")
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >>'%s'\nexec '%s' \"$@\"\n", w.log, real)
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	return w
}

// Reset forgets what was seen.
func (w *Watch) Reset(t *testing.T) {
	t.Helper()
	w.hits.Store(0)
	if err := os.WriteFile(w.log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// plumbing is what check may ask of Git: commands that only read this
// repository.
var plumbing = []string{
	"rev-parse", "ls-tree", "ls-files", "cat-file", "diff-index", "diff-tree", "diff-files", "rev-list", "merge-base", "for-each-ref", "check-attr", "log",
}

// Ran returns the arguments of each call of git since Reset.
func (w *Watch) Ran(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(w.log)
	if err != nil {
		t.Fatal(err)
	}
	return lines(string(data))
}

// Connections counts those to the server of the fixtures since Reset.
func (w *Watch) Connections() int { return int(w.hits.Load()) }

// Check fails where Git did more than read, and where anybody connected.
func (w *Watch) Check(t *testing.T) {
	t.Helper()
	ran := w.Ran(t)
	if len(ran) == 0 {
		t.Error("git was not run through PATH, so that nothing was watched")
	}
	for _, line := range ran {
		if !slices.Contains(plumbing, subcommand(strings.Fields(line))) {
			t.Errorf("git was run with %s", line)
		}
	}
	if n := w.Connections(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}

// subcommand skips the options in front of Git's subcommand.
func subcommand(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c" || args[i] == "-C":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return ""
}
