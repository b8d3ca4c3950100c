// Package fetch brings one commit of a Git repository into the process, without
// a Git program: a URL and a reference become one SHA, and its files a
// [repo.Snapshot].
//
// Nothing that a repository says is acted upon: no submodule is fetched, no
// filter, hook, LFS pointer, replace reference or graft counts, and nothing is
// checked out. Every object is hashed when it is read, from the commit down, so
// that what stands in the mirror on disk need not be trusted.
//
// Credentials come from files that are read for each fetch, so that they may be
// rotated, and are in no error.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/sallyport/sallyport/repo"
)

// AllHistory as Options.Depth fetches every commit behind the one asked for.
const AllHistory = -1

// MaxMirror is how many bytes of a pack are received unless Options say
// otherwise. The manifests of the largest public repositories of this kind are 30
// MiB with all images beside them; more is not meant for a cluster.
const MaxMirror = 256 << 20

// The kinds of errors, for callers that act on them. No other error can be
// unwrapped from one of this package but the context's: texts of servers and of
// libraries may quote a credential.
var (
	ErrURL         = errors.New("unusable URL")
	ErrCredentials = errors.New("unusable credentials")
	ErrAuth        = errors.New("access refused")
	ErrHostKey     = errors.New("host key refused")
	ErrReference   = errors.New("no such reference")
	ErrTooLarge    = errors.New("repository too large")
	ErrLocked      = errors.New("mirror in use")
	ErrSignature   = errors.New("signature refused")
)

// Options say what to fetch, and how to reach it. Everything that is named File
// is a path.
type Options struct {
	// URL is https://, ssh://, user@host:path, or file:// for a repository on
	// disk; http:// only if Insecure. It must not hold a password.
	URL string
	// Ref is a branch, a tag, either in full (refs/…), or a full commit SHA.
	// Empty is the default branch.
	Ref string
	// Mirror is a directory of ours that keeps what was fetched between runs. It
	// is created. A file:// URL needs none.
	Mirror string
	// Depth is how many commits are fetched; 0 is one. A file:// repository is
	// read where it is, with all that it has.
	Depth int
	// MaxSize is how many bytes are received at most; 0 is MaxMirror.
	MaxSize int64
	// Insecure allows http://, which shows credentials and files to the network.
	Insecure bool

	HTTPS HTTPS
	SSH   SSH

	Verify Verify
	Now    func() time.Time // for signatures; nil is time.Now
}

// HTTPS is how to reach a server by https. Without PasswordFile no credentials
// are sent.
type HTTPS struct {
	Username     string // any name will do beside most tokens; "git" if empty
	PasswordFile string // a password or a token
	CAFile       string // certificates in PEM to trust beside the system's
}

// SSH is how to reach a server by ssh. No agent and no other key is asked, and a
// server whose host key is not in KnownHostsFile is not talked to.
type SSH struct {
	KeyFile        string
	PassphraseFile string // of KeyFile, where it is encrypted
	KnownHostsFile string // sshd(8), SSH_KNOWN_HOSTS FILE FORMAT
}

// Source is one commit. It holds the lock of its mirror until it is closed.
type Source struct {
	commit  *commit
	ref     string
	signer  string
	files   []repo.Object
	objects *objects
	mirror  *mirror // nil for a repository on disk
}

// Open resolves the reference, once, and fetches its commit unless the mirror
// has it. Signatures are checked as Options.Verify asks. A mirror that is damaged
// is fetched anew.
func Open(ctx context.Context, opts Options) (*Source, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.MaxSize <= 0 {
		opts.MaxSize = MaxMirror
	}
	at, err := parseURL(opts.URL, opts.Insecure)
	if err != nil {
		return nil, err
	}
	f := fetcher{opts: opts, at: at}
	s, err := f.open(ctx)
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	return s, nil
}

// fetcher is one run of Open.
type fetcher struct {
	opts    Options
	at      location
	secrets redactor // what errors must not say
}

