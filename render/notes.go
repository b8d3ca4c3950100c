package render

import (
	"errors"
	"maps"
	"path"
	"sync"
)

// Notes are what [Discover] learned of single files, by path, so that a file that
// is the same need not be read again. Discover believes the notes that it is given
// and adds to them: whoever keeps them leaves out those of files whose text, as the
// tree gives it, is another by now. They are safe for concurrent use; nil notes
// know and keep nothing.
type Notes struct {
	mu    sync.Mutex
	files map[string]Note
}

// Note is about one file. It is plain data and can be kept: it has names that the
// file refers to, and nothing else of its text.
type Note struct {
	Asked   uint8 // which of the others is known
	Outline Outline
	Holding uint8 // what a YAML file is, see holding
	Speaks  bool  // of what delivers
}

// The questions that a note can answer.
const (
	askedOutline = 1 << iota
	askedHolding
	askedSpeaks
)

// Outline is what a kustomization is to all others.
type Outline struct {
	State     uint8 // see below
	Component bool
	Refs      []Ref // to paths of the repository, in the order of the file
}

// The states of an outline: a kustomization; a file that is named like one and is
// none; one that cannot be read as one.
const (
	outlineSound = iota
	outlineNone
	outlineBroken
)

// Ref is one reference of an [Outline].
type Ref struct {
	Role uint8 // see role
	Path string
}

// NewNotes returns notes that begin with what is known.
func NewNotes(known map[string]Note) *Notes {
	n := &Notes{files: map[string]Note{}}
	maps.Copy(n.files, known)
	return n
}

// Of returns the note about a file, which is empty if nothing is known.
func (n *Notes) Of(name string) Note {
	if n == nil {
		return Note{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.files[name]
}

// learn answers one question about a file: from the notes, or by ask, which
// reports whether the answer depends on the text of the file alone.
func (n *Notes) learn(name string, question uint8, ask func(*Note) bool) Note {
	note := n.Of(name)
	if note.Asked&question != 0 || !ask(&note) || n == nil {
		return note
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	kept := n.files[name] // somebody may have asked something else meanwhile
	switch kept.Asked |= question; question {
	case askedOutline:
		kept.Outline = note.Outline
	case askedHolding:
		kept.Holding = note.Holding
	case askedSpeaks:
		kept.Speaks = note.Speaks
	}
	n.files[name] = kept
	return note
}

// outlined is the kustomization of a directory as discovery needs it.
type outlined struct {
	Outline
	dir, path string // path is of the file
}

// outline tells what the kustomization of a directory refers to. It is nil where
// the directory holds none; broken says that it holds one that cannot be read.
func (s *survey) outline(dir string) (k *outlined, broken bool) {
	names, err := spellings(s.tree, dir)
	if err != nil {
		return nil, false
	}
	if len(names) > 1 {
		return nil, true
	}
	name := path.Join(dir, names[0])
	note := s.opts.Notes.learn(name, askedOutline, func(n *Note) bool {
		full, err := s.opts.Library.load(s.tree, dir)
		switch {
		case errors.Is(err, errNoKustomization):
			n.Outline.State = outlineNone
		case err != nil:
			n.Outline.State = outlineBroken
			return false // why it cannot be read is not always in its text
		default:
			n.Outline = full.outline()
		}
		return true
	})
	if note.Outline.State != outlineSound {
		return nil, note.Outline.State == outlineBroken
	}
	return &outlined{note.Outline, dir, name}, false
}

func (k *kustomization) outline() Outline {
	out := Outline{Component: k.Component}
	for _, ref := range k.Refs {
		if ref.Path != "" {
			out.Refs = append(out.Refs, Ref{uint8(ref.Role), ref.Path})
		}
	}
	return out
}

// full is the kustomization of a directory that has a sound outline.
func (s *survey) full(dir string) *kustomization {
	if s.found[dir] == nil {
		return nil
	}
	k, err := s.opts.Library.load(s.tree, dir)
	if err != nil {
		return nil
	}
	return k
}
