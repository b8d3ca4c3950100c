package render

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/sallyport/sallyport/source"
)

// maxRounds bounds how deep deliveries may deliver others: a cluster that
// delivers tenants that deliver applications takes three.
const maxRounds = 5

// claim is an object that delivers a directory, as one target builds it.
type claim struct {
	object *Object
	parent *Rendered
	file   string // of the object's manifest
}

// order is one directory that a claim delivers. Reason says why it is not
// judged; else write adds to the draft what changes the build, and may say too
// that it cannot be.
type order struct {
	*claim
	kind   Kind
	index  int    // among the sources of an Application
	at     string // pointer of what names the directory
	path   string
	source sourceName
	reason string
	write  func(d *draft, o order, s *survey) string
}

// sourceName tells sources apart: a URL, or the name of a GitRepository.
type sourceName struct{ kind, namespace, name, url string }

// foreign reports whether a source is no Git repository. What it holds was made
// elsewhere, and its paths are its own.
func (n sourceName) foreign() bool { return n.url == "" && n.kind != "GitRepository" }

// deliveries finds the Flux Kustomizations and Argo CD Applications that change
// what they build of this repository. They are taken from what targets render
// to, since overlays patch them, and a Flux Kustomization patches those that it
// delivers.
func (s *survey) deliveries(ctx context.Context) error {
	s.builder = NewBuilder(s.tree, Options{Library: s.opts.Library})
	x := &dispatch{survey: s, urls: map[sourceName]string{}, mentions: map[string]bool{}}
	parents := x.speaking(s.all)
	for range maxRounds {
		if len(parents) == 0 {
			break
		}
		rendered, err := x.render(ctx, parents)
		if err != nil {
			return err
		}
		x.collect(rendered)
		before := x.targets
		x.decide()
		parents = x.speaking(slices.DeleteFunc(slices.Clone(x.targets), func(t Target) bool { return slices.ContainsFunc(before, t.same) }))
	}
	for _, t := range x.targets {
		for _, edge := range s.builder.Edges(t) {
			s.used[edge.To] = true
		}
		s.addDelivery(t)
	}
	s.skipped = append(s.skipped, x.skips...)
	return nil
}

func (t Target) same(other Target) bool {
	return t.Path == other.Path && t.Delivery.same(other.Delivery)
}

// dispatch is the state of looking for deliveries.
type dispatch struct {
	*survey
	mentions map[string]bool // by file
	claims   []*claim
	urls     map[sourceName]string // of GitRepository objects
	targets  []Target
	skips    []Skipped
}

// speaking lists the targets with a file that may speak of a delivery.
func (x *dispatch) speaking(targets []Target) []Target {
	var out []Target
	for _, t := range targets {
		if x.speaksIn(t) {
			out = append(out, t)
		}
	}
	return out
}

// speaksIn is about one target. Of an overlay it follows the references, which
// costs less than a plan.
func (x *dispatch) speaksIn(t Target) bool {
	switch {
	case t.Delivery != nil:
		reads, _ := x.builder.Reads(t)
		return slices.ContainsFunc(reads.Files, x.speaks)
	case t.Kind == Directory:
		return slices.ContainsFunc(filesIn(x.tree, t.Path), x.speaks)
	}
	seen := map[string]bool{}
	var walk func(dir string) bool
	walk = func(dir string) bool {
		k := x.found[dir]
		if k == nil || seen[dir] {
			return false
		}
		seen[dir] = true
		refers := func(ref Ref) bool { return x.speaks(ref.Path) }
		return x.speaks(k.path) || slices.ContainsFunc(k.Refs, refers) || slices.ContainsFunc(x.refers[dir], walk)
	}
	return walk(t.Path)
}

// speaks tells by the text whether a file may have a part of a delivery. An
// escape could hide the group's name.
func (x *dispatch) speaks(file string) bool {
	known, ok := x.mentions[file]
	if !ok {
		known = x.opts.Notes.learn(file, askedSpeaks, func(n *Note) bool {
			data, err := x.tree.ReadFile(file)
			n.Speaks = slices.ContainsFunc([]string{fluxGroup, argoGroup, `\u`, `\x`, `\U`}, func(word string) bool { return bytes.Contains(data, []byte(word)) })
			return err == nil
		}).Speaks
		x.mentions[file] = known
	}
	return known
}

