package render

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// Discover finds the targets of a tree: every kustomization that no other
// refers to, and every directory of plain manifests that no kustomization owns.
//
// Scope, Include and Exclude choose among the targets; what counts as a leaf is
// always decided on the whole tree. The error is that of the context, or of a
// pattern that is malformed.
func Discover(ctx context.Context, tree repo.Tree, opts DiscoverOptions) (*Discovery, error) {
	for _, pattern := range slices.Concat(opts.Include, opts.Exclude) {
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("pattern %q: %w", pattern, doublestar.ErrBadPattern)
		}
	}
	if opts.Library == nil {
		opts.Library = &Library{}
	}
	s := &survey{tree: tree, opts: opts, used: map[string]bool{}, files: map[string]bool{}}
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	s.leaves()
	if err := s.directories(ctx); err != nil {
		return nil, err
	}
	if err := s.deliveries(ctx); err != nil {
		return nil, err
	}
	s.components()
	return s.discovery(), nil
}

// survey is the state of one Discover.
type survey struct {
	tree    repo.Tree
	opts    DiscoverOptions
	dirs    []string // that hold a kustomization, sorted
	found   map[string]*outlined
	broken  map[string]bool // that hold one that cannot be read
	refers  map[string][]string
	used    map[string]bool // directories reached from a leaf
	files   map[string]bool // files that a kustomization refers to
	all     []Target        // leaves and directories, in scope or not
	targets []Target
	skipped []Skipped
	faults  []*fault
	builder *Builder // of deliveries
}

// read learns what every kustomization of the tree refers to, on all processors.
func (s *survey) read(ctx context.Context) error {
	s.found, s.broken, s.refers = map[string]*outlined{}, map[string]bool{}, map[string][]string{}
	dirs := s.holders()
	loaded, broken := make([]*outlined, len(dirs)), make([]bool, len(dirs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, dir := range dirs {
		group.Go(func() error {
			loaded[i], broken[i] = s.outline(dir)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	for i, dir := range dirs {
		switch {
		case broken[i]:
			s.broken[dir] = true
		case loaded[i] == nil:
			continue
		default:
			s.found[dir] = loaded[i]
			s.follow(loaded[i])
		}
		s.dirs = append(s.dirs, dir)
	}
	return nil
}

// holders lists the directories with a file that is named like a kustomization,
// sorted.
func (s *survey) holders() []string {
	var dirs []string
	for _, entry := range s.tree.Files() {
		if slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(entry.Path)) {
			dirs = append(dirs, path.Dir(entry.Path))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// follow notes what a kustomization refers to.
func (s *survey) follow(k *outlined) {
	for _, ref := range k.Refs {
		s.files[ref.Path] = true
		switch role(ref.Role) {
		case roleResource, roleComponent, roleGenerator, roleTransformer, roleValidator:
			s.refers[k.dir] = append(s.refers[k.dir], ref.Path)
		}
	}
}

func (s *survey) isComponent(dir string) bool { return s.found[dir] != nil && s.found[dir].Component }

// leaves finds the kustomizations that no other refers to, then those that are
// reachable only through a cycle.
func (s *survey) leaves() {
	referred := map[string]bool{}
	for _, below := range s.refers {
		for _, dir := range below {
			referred[dir] = true
		}
	}
	for _, dir := range s.dirs {
		if !referred[dir] && !s.isComponent(dir) {
			s.leaf(dir, "no other kustomization refers to it")
		}
	}
	for _, dir := range s.dirs {
		if !s.used[dir] && !s.isComponent(dir) && !s.belowComponent(dir) {
			s.leaf(dir, "only a cycle of kustomizations refers to it")
		}
	}
}

// belowComponent reports whether a Component takes the directory in, so that
// it is part of the Component and not of a cycle.
func (s *survey) belowComponent(dir string) bool {
	seen := map[string]bool{}
	var reach func(from string) bool
	reach = func(from string) bool {
		if from == dir {
			return true
		}
		if seen[from] {
			return false
		}
		seen[from] = true
		return slices.ContainsFunc(s.refers[from], reach)
	}
	return slices.ContainsFunc(s.dirs, func(d string) bool { return s.isComponent(d) && reach(d) })
}

func (s *survey) leaf(dir, why string) {
	t := Target{Path: dir, Kind: Kustomize, Why: why}
	if k := s.found[dir]; k != nil {
		t.File = k.path
	} else if names, err := spellings(s.tree, dir); err == nil {
		t.File = path.Join(dir, names[0])
	}
	s.add(t)
	s.reach(dir)
}

func (s *survey) reach(dir string) {
	if s.used[dir] {
		return
	}
	s.used[dir] = true
	for _, below := range s.refers[dir] {
		s.reach(below)
	}
}

// components reports Components that no target uses, with what is wrong in
// them: nothing else would read them.
func (s *survey) components() {
	b := NewBuilder(s.tree, Options{Library: s.opts.Library})
	for _, dir := range s.dirs {
		if s.used[dir] || !s.isComponent(dir) || !s.inScope(dir) {
			continue
		}
		k := s.full(dir)
		if k == nil {
			continue
		}
		s.faults = append(s.faults, &fault{
			Rule: ruleComponentUnused, Message: "no target uses this Component",
			Help: "list it under components of an overlay, or delete it", Span: k.kindSpan(),
		})
		p := b.plan(record(s.tree), dir)
		s.faults = append(s.faults, p.faults...)
		s.faults = append(s.faults, p.warnings...)
	}
}

// add takes a target, or says why not.
func (s *survey) add(t Target) {
	s.all = append(s.all, t)
	if !s.inScope(t.Path) {
		return
	}
	if reason := s.excluded(t.Path); reason != "" {
		s.skipped = append(s.skipped, Skipped{Path: t.Path, Reason: reason})
		return
	}
	s.targets = append(s.targets, t)
}

func (s *survey) inScope(dir string) bool {
	return s.opts.Scope == "" || s.opts.Scope == "." || within(s.opts.Scope, dir)
}

func (s *survey) excluded(dir string) string {
	match := func(pattern string) bool {
		ok, _ := doublestar.Match(pattern, dir) // Discover has validated it
		return ok
	}
	if i := slices.IndexFunc(s.opts.Exclude, match); i >= 0 {
		return "excluded by " + s.opts.Exclude[i]
	}
	if len(s.opts.Include) > 0 && !slices.ContainsFunc(s.opts.Include, match) {
		return "no include pattern matches"
	}
	return ""
}

func (s *survey) discovery() *Discovery {
	d := &Discovery{Targets: s.targets, Skipped: s.skipped}
	slices.SortFunc(d.Targets, func(a, b Target) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(d.Skipped, func(a, b Skipped) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Reason, b.Reason))
	})
	d.Skipped = slices.Compact(d.Skipped)
	for _, f := range s.faults {
		d.Findings = append(d.Findings, f.placed(originals(s.tree)).finding(""))
	}
	d.Findings = finding.Merge(d.Findings)
	return d
}
