package secrets

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// CheckFiles judges every file at or below scope ("" is the whole tree),
// whatever its name. The findings are in the order of the files. Files that the
// tree refuses to read are left to whoever builds a target from them. The error
// means that a file could not be read, or that ctx is done.
func (s *Sealed) CheckFiles(ctx context.Context, scope string) ([]finding.Finding, error) {
	files := s.within(scope)
	found := make([][]finding.Finding, len(files))
	err := s.each(ctx, files, func(i int, path string) (err error) {
		found[i], err = s.checkFile(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// FileVerdict is what is wrong with one file by itself. Encrypted says that sops
// encrypted it, at least in part, so that checks over several files take an
// interest.
type FileVerdict struct {
	Findings  []finding.Finding
	Encrypted bool
}

// CheckFile is CheckFiles for one file.
func (s *Sealed) CheckFile(path string) (FileVerdict, error) {
	data, sh, err := s.read(path)
	if err != nil || data == nil {
		return FileVerdict{}, err
	}
	return FileVerdict{judgeFile(path, data, sh), sh != nil && (sh.format != "" || sh.meta != nil)}, nil
}

// Use is a text that tells what the kustomizations of the tree make of a file: as
// long as it and the file's bytes are the same, so is what sealing makes of the
// file.
func (s *Sealed) Use(path string) string {
	u, ok := s.uses[path]
	if !ok {
		return ""
	}
	patch := finding.Object{}
	if u.patch != nil {
		patch = *u.patch
	}
	return fmt.Sprint(u.env, u.config, u.file, u.generator, u.patch != nil, patch)
}

// within lists the readable files at or below scope.
func (s *Sealed) within(scope string) []string {
	var out []string
	for _, e := range s.tree.Files() {
		inside := scope == "" || scope == "." || e.Path == scope || strings.HasPrefix(e.Path, scope+"/")
		if inside && (e.Mode == repo.File || e.Mode == repo.Executable) {
			out = append(out, e.Path)
		}
	}
	return out
}

// each calls do for every file, on all processors.
func (s *Sealed) each(ctx context.Context, files []string, do func(i int, path string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			for i := w; i < len(files); i += workers {
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("secrets: %w", err)
				}
				if err := do(i, files[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (s *Sealed) checkFile(path string) ([]finding.Finding, error) {
	data, sh, err := s.read(path)
	if err != nil || data == nil {
		return nil, err
	}
	return judgeFile(path, data, sh), nil
}

// judgeFile finds what is wrong with one content of a file, whose sheet may be nil.
func judgeFile(path string, data []byte, sh *sheet) []finding.Finding {
	var out []finding.Finding
	if sh != nil {
		out = append(out, sh.findings...)
		for _, v := range sh.values {
			if v.rule != "" {
				out = append(out, v.finding())
			}
		}
		for _, e := range sh.exposed {
			if e.finding.Rule != "" {
				out = append(out, e.finding)
			}
		}
	}
	data = toUTF8(data)
	out = append(out, scanned(path, data, sh)...)
	return secondNet(out, sh)
}

// scanned turns hits into findings, but for credentials that the sheet, which may
// be nil, reports by their names.
func scanned(path string, data []byte, sh *sheet) []finding.Finding {
	hits := scan(data)
	if sh != nil && len(sh.exposed) > 0 {
		hits = sh.withoutExposed(hits)
	}
	if len(hits) == 0 {
		return nil
	}
	t := newText(path, data)
	out := make([]finding.Finding, len(hits))
	for i, h := range hits {
		help := "take it out of the repository and rotate it"
		if h.rule == ruleKey {
			help = "take the key out of the repository, revoke it, and rotate what it protects"
		}
		span := t.span(h.from, min(h.to, t.lineEnd(h.from)))
		out[i] = finding.Finding{
			Rule: h.rule, Severity: severityOf(h.rule), Message: h.message, Help: help, Location: span,
		}
	}
	return out
}

// withoutExposed drops the credentials that are part of what is reported by its
// name. Both are walked once, in their order: a file may hold many of each.
func (s *sheet) withoutExposed(hits []hit) []hit {
	var named []extent
	for _, e := range s.exposed {
		if e.finding.Rule == rulePlaintext {
			named = append(named, e.extent)
		}
	}
	slices.SortFunc(named, func(a, b extent) int { return a.from - b.from })
	next, end := 0, 0 // end is how far those that begin before a hit reach
	return slices.DeleteFunc(hits, func(h hit) bool {
		for ; next < len(named) && named[next].from <= h.from; next++ {
			end = max(end, named[next].to)
		}
		return h.rule == rulePlaintext && h.from < end
	})
}

// Encrypted is one file that sops encrypted, at least in part.
type Encrypted struct {
	Path     string
	Format   Format
	Metadata Metadata // of the first document
	Values   int      // how many encrypted values, 1 for a file sealed as a whole
}

// Encrypted lists the encrypted files of the tree, sorted by path. Files that
// cannot be read are left out.
func (s *Sealed) Encrypted(ctx context.Context) ([]Encrypted, error) {
	files := s.within("")
	found := make([]*Encrypted, len(files))
	err := s.each(ctx, files, func(i int, path string) error {
		_, sh, err := s.read(path)
		if err != nil || sh == nil || sh.format == "" || sh.meta == nil {
			return err
		}
		found[i] = &Encrypted{Path: path, Format: sh.format, Metadata: *sh.meta, Values: sh.encryptedValues()}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Encrypted
	for _, f := range found {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out, nil
}

func (s *sheet) encryptedValues() int {
	n := 0
	for _, v := range s.values {
		if v.encrypted {
			n++
		}
	}
	return n
}