func (f *fetcher) open(ctx context.Context) (*Source, error) {
	verifier, err := newVerifier(f.opts.Verify, f.opts.Now)
	if err != nil {
		return nil, err
	}
	if f.at.scheme == schemeFile {
		return f.openLocal(ctx, verifier)
	}
	m, err := openMirror(f.opts.Mirror)
	if err != nil {
		return nil, err
	}
	s, err := f.openRemote(ctx, m, verifier)
	if errors.Is(err, errDamaged) {
		if err = m.clear(); err == nil {
			s, err = f.openRemote(ctx, m, verifier)
		}
	}
	if err != nil {
		m.close()
		return nil, err
	}
	s.mirror = m
	return s, nil
}

// openLocal reads a repository on disk where it is.
func (f *fetcher) openLocal(ctx context.Context, v *verifier) (*Source, error) {
	store, refs, err := openDirectory(f.at.path)
	if err != nil {
		return nil, err
	}
	want, err := refs.resolve(f.opts.Ref)
	if err == nil {
		err = present(store, want)
	}
	if err == nil {
		var s *Source
		if s, err = load(ctx, newObjects(store), want, v); err == nil {
			return s, nil
		}
	}
	store.Close()
	return nil, err
}

// openRemote asks the server what the reference means now, and takes the commit
// from the mirror or from the server.
func (f *fetcher) openRemote(ctx context.Context, m *mirror, v *verifier) (*Source, error) {
	server, err := f.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer server.close()
	want, err := server.refs.resolve(f.opts.Ref)
	if err != nil {
		return nil, err
	}
	name := generation(want.hash, f.opts.Depth)
	store, found, err := m.find(name)
	if err == nil && !found {
		if store, err = server.receive(ctx, m, name, want); err == nil {
			err = present(store, want)
		}
	}
	if err != nil {
		return nil, err
	}
	s, err := load(ctx, newObjects(store), want, v)
	if err != nil {
		store.Close()
		return nil, err
	}
	return s, nil
}

// present says that nobody has a commit which was named by its SHA. The store is
// closed then.
func present(store *filesystem.Storage, want wanted) error {
	if want.name != "" || store.HasEncodedObject(want.hash) == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("%w: no branch and no tag leads to commit %s", ErrReference, want.hash), store.Close())
}

// load reads the commit that a reference names, checks who signed it, and lists
// its files.
func load(ctx context.Context, o *objects, want wanted, v *verifier) (*Source, error) {
	s := &Source{objects: o, ref: want.name}
	tag, c, err := o.peel(want.hash)
	if err != nil {
		return nil, err
	}
	s.commit = c
	if s.signer, err = v.verify(want, tag, c); err != nil {
		return nil, err
	}
	if s.files, err = o.list(ctx, c.tree); err != nil {
		return nil, fmt.Errorf("commit %s: %w", c.id, err)
	}
	return s, nil
}

// Revision returns the SHA of the commit.
func (s *Source) Revision() string { return s.commit.id }

// Ref returns the full name of the reference that was resolved, such as
// refs/heads/main. It is empty where a commit was asked for by its SHA.
func (s *Source) Ref() string { return s.ref }

// Time returns when the commit was made, as it claims, in UTC.
func (s *Source) Time() time.Time { return s.commit.time }

// Signer names the key that signed: a principal of the allowed signers, or the
// fingerprint of an OpenPGP key. It is empty where no signature was asked for.
func (s *Source) Signer() string { return s.signer }

// Snapshot returns the files of the commit. It can be read until the source is
// closed, or ctx is done.
func (s *Source) Snapshot(ctx context.Context) (*repo.Snapshot, error) {
	return repo.FromObjects(s.commit.id, s.files, func(id string) ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return s.objects.blob(id)
	})
}

// Close lets go of the mirror. It may be called more than once.
func (s *Source) Close() error {
	err := s.objects.close()
	if s.mirror != nil {
		s.mirror.close()
		s.mirror = nil
	}
	return err
}
