package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// filePart is what is known of a file by its bytes. What a kustomization mentions
// depends on nothing else; the rest depends on how the file is sealed too, which
// kustomizations decide.
type filePart struct {
	Answer    string            // of the snapshot
	Mentions  []secrets.Mention // of a kustomization
	Mentioned bool              // Mentions are known
	Use       string            // what kustomizations make of the file
	Note      render.Note
	Verdict   secrets.FileVerdict
	Defines   bool // it speaks of CustomResourceDefinitions
	CRD       bool // and is YAML
}

// seal puts tokens in place of all secrets; nothing is read before that.
func (g *gate) seal(ctx context.Context) error {
	start := time.Now()
	sealed, err := secrets.SealKnowing(ctx, g.snap, g.knownMentions())
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	g.opts.Trace("seal", time.Since(start))
	g.sealed = sealed
	g.builder = render.NewBuilder(sealed, render.Options{AllowNetwork: g.opts.AllowNetwork, Library: g.library})
	g.fileNotes = render.NewNotes(g.knownNotes())
	return nil
}

// knownMentions gives what kustomizations mention that are the same as in an earlier run.
func (g *gate) knownMentions() func(name string) *secrets.Mentions {
	if g.memory == nil || g.memory.parts == nil {
		return func(string) *secrets.Mentions { return nil }
	}
	known := g.memory.parts().Files
	return func(name string) *secrets.Mentions {
		part := known[name]
		if answer, ok := answerOf(g.snap, name); !part.Mentioned || !ok || answer != part.Answer {
			return nil
		}
		return &secrets.Mentions{Files: part.Mentions}
	}
}

// knownNotes are those of files that are the same as in an earlier run.
func (g *gate) knownNotes() map[string]render.Note {
	m := g.memory
	if m == nil || m.parts == nil {
		return nil
	}
	m.answers = newAnswers(g)
	m.next = &parts{Files: map[string]filePart{}, Targets: map[string]targetPart{}}
	out := map[string]render.Note{}
	for name, part := range m.parts().Files {
		if part.Note.Asked != 0 && m.answers.still(name, part) {
			out[name] = part.Note
		}
	}
	return out
}

// sealBase seals the state before a change. What the change leaves alone says
// there what it says now, and is known.
func (g *gate) sealBase(ctx context.Context, snap *repo.Snapshot, changed map[string]bool) (*secrets.Sealed, error) {
	sealed, err := secrets.SealKnowing(ctx, &baseTree{snap, g.snap, changed}, func(name string) *secrets.Mentions {
		if changed[name] {
			return nil
		}
		return g.sealed.Mentions(name)
	})
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// notesBefore are the notes about a state before the change: those of the files that
// the change leaves alone.
func (g *gate) notesBefore(before *secrets.Sealed, changed map[string]bool) *render.Notes {
	known := map[string]render.Note{}
	for _, e := range before.Files() {
		note := g.fileNotes.Of(e.Path)
		if note.Asked != 0 && !changed[e.Path] && before.Use(e.Path) == g.sealed.Use(e.Path) {
			known[e.Path] = note
		}
	}
	return render.NewNotes(known)
}

// survey judges every file by itself, or takes over an earlier verdict.
func (g *gate) survey(ctx context.Context) error {
	m := g.memory
	if m == nil {
		return nil
	}
	start := time.Now()
	defer func() { g.opts.Trace("files", time.Since(start)) }()
	old := m.parts()
	files := g.snap.Files()
	found := make([]filePart, len(files))
	var fresh []int
	for i, e := range files {
		known, was := old.Files[e.Path]
		if !was || !m.answers.still(e.Path, known) {
			answer, _ := answerOf(g.snap, e.Path)
			known = filePart{Answer: answer, Use: g.sealed.Use(e.Path)}
			fresh = append(fresh, i)
		}
		note := g.fileNotes.Of(e.Path)
		m.stale = m.stale || known.Note.Asked != note.Asked
		if known.Note = note; !known.Mentioned {
			if mentions := g.sealed.Mentions(e.Path); mentions != nil {
				known.Mentions, known.Mentioned = mentions.Files, true
			}
		}
		found[i] = known
	}
	m.stale = m.stale || len(fresh) > 0 || len(old.Files) != len(files)
	err := g.each(ctx, len(fresh), func(n int) (err error) {
		i := fresh[n]
		found[i].Defines = files[i].Mode <= repo.Executable && holdsCRD(g.sealed, files[i].Path)
		found[i].CRD = found[i].Defines && source.IsYAML(files[i].Path)
		if files[i].Mode <= repo.Executable && g.inScope(files[i].Path) {
			found[i].Verdict, err = g.sealed.CheckFile(files[i].Path)
		}
		return err
	})
	h := newHasher()
	for i, e := range files {
		m.next.Files[e.Path] = found[i]
		if found[i].CRD {
			h.add(e.Path, found[i].Answer, found[i].Use)
		}
	}
	m.crds = h.key()
	return err
}

func (g *gate) inScope(file string) bool {
	scope := g.snap.Scope()
	return scope == "" || inside(file, []string{scope})
}

// mayDefine is false for a file that is known not to define custom resources.
func (g *gate) mayDefine(file string) bool {
	return g.memory == nil || g.memory.next == nil || g.memory.next.Files[file].CRD
}

// definedBefore is holdsCRD of a file in the state before a change. Of a file that
// the change leaves alone the survey knows.
func (g *gate) definedBefore(before *secrets.Sealed, name string, changed map[string]bool) bool {
	if m := g.memory; m != nil && m.next != nil && !changed[name] && before.Use(name) == g.sealed.Use(name) {
		if part, ok := m.next.Files[name]; ok {
			return part.Defines
		}
	}
	return holdsCRD(before, name)
}
