package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// answerTimeout is how long a server may think before it answers: it counts the
// objects of a large repository meanwhile.
const answerTimeout = 2 * time.Minute

// server is a connection over which references were listed.
type server struct {
	session      transport.UploadPackSession
	capabilities *capability.List
	refs         references
	opts         Options
	stateless    bool // http: commits behind a tip can be had
	idle         func()
}

// connect opens a session and lists the references.
func (f *fetcher) connect(ctx context.Context) (*server, error) {
	s := &server{opts: f.opts, idle: func() {}}
	endpoint, err := transport.NewEndpoint(f.at.scheme + "://" + f.at.host + f.at.slashed())
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be parsed", ErrURL)
	}
	var open func() (transport.UploadPackSession, error)
	if f.at.scheme == schemeSSH {
		open, err = f.overSSH(endpoint)
	} else {
		open, err = f.overHTTP(endpoint, s)
	}
	if err != nil {
		return nil, err
	}
	if s.session, err = within(ctx, open); err != nil {
		return nil, err
	}
	advertised, err := s.session.AdvertisedReferencesContext(ctx)
	if err != nil {
		s.close()
		return nil, err
	}
	if format := advertised.Capabilities.Get("object-format"); len(format) > 0 && !slices.Contains(format, "sha1") {
		s.close()
		return nil, errors.New("its objects are named by SHA-256, which is not supported")
	}
	s.capabilities, s.refs = advertised.Capabilities, referencesOf(advertised)
	return s, nil
}

// within ends the wait for a server that accepts a connection and says nothing:
// go-git's handshake knows no context. A session that comes too late is closed.
func within(ctx context.Context, open func() (transport.UploadPackSession, error)) (transport.UploadPackSession, error) {
	type opened struct {
		session transport.UploadPackSession
		err     error
	}
	done := make(chan opened, 1)
	go func() {
		session, err := open()
		done <- opened{session, err}
	}()
	select {
	case o := <-done:
		return o.session, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.err == nil {
				o.session.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (f *fetcher) overSSH(endpoint *transport.Endpoint) (func() (transport.UploadPackSession, error), error) {
	auth, err := f.key()
	if err != nil {
		return nil, err
	}
	endpoint.User, endpoint.Path = auth.config.User, f.at.path
	return func() (transport.UploadPackSession, error) {
		return gitssh.NewClient(nil).NewUploadPackSession(endpoint, auth)
	}, nil
}

func (f *fetcher) overHTTP(endpoint *transport.Endpoint, s *server) (func() (transport.UploadPackSession, error), error) {
	auth, err := f.basic()
	if err != nil {
		return nil, err
	}
	trust, err := f.trust()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	tr := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: trust,
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: answerTimeout, ForceAttemptHTTP2: true,
	}
	s.stateless, s.idle = true, tr.CloseIdleConnections
	client := githttp.NewClient(&http.Client{Transport: bounded{tr, f.opts.MaxSize}, CheckRedirect: stayAtHost})
	return func() (transport.UploadPackSession, error) {
		if auth == nil {
			return client.NewUploadPackSession(endpoint, nil)
		}
		return client.NewUploadPackSession(endpoint, auth)
	}, nil
}

// stayAtHost refuses to be led to another host: the one in the URL was chosen.
func stayAtHost(next *http.Request, via []*http.Request) error {
	if from := via[0].URL; next.URL.Host != from.Host || next.URL.Scheme != from.Scheme {
		return fmt.Errorf("the server leads to another host, %s: use that in the URL if it is meant", next.URL.Host)
	}
	return nil
}

// bounded ends every answer that is larger than a pack may be.
type bounded struct {
	next http.RoundTripper
	max  int64
}

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(req)
	if err == nil {
		res.Body = &boundedBody{ReadCloser: res.Body, left: b.max + protocolBytes, max: b.max}
	}
	return res, err
}

// protocolBytes are allowed beside the pack for references and framing.
const protocolBytes = 32 << 20

type boundedBody struct {
	io.ReadCloser
	left, max int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLarge(b.max)
	}
	return n, err
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: it takes more than %d bytes, the limit", ErrTooLarge, limit)
}

func referencesOf(a *packp.AdvRefs) references {
	r := references{hashes: a.References}
	if a.Head != nil {
		r.tip = *a.Head
	}
	for _, symbolic := range a.Capabilities.Get(capability.SymRef) {
		if target, ok := strings.CutPrefix(symbolic, "HEAD:"); ok {
			r.head = target
		}
	}
	return r
}

// receive asks for an object and what belongs to it, and puts the pack into the
// mirror.
func (s *server) receive(ctx context.Context, m *mirror, name string, want wanted) (*filesystem.Storage, error) {
	req, err := s.request(want)
	if err != nil {
		return nil, err
	}
	response, err := s.session.UploadPack(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("the server does not give %s: %w", want.hash, err)
	}
	defer response.Close()
	var pack io.Reader = response
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, response)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, response)
	}
	return m.receive(ctx, name, want.hash, pack, response.Shallows, s.opts.MaxSize)
}

// request asks for one object to the depth that is wanted. A server that gives
// tips only is asked for all of them, with their history: the commit is in there.
func (s *server) request(want wanted) (*packp.UploadPackRequest, error) {
	req := packp.NewUploadPackRequestFromCapabilities(s.capabilities)
	if s.capabilities.Supports(capability.NoProgress) {
		if err := req.Capabilities.Set(capability.NoProgress); err != nil {
			return nil, err
		}
	}
	if !s.gives(want.hash) {
		for name, hash := range s.refs.hashes {
			if strings.HasPrefix(name, branchPrefix) || strings.HasPrefix(name, tagPrefix) {
				req.Wants = append(req.Wants, hash)
			}
		}
		plumbing.HashesSort(req.Wants)
		req.Wants = slices.Compact(req.Wants)
		return req, nil
	}
	req.Wants = []plumbing.Hash{want.hash}
	if s.opts.Depth >= 0 && s.capabilities.Supports(capability.Shallow) {
		req.Depth = packp.DepthCommits(max(1, s.opts.Depth))
		if err := req.Capabilities.Set(capability.Shallow); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// gives reports whether the server gives an object that is asked for by its hash.
func (s *server) gives(hash plumbing.Hash) bool {
	return s.stateless || s.refs.advertises(hash) ||
		s.capabilities.Supports(capability.AllowReachableSHA1InWant) || s.capabilities.Supports("allow-any-sha1-in-want")
}

func (s *server) close() {
	s.session.Close()
	s.idle()
}
