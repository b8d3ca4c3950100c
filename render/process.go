package render

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// process guards what kustomize shares between all builds of a process. It is
// the one package-level variable because what it guards is global too:
//
//   - The OpenAPI schema of kyaml. Reading it is safe once it is warm; a
//     kustomization with an openapi field changes it for every other build, now
//     and later (kustomize#3659, kustomize#4824, fluxcd/pkg#1237). Such a build
//     runs alone, between two resets.
//   - os.Stderr and the log package, where kustomize prints deprecation
//     warnings that are findings here. Both are silent while a build runs. In
//     a few places kustomize calls log.Fatal, which would end the process for
//     one bad file; that becomes a panic, and the panic a finding.
//   - http.DefaultTransport, which kustomize uses for remote files. It is
//     replaced by one that refuses while a build runs that could make up a URL
//     no static check sees.
var process guard

type guard struct {
	schema sync.RWMutex
	warm   sync.Once

	mu     sync.Mutex // guards the fields below
	builds int
	stderr *os.File
	log    io.Writer
}

// share runs a build that other builds may run beside.
func (g *guard) share(build func()) {
	g.warm.Do(func() { openapi.Schema() })
	g.schema.RLock()
	defer g.schema.RUnlock()
	g.hush()
	defer g.unhush()
	build()
}

// alone runs a build that no other build runs beside, with a fresh schema, and
// leaves a fresh schema behind. Without network no connection can be made.
func (g *guard) alone(network bool, build func()) {
	g.schema.Lock()
	defer g.schema.Unlock()
	openapi.ResetOpenAPI()
	defer func() {
		openapi.ResetOpenAPI()
		openapi.Schema()
	}()
	g.hush()
	defer g.unhush()
	if !network {
		before := http.DefaultTransport
		http.DefaultTransport = &http.Transport{DialContext: refuseDial}
		defer func() { http.DefaultTransport = before }()
	}
	build()
}

var errOffline = errors.New("the network is not allowed")

func refuseDial(context.Context, string, string) (net.Conn, error) {
	return nil, errOffline
}

// hush silences kustomize. A nil *os.File takes writes and fails them, which
// kustomize ignores; whoever holds the real file keeps it.
func (g *guard) hush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.builds++; g.builds == 1 {
		g.stderr, g.log = os.Stderr, log.Writer()
		os.Stderr = nil
		log.SetOutput(muted{})
	}
}

// muted drops what is logged. For log.Fatal it panics, before the log package
// can exit: Build recovers.
type muted struct{}

func (muted) Write(p []byte) (int, error) {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	fatal := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "log.Fatal"):
			fatal = true
		case fatal && strings.HasPrefix(frame.Function, "sigs.k8s.io/kustomize/"):
			panic(errPanicked)
		}
		if !more {
			return len(p), nil
		}
	}
}

func (g *guard) unhush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.builds--; g.builds == 0 {
		os.Stderr = g.stderr
		log.SetOutput(g.log)
	}
}
