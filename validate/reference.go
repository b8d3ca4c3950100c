package validate

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
	"github.com/sallyport/sallyport/repo"
)

// ReferenceOptions say what a repository leaves to others.
type ReferenceOptions struct {
	// External names objects that are made outside the repository, as patterns
	// of Kind/namespace/name or Kind/name, each part in the syntax of path.Match:
	// "Secret/*/regcred".
	External []string
	// Partial says that only some targets of the repository are looked at. What
	// another target may define, or use, is then not judged.
	Partial bool
}

// References follows the names by which objects refer to others: Secrets,
// ConfigMaps and their keys, ServiceAccounts, PersistentVolumeClaims, Services
// and workloads.
//
// What a target defines itself answers first, then what the other targets do,
// since several often fill a namespace. So the verdict comes when all are
// collected. Of a target only names remain, no object. References is safe for
// concurrent use, and its verdict does not depend on the order of targets.
type References struct {
	files    iter.Seq2[string, wordSet] // that could name something, by path; those of read may be left out
	external []external
	partial  bool
	uses     *useTable
	stock    *stock

	mu       sync.Mutex
	known    inventory
	pending  []pending
	findings []finding.Finding
	words    wordSet
	sealed   []sealedSecret
	trodden  map[string]bool // ways on which some reference leads to something
	read     map[string]bool // files that targets are made of
}

// NewReferences returns an empty collection for the targets of tree. An error is
// about the patterns in opts.
func NewReferences(tree repo.Tree, opts ReferenceOptions) (*References, error) {
	patterns, err := parseExternal(opts.External)
	if err != nil {
		return nil, err
	}
	x := &References{
		external: patterns, partial: opts.Partial, uses: newUseTable(), stock: newStock(),
		known: newInventory(), words: wordSet{}, trodden: map[string]bool{}, read: map[string]bool{},
	}
	x.files = x.filesOf(tree)
	return x, nil
}

// Collect takes in one rendered target, and returns what it took. One that could
// not be built says nothing.
func (x *References) Collect(r *render.Rendered) *Evidence {
	if r.Reason != "" {
		return &Evidence{}
	}
	s := survey{x: x, r: r, own: newInventory(), named: map[kindName]bool{}, trodden: map[string]bool{}}
	for _, o := range r.Objects {
		x.stock.take(&s.own, o, r.Target.Path)
	}
	for _, o := range r.Objects {
		s.follow(o)
	}
	words := x.mentions(r)
	e := s.evidence(words, s.place(words), x.sealedSecrets(r, words))
	x.Admit(e)
	return e
}

// Findings is the verdict about everything that was collected, merged and
// sorted.
func (x *References) Findings() []finding.Finding {
	x.mu.Lock()
	defer x.mu.Unlock()
	v := x.verdict()
	out := append(v.findings, x.findings...)
	if x.partial {
		return finding.Merge(out)
	}
	unused := x.unused()
	elsewhere := x.unread(v.missing, unused)
	for _, group := range v.groups() {
		out = append(out, x.undefined(group, elsewhere))
	}
	for _, s := range unused {
		if elsewhere[s.name] == "" {
			out = append(out, s.placed)
		}
	}
	return finding.Merge(out)
}

// NotChecked lists the objects that name something which only another target
// could define, where not all targets were looked at.
func (x *References) NotChecked() []finding.NotChecked {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.partial {
		return nil
	}
	var out []finding.NotChecked
	for _, p := range x.verdict().missing {
		out = append(out, finding.NotChecked{
			Target: p.placed.Targets[0], Object: *p.placed.Object, Check: "references",
			Reason: p.kind + " " + p.name + " is not in this target, and not every target was looked at",
		})
	}
	slices.SortFunc(out, func(a, b finding.NotChecked) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Object.String(), b.Object.String()), cmp.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(out)
}