func (x *dispatch) render(ctx context.Context, targets []Target) ([]*Rendered, error) {
	out := make([]*Rendered, len(targets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range targets {
		group.Go(func() (err error) {
			out[i], err = x.builder.Build(ctx, t)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	return out, nil
}

// collect takes the claims of targets. One that a delivery has made replaces that
// of a target which the delivery builds: that is how it reaches the cluster.
func (x *dispatch) collect(rendered []*Rendered) {
	for _, r := range rendered {
		for _, o := range r.Objects {
			if o.Kind == "GitRepository" && strings.HasPrefix(o.APIVersion, "source.toolkit.fluxcd.io/") {
				x.urls[sourceName{kind: o.Kind, namespace: o.Namespace, name: o.Name}] = sameURL(textIn(mappingIn(o.Value, "spec"), "url"))
			}
			if !isFluxKustomization(o) && !isApplication(o) && !isApplicationSet(o) {
				continue
			}
			c := &claim{object: o, parent: r, file: r.Place(o, "").Span.File}
			x.claims = append(slices.DeleteFunc(x.claims, c.replaces), c)
		}
	}
}

func (c *claim) replaces(old *claim) bool {
	if old.file != c.file || old.object.Name != c.object.Name || old.object.Kind != c.object.Kind || c.parent == old.parent {
		return false
	}
	if c.parent.Target.Delivery == nil {
		return false
	}
	if old.parent.Target.Path == c.parent.Target.Path {
		return true
	}
	_, built := slices.BinarySearch(c.parent.Reads.Files, old.parent.Target.File)
	return old.parent.Target.Delivery == nil && (built || old.parent.Target.Kind == Directory)
}

// decide makes targets of the claims.
func (x *dispatch) decide() {
	x.targets, x.skips = nil, nil
	var orders []order
	for _, c := range x.claims {
		if isFluxKustomization(c.object) {
			orders = append(orders, fluxOrder(c)...)
		} else {
			orders = append(orders, argoOrders(c)...)
		}
	}
	slices.SortStableFunc(orders, func(a, b order) int {
		return strings.Compare(a.claim.parent.Target.Path, b.claim.parent.Target.Path)
	})
	own := x.own(orders)
	taken := map[string]*Delivery{}
	for _, o := range orders {
		d, reason := x.deliver(o, own)
		if d == nil && reason == "" {
			continue
		}
		name, again := o.name(taken, d)
		switch {
		case again:
		case reason != "":
			x.skips = append(x.skips, Skipped{Path: name, Reason: reason})
		default:
			taken[name] = d
			x.targets = append(x.targets, Target{Path: name, Kind: o.kind, File: o.file, Why: o.why(), Delivery: d})
		}
	}
}

func (o order) why() string {
	return map[Kind]string{Flux: "a Flux Kustomization", ArgoCD: "an Argo CD Application"}[o.kind] + " changes what it builds"
}

// name is the path of a delivery's target. Targets that build an object in
// different ways get names of their own; again says that one builds it alike.
func (o order) name(taken map[string]*Delivery, d *Delivery) (name string, again bool) {
	name = o.file + "#" + o.object.Name
	if o.index > 0 {
		name += ":" + strconv.Itoa(o.index)
	}
	for n, base := 2, name; taken[name] != nil; n++ {
		if d != nil && taken[name].same(d) {
			return name, true
		}
		name = base + "." + strconv.Itoa(n)
	}
	return name, false
}

// deliver writes the delivery of an order: none where it changes nothing, and a
// reason where it cannot be known.
func (x *dispatch) deliver(o order, own func(sourceName) bool) (*Delivery, string) {
	dir := strings.TrimPrefix(path.Clean("/"+o.path), "/")
	if dir == "" {
		dir = "."
	}
	if o.reason != "" {
		return nil, o.reason
	}
	d := newDraft(o.parent, o.object, dir)
	d.Whole = x.found[dir] == nil && !x.broken[dir]
	if reason := o.write(d, o, x.survey); reason != "" {
		return nil, reason
	}
	d.Whole = d.Whole || d.Plain != nil
	if !d.alters() {
		return nil, ""
	}
	switch {
	case o.file == "":
		return nil, "it is not known which file it comes from"
	case strings.Contains(o.path, "${"):
		return nil, "its path has a variable, whose value is only known in the cluster"
	case o.source.foreign():
		return nil, "its source is no Git repository, and what that holds is not known here"
	case !x.tree.IsDir(dir):
		return nil, "its path " + dir + " does not exist here"
	case !own(o.source):
		return nil, "its source seems to be another repository"
	}
	done, err := d.finish()
	if err != nil {
		return nil, "what it adds cannot be written as YAML"
	}
	return done, ""
}

// own tells which sources are this repository. That is nowhere written down, and
// an answer must not depend on where the repository was cloned from: a source is
// this one if there is no other, or if most of the paths that objects name in it
// are here.
func (x *dispatch) own(orders []order) func(sourceName) bool {
	paths := map[sourceName]map[string]bool{}
	for _, o := range orders {
		if o.source.foreign() || o.reason != "" {
			continue
		}
		key := x.sourceOf(o.source)
		if paths[key] == nil {
			paths[key] = map[string]bool{}
		}
		if dir := strings.TrimPrefix(path.Clean("/"+o.path), "/"); dir != "" {
			paths[key][dir] = x.tree.IsDir(dir)
		}
	}
	return func(name sourceName) bool {
		key, here := x.sourceOf(name), 0
		for _, exists := range paths[key] {
			if exists {
				here++
			}
		}
		return len(paths) == 1 || 2*here > len(paths[key])
	}
}

// sourceOf joins sources with one URL.
func (x *dispatch) sourceOf(name sourceName) sourceName {
	if name.url != "" {
		return sourceName{url: sameURL(name.url)}
	}
	if url := x.urls[name]; url != "" {
		return sourceName{url: url}
	}
	return name
}

// sameURL makes the ways to write the URL of a Git repository alike.
func sameURL(url string) string {
	url = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(url), "/"), ".git")
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	if _, rest, ok := strings.Cut(url, "@"); ok {
		url = rest
	}
	return strings.Replace(url, ":", "/", 1)
}

// addDelivery takes a target, or says why not. The patterns are about the file of
// the object and about the directory that it builds.
func (s *survey) addDelivery(t Target) {
	dir := t.Delivery.Dir
	if !s.inScope(t.File) && !s.inScope(dir) {
		return
	}
	if reason := s.excluded(t.Path); reason != "" && s.excluded(dir) != "" {
		s.skipped = append(s.skipped, Skipped{Path: t.Path, Reason: reason})
		return
	}
	s.targets = append(s.targets, t)
}

// fieldOf is the text of a field of a directory's kustomization.
func (s *survey) fieldOf(dir, field string) string {
	if k := s.full(dir); k != nil {
		if value := deref(k.field(field)); value != nil {
			return value.Value
		}
	}
	return ""
}

// The functions below read a decoded object; what is missing, or of another
// type, is empty.

func mappingIn(m map[string]any, name string) map[string]any {
	out, _ := m[name].(map[string]any)
	return out
}

func listIn(m map[string]any, name string) []any {
	out, _ := m[name].([]any)
	return out
}

func textIn(m map[string]any, name string) string {
	out, _ := m[name].(string)
	return out
}

// only leaves some fields of a mapping.
func only(item any, names ...string) map[string]any {
	m, _ := item.(map[string]any)
	out := map[string]any{}
	for _, name := range names {
		if value, ok := m[name]; ok && value != nil {
			out[name] = value
		}
	}
	return out
}

// specItem is the pointer of an item of a list in spec.
func specItem(field string, i int) string { return source.Pointer("spec", field, strconv.Itoa(i)) }
