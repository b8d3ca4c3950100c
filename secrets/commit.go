package secrets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
	"github.com/sallyport/sallyport/source"
)

// A Blob is content that one commit put at a path. Before is what its parents
// have there: nothing where the path is new, more than one for a merge. The
// commit added what is in Data and in none of Before.
type Blob struct {
	Commit string // full id
	Path   string
	Before [][]byte
	Data   []byte
}

// CheckAdded judges what one commit added, whatever a later one did to it: each
// plaintext secret, committed key and token whose value the parents do not have
// at the path. The location is the place in the content of that commit. Values
// are compared by their hashes and kept by no one.
//
// Which files are a generator's is taken from the tree of s. [Sealed.CheckCommits]
// knows that of every commit in a range.
func (s *Sealed) CheckAdded(b Blob) []finding.Finding {
	return s.newCommitScan().check(b)
}

// CheckCommits judges what each commit of from..to added. A value is reported
// once for a path and key: at the first commit that has it. The messages of the
// commits are judged as well, behind the files. The findings are in the order of
// the commits, parents first; errors are those of
// [repo.Snapshot.Added].
func (s *Sealed) CheckCommits(ctx context.Context, history *repo.Snapshot, from, to string) ([]finding.Finding, error) {
	scan := s.newCommitScan()
	each := func(do func(Blob)) error {
		return history.Added(ctx, from, to, func(a repo.Addition) error {
			if a.Mode == repo.File || a.Mode == repo.Executable {
				do(Blob{Commit: a.Commit, Path: a.Path, Before: a.Before, Data: a.Data})
			}
			return ctx.Err()
		})
	}
	// A file may come before the kustomization that makes a Secret of it.
	if err := each(scan.learn); err != nil {
		return nil, fmt.Errorf("commits: %w", err)
	}
	var out []finding.Finding
	if err := each(func(b Blob) { out = append(out, scan.check(b)...) }); err != nil {
		return nil, fmt.Errorf("commits: %w", err)
	}
	messages, err := s.checkMessages(ctx, history, from, to)
	return append(out, messages...), err
}

// A commitScan is what is known while the commits of a range are judged.
type commitScan struct {
	sealed *Sealed
	uses   map[string]use    // by kustomizations of the range alone
	told   map[identity]bool // what was reported, by path, key and value
}

func (s *Sealed) newCommitScan() *commitScan {
	return &commitScan{sealed: s, uses: map[string]use{}, told: map[identity]bool{}}
}

// learn notes which files a kustomization makes Secrets of, so that they are
// judged as such even where no kustomization of the tree names them any more.
func (c *commitScan) learn(b Blob) {
	if !isKustomization(b.Path) || !bytes.Contains(b.Data, []byte("enerator")) && !bytes.Contains(b.Data, []byte("Secret")) {
		return
	}
	f, err := source.Parse(b.Path, b.Data)
	if err != nil {
		return
	}
	for _, doc := range f.Docs {
		for _, n := range slices.Concat(generatorUses(f, doc.Root), patchUses(f, doc.Root)) {
			if c.sealed.uses[n.Path].none() {
				n.Span = finding.Span{File: n.Span.File} // its line is one of another revision
				c.uses[n.Path] = n.join(c.uses[n.Path])
			}
		}
	}
}

func (c *commitScan) use(path string) use {
	if use := c.sealed.uses[path]; !use.none() {
		return use
	}
	return c.uses[path]
}

func (c *commitScan) check(b Blob) []finding.Finding {
	found := exposures(b.Path, b.Data, c.use(b.Path))
	if len(found) == 0 {
		return nil
	}
	before := map[identity]bool{}
	for _, data := range b.Before {
		for _, e := range exposures(b.Path, data, c.use(b.Path)) {
			before[e.value] = true
		}
	}
	var out []finding.Finding
	for _, e := range found {
		told := identify(b.Path, e.finding.Pointer, string(e.value[:]))
		if !before[e.value] && !c.told[told] {
			c.told[told] = true
			out = append(out, e.in(b.Commit))
		}
	}
	return out
}

// An exposure is a finding about a value that lies open, and which value that is.
type exposure struct {
	finding finding.Finding
	value   identity
}

// An identity is the hash of something that is not to be kept.
type identity [sha256.Size]byte

func identify(parts ...string) identity {
	return sha256.Sum256([]byte(strings.Join(parts, "\x00")))
}

// minIdentity is the length in bytes from which equal values are taken for the
// same secret, whatever their keys: "admin" is under many.
const minIdentity = 8

// exposures finds the values that lie open in one content of a file.
func exposures(path string, data []byte, use use) []exposure {
	var sh *sheet
	if mayMatter(path, data, use) {
		sh = newSheet(path, data, use)
	}
	var out []exposure
	var t *text
	for _, f := range judgeFile(path, data, sh) {
		switch f.Rule {
		case rulePlaintext, ruleIncomplete, ruleKey, rulePattern:
		default:
			continue // nobody can read a value because of it
		}
		if t == nil {
			t = newText(path, toUTF8(data))
		}
		value := t.valueAt(f.Location)
		if sh.isWhole() && f.Rule == rulePlaintext && f.Pointer == "" {
			value = string(t.data)
		}
		e := exposure{finding: f, value: identify("", value)}
		if len(value) < minIdentity {
			e.value = identify(f.Pointer, value)
		}
		out = append(out, e)
	}
	return out
}

// isWhole reports whether a file is sealed in one piece.
func (s *sheet) isWhole() bool {
	return s != nil && len(s.edits) == 1 && strings.HasSuffix(s.edits[0].with, wholeMark)
}

// valueAt returns the value at the span of a finding, without its quotes and
// indentation, so that the same value is equal however it is laid out. The span of
// a block scalar is its first line; the lines below belong to it.
func (t *text) valueAt(span finding.Span) string {
	from, to := t.offset(span.Start.Line, span.Start.Column), t.offset(span.End.Line, span.End.Column)
	to = max(from, to)
	if blockHead.Match(t.data[from:to]) {
		start := t.parsed[span.Start.Line-1]
		depth := len(t.data[start:]) - len(bytes.TrimLeft(t.data[start:], " "))
		first := t.nextLine(t.lineEnd(from))
		from, to = first, first // the indicator may change, the value stays
		for at := first; at < len(t.data); at = t.nextLine(t.lineEnd(at)) {
			line := t.data[at:t.lineEnd(at)]
			if len(bytes.TrimSpace(line)) > 0 && len(line)-len(bytes.TrimLeft(line, " ")) <= depth {
				break
			}
			to = t.lineEnd(at)
		}
	}
	fields := bytes.Fields(t.data[from:to])
	return strings.Trim(string(bytes.Join(fields, []byte(" "))), `"'`)
}

// blockHead is how a block scalar begins, behind its anchor and tag.
var blockHead = regexp.MustCompile(`^(?:[&!]\S*[ \t]+)*[|>]`)

// shortCommit is how many digits of a commit's id a message shows, as in git.
const shortCommit = 7

// in says that a finding is about a commit.
func (e exposure) in(commit string) finding.Finding {
	f := e.finding
	short := commit[:min(shortCommit, len(commit))]
	f.Message = fmt.Sprintf("%s in commit %s; it is burnt, even if a later commit removes it", f.Message, short)
	f.Commit = commit
	f.Help = "rotate it: everybody who can read the repository has it; then rewrite the commits or waive the finding"
	return f
}
