package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// proxy passes TCP connections on to the API server, and can be a bad network.
// It sees only TLS: faults are of connections, never of single requests.
type proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	latency  time.Duration
	refusing bool
	links    map[*link]struct{}
}

// link is one client's connection and the one that carries it on.
type link struct {
	client, server net.Conn
	losing         bool // cut instead of passing on an answer; guarded by proxy.mu
}

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, links: make(map[*link]struct{})}
	go p.accept()
	return p, nil
}

func (p *proxy) url() string { return fmt.Sprintf("https://%s", p.listener.Addr()) }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		go p.connect(client)
	}
}

// connect carries a connection until either side ends it.
func (p *proxy) connect(client net.Conn) {
	defer client.Close()
	if p.isRefusing() {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return // the client sees its connection closed, as with a dead server behind a balancer
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pipe(l, server, client, false) })
	both.Go(func() { p.pipe(l, client, server, true) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// chunk is what was read at once, and when it may be written.
type chunk struct {
	content []byte
	due     time.Time
}

// pipe passes bytes on, each as late as the proxy said when it was read, so that
// a delay is a latency and not a limit of throughput. When one direction ends,
// so does the other.
func (p *proxy) pipe(l *link, to, from net.Conn, answers bool) {
	const (
		size  = 32 << 10 // as io.Copy
		depth = 64       // 2 MiB on their way, then the sender waits
	)
	chunks := make(chan chunk, depth)
	go func() {
		defer close(chunks)
		for {
			buf := make([]byte, size)
			n, err := from.Read(buf)
			if n > 0 {
				chunks <- chunk{buf[:n], time.Now().Add(p.currentDelay())}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range chunks {
		time.Sleep(time.Until(c.due))
		if answers && p.isLosing(l) {
			l.cut()
			continue // until the reader has seen that it is closed
		}
		if _, err := to.Write(c.content); err != nil {
			l.cut()
		}
	}
	l.cut()
}

func (l *link) cut() {
	l.client.Close()
	l.server.Close()
}

func (p *proxy) delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency = d
}

func (p *proxy) refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = on
}

// drop cuts all connections.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// loseAnswer lets requests through on the connections of now and cuts each
// instead of bringing back an answer: the client cannot know what was done.
func (p *proxy) loseAnswer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.losing = true
	}
}

func (p *proxy) close() {
	p.listener.Close()
	p.drop()
}

func (p *proxy) currentDelay() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latency
}

func (p *proxy) isRefusing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusing
}

func (p *proxy) isLosing(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.losing
}
