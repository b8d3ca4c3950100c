package gate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/diff"
	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
)

// side is one of two snapshots that are compared.
type side struct {
	snap    *repo.Snapshot
	sealed  *secrets.Sealed
	builder *render.Builder
	notes   *render.Notes // of its files; nil for a state before the change
}

func (g *gate) side() *side {
	return &side{snap: g.snap, sealed: g.sealed, builder: g.builder, notes: g.fileNotes}
}

// at is the same files under the name of another snapshot that has them too.
func (s *side) at(snap *repo.Snapshot) *side {
	return &side{snap: snap, sealed: s.sealed, builder: s.builder, notes: s.notes}
}

// baseTree is the base, of which the files that have not changed are read from
// the snapshot: there they are in memory already.
type baseTree struct {
	*repo.Snapshot
	now     *repo.Snapshot
	changed map[string]bool
}

// ReadFile returns a file of the base.
func (t *baseTree) ReadFile(name string) ([]byte, error) {
	if _, ok := t.Lookup(name); ok && !t.changed[name] {
		return t.now.ReadFile(name)
	}
	return t.Snapshot.ReadFile(name)
}

// Unchanged reports whether a file of the snapshot has the same bytes in the base.
func (t *baseTree) Unchanged(name string) bool { return !t.changed[name] }

func (s *side) name() diff.Side { return diff.Side{Kind: s.snap.Kind(), Revision: s.snap.Revision()} }

// state renders a target and masks what is secret in it.
func (s *side) state(ctx context.Context, t render.Target) (*diff.State, error) {
	r, err := s.builder.Build(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", t.Path, err)
	}
	state := &diff.State{Rendered: r, Secrets: map[diff.At]string{}}
	if r.Reason != "" {
		return state, nil
	}
	for _, f := range s.sealed.CheckRendered(r) {
		// A part of a secret, or more than it, is where no flow is.
		if f.Object != nil && f.Pointer != "" && f.Rule != "secret-metadata" {
			state.Secrets[diff.At{Object: *f.Object, Pointer: f.Pointer}] = s.setting(f.Location)
		}
	}
	state.Digest = r.Digest()
	return state, nil
}

// identify learns which secret is in which field, so that a secret whose file
// was moved is known as the same, and a plaintext one that has changed as
// another, though its token stays.
func (s *side) identify(state *diff.State) {
	if state.Reason != "" {
		return
	}
	for _, f := range s.sealed.Flows(state.Rendered) {
		state.Secrets[diff.At{Object: f.Object, Pointer: f.Pointer}] = s.identity(f)
	}
}

// identity tells two secrets apart by what is in their files. It is empty where
// that cannot be said. It never leaves the memory of the process: of a plaintext
// it would let anyone test guesses.
func (s *side) identity(f secrets.Flow) string {
	if f.Encrypted {
		if line, ok := s.line(f.Span); ok {
			if found := ciphertext.FindAll(line, -1); len(found) == 1 {
				return digest("line", found[0])
			}
		}
	} else if id := s.setting(f.Span); id != "" {
		return id
	}
	if id, ok := s.snap.ID(f.File); ok && f.Key == f.File {
		return digest("file", []byte(id))
	}
	return ""
}

// setting is the identity of a secret that lies open in a line.
func (s *side) setting(at finding.Span) string {
	line, ok := s.line(at)
	if text := strings.TrimSpace(string(line)); ok && !blockIndicator.MatchString(text) {
		return digest("line", []byte(text))
	}
	return ""
}

var (
	ciphertext     = regexp.MustCompile(`ENC\[AES256_GCM,[^\]]*\]`)
	blockIndicator = regexp.MustCompile(`[|>][-+0-9]*(\s*#.*)?$`)
)

func (s *side) line(at finding.Span) ([]byte, bool) {
	data, err := s.snap.ReadFile(at.File)
	if err != nil || at.Start.Line < 1 {
		return nil, false
	}
	for n := 1; ; n++ {
		line, rest, more := bytes.Cut(data, []byte("\n"))
		if n == at.Start.Line {
			return line, true
		}
		if !more {
			return nil, false
		}
		data = rest
	}
}

func digest(kind string, data []byte) string {
	sum := sha256.Sum256(data)
	return kind + ":" + hex.EncodeToString(sum[:])
}
